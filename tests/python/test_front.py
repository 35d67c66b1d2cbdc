# SPDX-License-Identifier: Apache-2.0
"""plan_front against every plan."""

from itertools import product

import numpy as np
import pytest

from stridepack.plan.front import plan_front
from stridepack.plan.measure import Measured
from stridepack.tensor import WeightTensor

NAMES = ("dense", "rle", "bitmap", "rans")


def measured(seed: int, n_tensors: int) -> list[Measured]:
    """Tensors whose bytes and cycles are drawn; some cycles are not known."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n_tensors):
        nbytes = dict(zip(NAMES, rng.integers(1, 30, 4).tolist(), strict=True))
        cycles = dict(zip(NAMES, rng.integers(1, 30, 4).astype(float).tolist(), strict=True))
        if number % 3 == 1:
            cycles["rans"] = None
        tensor = WeightTensor(str(number), np.zeros(4, np.int8))
        found.append(Measured(tensor, nbytes, cycles, note="small" if number % 4 == 3 else ""))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_no_plan_lies_below(seed: int) -> None:
    tensors = measured(seed, 1 + seed % 5)
    front = plan_front(tensors)
    possible = [
        ["dense"] if one.note else [name for name in NAMES if one.cycles[name] is not None]
        for one in tensors
    ]
    every = [
        (
            sum(one.nbytes[name] for one, name in zip(tensors, names, strict=True)),
            sum(one.cycles[name] or 0 for one, name in zip(tensors, names, strict=True)),
        )
        for names in product(*possible)
    ]
    for point in front:
        assert (point.nbytes, point.cycles) in every
        assert not [
            other
            for other in every
            if other[0] <= point.nbytes
            and other[1] <= point.cycles
            and other != (point.nbytes, point.cycles)
        ]
    # For every weight of bytes against cycles the best of all plans is one of the front.
    for weight in np.linspace(0.001, 5, 60):
        best = min(nbytes + weight * cycles for nbytes, cycles in every)
        assert min(p.nbytes + weight * p.cycles for p in front) == pytest.approx(best)
    assert front[0].nbytes == min(every)[0]
    assert front[-1].cycles == min(cycles for _, cycles in every)


def test_no_tensors() -> None:
    (point,) = plan_front([])
    assert (point.nbytes, point.cycles, point.formats) == (0, 0, ())
