# SPDX-License-Identifier: Apache-2.0
"""A step for each layer: what each one costs in bytes and does to the outputs, and the best choice.

Each layer alone is rounded to each step, and the outputs of the whole model are compared with
those of the original. These errors add up well enough to choose by: the total is the least that
any choice with so many bytes has. What a chosen plan really does is measured afterwards.

One part of them does not add up. However little a layer changes, the activations of the layers
that follow are rounded to other integers, and that part comes but once. So most of the error of
the finest step is left out. Without that, layers were left untouched at the cost of others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stridepack.plan.knapsack import Coefficients, Limits, Option, best_choice
from stridepack.shrink.build import Builder
from stridepack.shrink.compensate import Compensator
from stridepack.shrink.grid import steps_of_rows
from stridepack.shrink.quality import Reference
from stridepack.shrink.rate import Rate

# Steps in units of the scales that a tensor has. 1 leaves it as it is.
STEPS = (2, 3, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80)

# For models with many layers: the bytes of so many can be chosen finely enough with fewer steps.
_FEWER_STEPS = (4, 8, 16, 24, 32, 48, 64)
_MANY_LAYERS = 16

# Share of the error of the finest step that is left out.
_ONCE = 0.9

# The knapsack adds up integers, of at most 61 bits.
_ERROR_UNITS = 10**9
_LARGEST_SUM = 2.0**60


@dataclass(frozen=True)
class Candidate:
    """A layer with one step.

    Attributes
    ----------
    step : float
        In units of the scales of the tensor; 1 for the layer as it is.
    nbytes : int
        Of the packed tensor, about.
    error : float
        Of the outputs with only this layer rounded, without the part that comes but once; see
        `Reference.error`.
    """

    step: float
    nbytes: int
    error: float


Table = list[list[Candidate]]


def usual_steps(n_layers: int) -> tuple[int, ...]:
    """The steps to choose from, for so many layers."""
    return STEPS if n_layers <= _MANY_LAYERS else _FEWER_STEPS


def measure_candidates(
    builder: Builder,
    steps: Sequence[float],
    rate: Rate,
    reference: Reference,
    on_done: Callable[[], None],
) -> Table:
    """Candidates of each layer of a builder; the first one is the layer as it is.

    A layer without any effect on the outputs has only that one: what it does cannot be measured.

    Parameters
    ----------
    builder : Builder
    steps : sequence of float
    rate : Rate
    reference : Reference
        Where the errors are measured.
    on_done : callable
        Called after each layer.
    """
    table = []
    draft = builder.draft
    for layer in builder.layers:
        candidates = [Candidate(1, rate.of_tensor(layer.values, draft.entry(layer.name)), 0.0)]
        compensator = Compensator(layer, builder.observe(layer))
        for step in steps:
            rounded = compensator.round(steps_of_rows(layer, step))
            draft.put(layer, rounded)
            nbytes = rate.of_tensor(layer.from_rows(rounded.levels), draft.entry(layer.name))
            candidates.append(Candidate(step, nbytes, reference.error(draft.to_bytes())))
        draft.take_back(layer)
        has_effect = any(candidate.error > 0 for candidate in candidates)
        table.append(_to_add_up(candidates) if has_effect else candidates[:1])
        on_done()
    return table


def _to_add_up(candidates: list[Candidate]) -> list[Candidate]:
    """Candidates without the part of their errors that comes but once."""
    untouched, *rounded = candidates
    if len(rounded) == 1:
        return candidates
    once = _ONCE * min(candidate.error for candidate in rounded)
    return [untouched, *(replace(c, error=max(0.0, c.error - once)) for c in rounded)]


def best_steps(table: Table, nbytes: int) -> tuple[float, ...] | None:
    """The steps with the least total error for so many bytes of all layers; None if there are none.

    Of equal errors, those with the fewest bytes.
    """
    largest = sum(max(c.error for c in candidates) for candidates in table)
    units = min(_ERROR_UNITS, _LARGEST_SUM / max(1.0, largest))
    options = [
        [Option(c.nbytes, round(c.error * units)) for c in candidates] for candidates in table
    ]
    chosen = best_choice(options, Coefficients(0, 1), Limits(nbytes))
    if chosen is None:
        return None
    return tuple(candidates[i].step for candidates, i in zip(table, chosen, strict=True))


def least_nbytes(table: Table) -> int:
    """Bytes of all layers with the steps that make each one smallest."""
    return sum(min(c.nbytes for c in candidates) for candidates in table)


def nbytes_of(table: Table, steps: Sequence[float]) -> int:
    """Bytes of all layers, about, with some steps."""
    return sum(
        next(c.nbytes for c in candidates if c.step == step)
        for candidates, step in zip(table, steps, strict=True)
    )
