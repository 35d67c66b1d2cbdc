"""A plan for a whole model that keeps budgets of Flash, cycles and SRAM.

For the C runtime: blobs in Flash, decoded one at a time into one buffer in SRAM. A tensor that does
not fit the buffer is cut into tiles that do. Dense tensors are read in place: they take no cycles
and no SRAM.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stridepack.errors import BudgetError, InputError, StridepackError
from stridepack.formats import formats, known_options, options_of
from stridepack.knapsack import Limits, Option, Weights, best_choice
from stridepack.packed import Packed
from stridepack.planner import DEFAULT_MIN_SIZE
from stridepack.tensor import WeightTensor
from stridepack.threads import in_threads

# Modelled cycles to decode a blob on some target; None: the model does not know.
CycleModel = Callable[[Packed], float | None]

OBJECTIVES = ("size", "speed", "balanced")

# Decoders work on 16 elements at a time, and so do tiles.
_TILE_STEP = 16


@dataclass(frozen=True)
class Budget:
    """What a model may take; None: any amount.

    Attributes
    ----------
    flash : int or None
        Bytes of all blobs.
    cycles : int or None
        To decode all tensors once, as the cycle model has it.
    sram : int or None
        Bytes of the buffer that tensors are decoded into.
    """

    flash: int | None = None
    cycles: int | None = None
    sram: int | None = None


@dataclass(frozen=True, eq=False)
class PlannedTensor:
    """What was chosen for a tensor.

    Attributes
    ----------
    tensor : WeightTensor
    packed : Packed
        Unpacks to the tensor exactly: that was checked.
    cycles : int or None
        To decode it; None where no cycle model was given.
    why : str
        One sentence.
    """

    tensor: WeightTensor
    packed: Packed
    cycles: int | None
    why: str

    @property
    def sram(self) -> int:
        """Bytes of the buffer that it is decoded into."""
        return 0 if self.packed.format == "dense" else self.packed.tile_size


@dataclass(frozen=True, eq=False)
class BudgetPlan:
    """A plan for all tensors of a model, and what it takes."""

    tensors: list[PlannedTensor]

    @property
    def flash(self) -> int:
        """Bytes of all blobs."""
        return sum(planned.packed.nbytes for planned in self.tensors)

    @property
    def cycles(self) -> int | None:
        """To decode all tensors once; None where no cycle model was given."""
        cycles = [planned.cycles for planned in self.tensors]
        return None if None in cycles else sum(filter(None, cycles))

    @property
    def sram(self) -> int:
        """Bytes of the buffer for the largest tensor or tile."""
        return max((planned.sram for planned in self.tensors), default=0)


def plan_within(
    tensors: Sequence[WeightTensor],
    budget: Budget,
    objective: str = "size",
    *,
    cycle_model: CycleModel | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> BudgetPlan:
    """Choose a format, and tiles where they are needed, for every tensor of a model.

    Of all plans that keep the budgets the one that is best is found, not only a good one.

    Parameters
    ----------
    tensors : sequence of WeightTensor
    budget : Budget
    objective : str
        "size": the fewest bytes. "speed": the fewest cycles. "balanced": both count the same, as
        shares of what lies between the smallest plan and the fastest, budgets aside.
    cycle_model : callable, optional
        Needed for a budget of cycles and for objectives other than "size". Formats that it knows
        nothing of are not used then.
    min_size : int
        Tensors of fewer elements stay dense.
    on_done : callable, optional
        Called with the number of elements whenever a tensor was tried.
    **options
        Of the formats, as for `stridepack.pack`.

    Returns
    -------
    BudgetPlan
        The same for the same arguments.

    Raises
    ------
    BudgetError
        When no plan keeps the budgets. Says which one is exceeded, by how much at least.
    InputError
        For an unknown objective or option, or without a cycle model that is needed.
    """
    if objective not in OBJECTIVES:
        raise InputError(f"unknown objective {objective!r}; there are {', '.join(OBJECTIVES)}")
    if cycle_model is None and (objective != "size" or budget.cycles is not None):
        raise InputError(
            f"objective {objective!r} with a budget of {budget.cycles} cycles needs a cycle model"
            if budget.cycles is not None
            else f"objective {objective!r} needs a cycle model"
        )
    if unknown := set(options) - known_options(formats()):
        raise InputError(f"unknown option {', '.join(sorted(unknown))}")

    def candidates(tensor: WeightTensor) -> list[_Candidate]:
        return list(_candidates(tensor, budget.sram, cycle_model, min_size, options))

    tried = in_threads(candidates, tensors, lambda tensor: tensor.size, on_done)
    items = [[candidate.option for candidate in every] for every in tried]
    limits = Limits(budget.flash, budget.cycles)
    chosen = best_choice(items, _weights(items, objective), limits)
    if chosen is None:
        raise BudgetError(_excess(items, limits))
    return BudgetPlan(
        [
            PlannedTensor(
                tensor,
                every[i].packed,
                every[i].option.cycles if cycle_model else None,
                _why(every, every[i], tensor, budget, cycle_model is not None),
            )
            for tensor, every, i in zip(tensors, tried, chosen, strict=True)
        ]
    )


@dataclass(frozen=True, eq=False)
class _Candidate:
    packed: Packed
    option: Option


def _candidates(
    tensor: WeightTensor,
    sram: int | None,
    cycle_model: CycleModel | None,
    min_size: int,
    options: dict[str, Any],
) -> list[_Candidate]:
    """Every blob of a tensor that can be decoded in the SRAM; dense first, which always can."""
    dense = Packed.encode(tensor.values, "dense")
    found = [_Candidate(dense, Option(dense.nbytes, 0))]
    if tensor.size < min_size or tensor.zero_point != 0:
        return found
    tile = None
    if sram is not None and tensor.size > sram:
        tile = sram // _TILE_STEP * _TILE_STEP
        if tile == 0:
            return found
    for name in formats():
        if name == "dense":
            continue
        packed = Packed.encode(tensor.values, name, tile, **options_of(name, options))
        cycles = cycle_model(packed) if cycle_model else 0.0
        if cycles is None:
            continue
        if not np.array_equal(packed.unpack(), tensor.values):
            raise StridepackError(
                f"tensor {tensor.name!r} does not survive {name}: this is a defect of stridepack, "
                "please report it with the file"
            )
        found.append(_Candidate(packed, Option(packed.nbytes, math.ceil(cycles))))
    return found


def _weights(items: Sequence[Sequence[Option]], objective: str) -> Weights:
    """What the objective makes of bytes and cycles. Of equal plans the smaller one wins anyway."""
    if objective == "size":
        return Weights(1, 0)
    if objective == "speed":
        return Weights(0, 1)
    smallest, fastest = (
        _sums(items, best_choice(items, weights) or [])
        for weights in (Weights(1, 0), Weights(0, 1))
    )
    return Weights(smallest.cycles - fastest.cycles, fastest.nbytes - smallest.nbytes)


def _sums(items: Sequence[Sequence[Option]], chosen: Sequence[int]) -> Option:
    options = [every[i] for every, i in zip(items, chosen, strict=True)]
    return Option(sum(o.nbytes for o in options), sum(o.cycles for o in options))


def _excess(items: Sequence[Sequence[Option]], limits: Limits) -> str:
    """Which budget cannot be kept, and what would have to be allowed."""
    smallest = best_choice(items, Weights(1, 0), Limits(None, limits.cycles))
    fastest = best_choice(items, Weights(0, 1), Limits(limits.nbytes, None))
    sentences = []
    if smallest is not None and limits.nbytes is not None:
        least = _sums(items, smallest).nbytes
        with_cycles = "" if limits.cycles is None else f" with {limits.cycles} cycles"
        sentences.append(
            f"at least {least} bytes of Flash are needed{with_cycles}, "
            f"{least - limits.nbytes} more than {limits.nbytes}"
        )
    if fastest is not None and limits.cycles is not None:
        least = _sums(items, fastest).cycles
        with_flash = "" if limits.nbytes is None else f" with {limits.nbytes} bytes of Flash"
        sentences.append(
            f"at least {least} cycles are needed{with_flash}, "
            f"{least - limits.cycles} more than {limits.cycles}"
        )
    if not sentences:  # neither can be kept even without the other
        return "; ".join(
            _excess(items, alone) for alone in (Limits(limits.nbytes), Limits(None, limits.cycles))
        )
    return "no plan keeps the budgets: " + "; or ".join(sentences)


def _why(
    every: Sequence[_Candidate],
    chosen: _Candidate,
    tensor: WeightTensor,
    budget: Budget,
    with_cycles: bool,
) -> str:
    """One sentence: against the smallest, and why it is in tiles."""
    tiles = ""
    if chosen.packed.n_tiles > 1:
        tiles = f", in tiles of {chosen.packed.tile_size} for {budget.sram} bytes of SRAM"
    if len(every) == 1:
        if tensor.zero_point != 0:
            return f"zero point {tensor.zero_point}"
        if budget.sram is not None and budget.sram < _TILE_STEP:
            return f"{budget.sram} bytes of SRAM are too few for a tile of {_TILE_STEP}"
        return "too small to pack, or no format with known cycles"
    smallest = min(every, key=lambda candidate: candidate.option)
    if chosen is smallest:
        return f"the smallest{tiles}"
    more = chosen.option.nbytes - smallest.option.nbytes
    less = smallest.option.cycles - chosen.option.cycles
    saved = f", {less} cycles less" if with_cycles else ""
    return f"{more} bytes more than {smallest.packed.format}{saved}{tiles}"
