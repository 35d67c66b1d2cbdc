# SPDX-License-Identifier: Apache-2.0
"""Cycles of the steps between a format and the tensor, for each target.

From counts of bench/m55/transforms.py, which the costs here meet within some 15 %. bench/cores fits
those of other cores within some 25 %, in instructions. A step works on a tile in place, so that its
time depends on numbers of elements and on little else.
"""

from dataclasses import dataclass

import numpy as np

from stridepack.cost._fitted_cores import TRANSFORMS
from stridepack.packed import Packed
from stridepack.transforms.apply import Live, Prediction

KINDS = 5  # of predictions
_VECTOR, _WORD = 16, 4  # elements that are predicted at once
_LONG_CYCLE = 512  # bits: shorter ones are repeated up to that where they are whole bytes


@dataclass(frozen=True)
class Costs:
    """Cycles of a target.

    Attributes
    ----------
    tile : float
        For each tile.
    predicted : tuple of float
        For an element, by the kind of the prediction, at once with others: `_VECTOR` with vectors.
    few : tuple of float
        Likewise, `_WORD` at once.
    alone : tuple of float
        Likewise, for an element that is predicted alone.
    moved : float
        For an element with a bitmap of rows.
    spread, live, cycle : float
        With a bitmap of columns: for each element, for each that is live, and for each time that
        the bitmap begins anew.
    classes, swap : float
        With classes of single columns: for each live element, and for each swap.
    unit, swap_in_unit : float
        With classes of longer units: for each of them, and for each swap.
    """

    tile: float
    predicted: tuple[float, ...]
    few: tuple[float, ...]
    alone: tuple[float, ...]
    moved: float
    spread: float
    live: float
    cycle: float
    classes: float
    swap: float
    unit: float
    swap_in_unit: float


_SCALAR = (2.0, 2.0, 3.5, 4.0, 3.0)
_COSTS = {
    "cortex-m55": Costs(
        tile=600,
        predicted=(0.57, 0.57, 0.89, 1.01, 0.76),
        few=_SCALAR,
        alone=(26.5,) * KINDS,
        moved=0.2,
        spread=1.3,
        live=1.0,
        cycle=82,
        classes=1.15,
        swap=17.8,
        unit=60,
        swap_in_unit=0.6,
    ),
    "cortex-m55-scalar": Costs(
        tile=600,
        predicted=_SCALAR,
        few=_SCALAR,
        alone=(26.5,) * KINDS,
        moved=0.35,
        spread=3.2,
        live=0.7,
        cycle=100,
        classes=1.05,
        swap=17.7,
        unit=60,
        swap_in_unit=4.2,
    ),
}


_COSTS |= {target: Costs(**costs) for target, costs in TRANSFORMS.items()}


def transform_cycles(packed: Packed, target: str) -> float:
    """Estimated cycles of the transforms of a blob; 0 where it has none."""
    return transform_costs(packed, _COSTS[target])


def transform_costs(packed: Packed, costs: Costs) -> float:
    """What the transforms of a blob cost: a sum of the costs, each times what it is for."""
    transforms = packed.transforms
    if not transforms:
        return 0.0
    cycles = costs.tile * packed.n_tiles
    if transforms.prediction is not None:
        cycles += packed.n_elements * _predicted(transforms.prediction, costs)
    if transforms.live is not None:
        n_live = sum(n for _, n in packed.parts())
        cycles += _spread(transforms.live, packed.n_elements, n_live, costs)
        cycles += _mixed(transforms.live, n_live, costs)
    return cycles


def _predicted(prediction: Prediction, costs: Costs) -> float:
    nearest = min(prediction.distance, prediction.second)
    if nearest < _WORD:
        return costs.alone[prediction.kind]
    return (costs.predicted if nearest >= _VECTOR else costs.few)[prediction.kind]


def _spread(live: Live, n: int, n_live: int, costs: Costs) -> float:
    if n_live == n:
        return 0.0
    if live.columns is None:
        return n * costs.moved
    share = 1.0 if live.rows is None else float(live.rows.mean())  # the others are filled
    bits = live.columns.size
    if bits % 8 == 0:
        bits *= max(1, _LONG_CYCLE // bits)
    cycle = min(bits, live.row or n)
    return share * n * (costs.spread + costs.cycle / cycle) + n_live * costs.live


def _mixed(live: Live, n_live: int, costs: Costs) -> float:
    if live.classes is None or n_live == 0:
        return 0.0
    second = float(np.mean(live.classes))
    swaps = second * (1 - second) * n_live
    if live.unit == 1:
        return costs.classes * n_live + costs.swap * swaps
    return costs.unit * n_live / live.unit + costs.swap_in_unit * swaps
