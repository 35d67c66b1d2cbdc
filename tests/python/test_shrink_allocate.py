# SPDX-License-Identifier: Apache-2.0
"""The choice of steps: the least error for a number of bytes, and plans of all sizes."""

from itertools import product

import numpy as np
import pytest

from stridepack.shrink.allocate import (
    STEPS,
    Candidate,
    Table,
    _to_add_up,
    best_steps,
    least_nbytes,
    nbytes_of,
    usual_steps,
)


def random_table(n_layers: int, n_steps: int, seed: int) -> Table:
    """Bytes fall and errors rise with the step, but not always."""
    rng = np.random.default_rng(seed)
    table = []
    for _ in range(n_layers):
        nbytes = np.sort(rng.integers(100, 3000, n_steps + 1))[::-1] + rng.integers(0, 50)
        errors = np.append(0, np.sort(rng.random(n_steps)) * rng.random())
        steps = [1, *STEPS[:n_steps]]
        table.append(
            [Candidate(q, int(n), float(e)) for q, n, e in zip(steps, nbytes, errors, strict=True)]
        )
    return table


@pytest.mark.parametrize("seed", range(5))
def test_no_other_choice_has_less_error(seed: int) -> None:
    table = random_table(4, 5, seed)
    everything = list(product(*table))
    least = least_nbytes(table)
    assert least == min(sum(c.nbytes for c in choice) for choice in everything)
    assert best_steps(table, least - 1) is None
    for limit in (least, (least + nbytes_of(table, [1] * 4)) // 2, 20_000):
        best = min(
            sum(c.error for c in choice)
            for choice in everything
            if sum(c.nbytes for c in choice) <= limit
        )
        steps = best_steps(table, limit)
        assert steps is not None
        assert nbytes_of(table, steps) <= limit
        chosen = [next(c for c in row if c.step == q) for row, q in zip(table, steps, strict=True)]
        assert sum(c.error for c in chosen) == pytest.approx(best, abs=1e-8)


def test_most_of_what_the_finest_step_costs_comes_but_once() -> None:
    candidates = [Candidate(1, 90, 0), Candidate(2, 80, 0.02), Candidate(4, 60, 0.03)]
    errors = [candidate.error for candidate in _to_add_up(candidates)]
    assert errors == pytest.approx([0, 0.002, 0.012])
    assert _to_add_up(candidates[:2]) == candidates[:2]  # one step has nothing to compare with


def test_models_with_many_layers_have_fewer_steps() -> None:
    assert usual_steps(7) == STEPS
    assert set(usual_steps(50)) < set(STEPS)
