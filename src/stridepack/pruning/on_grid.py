# SPDX-License-Identifier: Apache-2.0
"""Weights that are on grids: their levels, and how to make the levels cost less or more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from stridepack.errors import InputError
from stridepack.pruning.levels import Grid
from stridepack.pruning.masks import steps_of
from stridepack.pruning.plain import unwrapped
from stridepack.pruning.quantise import QuantizedWeight
from stridepack.pruning.weights import Weight, weights_of

_BISECTIONS = 8


def grid_of(weight: Weight) -> Grid | None:
    """The grid that a weight is on."""
    return next((step for step in steps_of(*weight) if isinstance(step, Grid)), None)


@torch.no_grad()
def levels_of(model: nn.Module) -> dict[str, QuantizedWeight]:
    """Levels and steps of the weights that are on a grid, by name, in torch's layout.

    Raises
    ------
    InputError
        When a weight or a step is NaN or infinite: its levels would be any numbers.
    """
    levels = {}
    for name, weight in weights_of(unwrapped(model)).items():
        if grid := grid_of(weight):
            check_finite(name, before_grid(weight), grid)
            values = grid.levels(weight.value()).to(torch.int8)
            steps = grid.steps().float().flatten()
            levels[name] = QuantizedWeight(values.cpu().numpy(), steps.cpu().numpy())
    return levels


def before_grid(weight: Weight) -> Tensor:
    """The weight that is rounded: with a mask, where there is one."""
    value = weight.parameter()
    for step in steps_of(*weight):
        if isinstance(step, Grid):
            break
        value = step(value)
    return value.as_subclass(Tensor)


def check_finite(name: str, weight: Tensor, grid: Grid) -> None:
    """Refuse a weight with values that cannot be rounded, and steps that nothing is a multiple of.

    Infinite values would be stored as the largest level, and so not be noticed afterwards.
    """
    wrong = weight.numel() - int(torch.isfinite(weight).sum())
    steps = grid.steps()
    if wrong or not bool((torch.isfinite(steps) & (steps > 0)).all()):
        what = f"{wrong:,} of its {weight.numel():,} values are" if wrong else "its step is 0,"
        raise InputError(
            f"{name}: {what} NaN or infinite. Has the training diverged? Go back to a checkpoint "
            "from before, and try a lower learning rate."
        )


@torch.no_grad()
def move_down(grids: Mapping[str, Grid], weights: Mapping[str, Weight], bits: float) -> None:
    """Move levels by one towards 0, those with the least error a bit, until it saves enough."""
    pairs = [(grid, weights[name]) for name, grid in grids.items()]
    moves = [grid.moves(before_grid(weight)) for grid, weight in pairs]
    errors = torch.cat([error for error, _ in moves])
    gains = torch.cat([gain for _, gain in moves])
    order = (errors / gains).argsort()  # infinite where nothing is saved
    saved = gains[order].cumsum(dim=0)
    chosen = torch.zeros_like(order, dtype=torch.bool)
    chosen[order[: int((saved < bits).sum()) + 1]] = True
    parts = torch.split(chosen, [len(error) for error, _ in moves])
    for (grid, weight), part in zip(pairs, parts, strict=True):
        parameter = weight.parameter()
        levels = grid.levels(before_grid(weight))
        lower = (levels - levels.sign()) * grid.steps()
        # in place: the optimiser and wrappers keep their parameter
        parameter.copy_(torch.where(part.view(parameter.shape), lower, parameter))


@torch.no_grad()
def make_finer(
    grids: Mapping[str, Grid], weights: Mapping[str, Weight], fits: Callable[[], bool]
) -> None:
    """Divide all steps by the largest number with which the levels still fit somewhere."""
    before = {name: grid.first_steps.clone() for name, grid in grids.items()}
    room = {name: math.log(grid.room(before_grid(weights[name]))) for name, grid in grids.items()}

    def fits_with(finer: float) -> bool:
        for name, grid in grids.items():
            grid.first_steps.copy_(before[name] * math.exp(-min(finer, room[name])))
        return fits()

    low, high = 0.0, max(room.values())
    if fits_with(high):
        return
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits_with(middle) else (low, middle)
    fits_with(low)
