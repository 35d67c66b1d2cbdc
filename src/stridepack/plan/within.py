"""The best plan for a whole model that keeps budgets of Flash, cycles and SRAM.

For the C runtime: blobs in Flash, each decoded with `spk_decode_s8`, or tile by tile, into one
buffer in SRAM. That includes dense ones, which it copies. A tensor that does not fit the buffer is
cut into the largest tiles that do.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stridepack._threads import in_threads
from stridepack._words import counted, listed
from stridepack.cost import decode_cycles
from stridepack.errors import BudgetError, InputError
from stridepack.formats import formats
from stridepack.packed import Packed
from stridepack.plan.budget import OBJECTIVES, Budget
from stridepack.plan.budget_plan import (
    DEFAULT_TARGET,
    BudgetPlan,
    PlannedTensor,
    code_nbytes,
)
from stridepack.plan.choice import FormatChoice
from stridepack.plan.encode import TensorEncoder
from stridepack.plan.knapsack import Option
from stridepack.plan.options import AUTO, PackOptions
from stridepack.plan.rules import DEFAULT_MIN_SIZE, why_dense
from stridepack.plan.smallest import check_exact
from stridepack.tensor import WeightTensor

# Decoders work on 16 elements at a time, so tiles are multiples of that.
_TILE_STEP = 16


@dataclass(frozen=True)
class Goal:
    """What a plan has to keep, and what it makes as small as possible: see `plan_within`.

    None: what was not asked for, which then is the default there.
    """

    budget: Budget = field(default_factory=Budget)
    objective: str | None = None
    target: str | None = None
    count_code: bool = False


def plan_within(
    tensors: Sequence[WeightTensor],
    budget: Budget,
    objective: str = OBJECTIVES[0],
    *,
    target: str = DEFAULT_TARGET,
    count_code: bool = False,
    container_nbytes: int = 0,
    format: str = AUTO,
    candidates: Iterable[str] | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
    tile: int | None = None,
    transforms: bool = True,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> BudgetPlan:
    """Choose a format, and tiles where they are needed, for every tensor of a model.

    Of all plans that keep the budgets the best is found, not only a good one: a multiple-choice
    knapsack problem, solved exactly. Dense is a candidate for every tensor.

    Parameters
    ----------
    tensors : sequence of WeightTensor
    budget : Budget
    objective : str
        "size": the fewest bytes of Flash. "speed": the fewest cycles. "balanced": both count the
        same, as shares of what lies between the smallest plan and the fastest, budgets aside. Of
        equal plans the one of fewer bytes.
    target : str
        Whose cycles and code: one of `stridepack.targets()`. Where cycles matter (a budget
        of them, or another objective than "size"), formats of unknown cycles are left out.
    count_code : bool
        Count the code of the decoders in use as Flash, as `stridepack.cost.decoder_nbytes` has
        it. What two of them share counts twice.
    container_nbytes : int
        Bytes of Flash beside blobs and code, such as `stridepack.files.spk.overhead`.
    format, candidates, min_size, transforms, on_done, **options
        As in `stridepack.plan`; dense is always possible here.
    tile : int, optional
        Elements in every tile. Default: whole tensors, or as many as the SRAM allows, in multiples
        of 16: fewer and larger tiles take fewer bytes.

    Returns
    -------
    BudgetPlan
        The same for the same arguments.

    Raises
    ------
    BudgetError
        When no plan keeps the budgets. Names the budget, the least that would do, the difference.
    InputError
        As `stridepack.plan` does; also for an unknown objective or target.

    Examples
    --------
    >>> import numpy as np, stridepack as sp
    >>> values = np.random.default_rng(0).integers(-99, 100, 10_000, np.int8)
    >>> values[::3] = values[1::3] = 0
    >>> tensors = [sp.WeightTensor("conv", values)]
    >>> smallest = plan_within(tensors, Budget())
    >>> smallest.tensors[0].packed, smallest.cycles
    (<Packed rans int8[10000], 3315 non-zeros: 3288 bytes>, 36899)
    >>> faster = plan_within(tensors, Budget(cycles=smallest.cycles // 2, sram=4096))
    >>> faster.tensors[0].packed, faster.tensors[0].why  # doctest: +NORMALIZE_WHITESPACE
    (<Packed bitmap int8[10000], 3315 non-zeros, 3 tiles: 4612 bytes>,
     '25,227 cycles fewer than rans for 1,204 bytes more')
    """
    return choose_within(
        tensors,
        Goal(budget, objective, target, count_code),
        PackOptions(format, tile, min_size, options, transforms),
        candidates=candidates,
        container_nbytes=container_nbytes,
        on_done=on_done,
    )


def choose_within(
    tensors: Sequence[WeightTensor],
    goal: Goal,
    options: PackOptions,
    *,
    candidates: Iterable[str] | None = None,
    container_nbytes: int = 0,
    on_done: Callable[[int], None] | None = None,
) -> BudgetPlan:
    """`plan_within`, with its options as two values."""
    names = options.candidates(candidates)
    if not isinstance(goal.budget, Budget):
        raise InputError(
            f"`budget={goal.budget!r}` is no budget. Give a `Budget`, such as "
            "`Budget(flash=60_000)`."
        )
    budget, target = goal.budget, goal.target or DEFAULT_TARGET
    objective = goal.objective or OBJECTIVES[0]
    _check_sram(tensors, budget.sram, options.tile)
    # Where cycles do not matter, formats of unknown cycles may be used, and all cost the same.
    cycles_matter = objective != "size" or budget.cycles is not None
    code = {name: code_nbytes(name, target) for name in formats()} if goal.count_code else {}

    def try_formats(tensor: WeightTensor) -> _Tried:
        tried = _Tried(why_dense(tensor.size, options.min_size))
        cut = _tile(tensor, budget.sram, options.tile, tried.note)
        encoder = TensorEncoder(tensor.values, options, cut)
        for name in ("dense", *(() if tried.note else names)):
            if name in tried.candidates:
                continue
            packed = encoder.encode(name)
            not_known = cycles_matter and decode_cycles(packed, target) is None
            if not_known or (goal.count_code and code[name] is None):
                tried.left_out.add(name)
            else:
                tried.candidates[name] = packed
        if not tried.candidates:
            raise InputError(
                f"Tensor {tensor.name!r} can only be stored dense, and what dense costs on "
                f"`target={target}` is not known. Choose another target.",
                target=target,
            )
        return tried

    tried = in_threads(try_formats, tensors, lambda tensor: tensor.size, on_done)
    choice = FormatChoice(
        [_options(one, target if cycles_matter else None) for one in tried],
        container_nbytes,
        {name: nbytes or 0 for name, nbytes in code.items()},
    )
    left_out = set().union(*(one.left_out for one in tried))
    in_order = tuple(name for name in formats() if name in left_out)
    try:
        chosen = choice.best(budget, objective)
    except BudgetError as error:
        conditions = [] if budget.sram is None else [f"with `sram={budget.sram}`"]
        if in_order:
            conditions.append(
                f"without {listed(in_order, 'and')}, because the cycles or the code size on "
                f"{target} are not known"
            )
        also = f" This holds {' and '.join(conditions)}." if conditions else ""
        raise BudgetError(f"{error}{also}", **error.options) from None
    decoders = set(chosen) if goal.count_code else set(formats())
    planned = [
        _planned(tensor, one, options_, name, decoders=decoders, target=target)
        for tensor, one, options_, name in zip(tensors, tried, choice.tensors, chosen, strict=True)
    ]
    return BudgetPlan(planned, budget, target, container_nbytes, goal.count_code, in_order)


@dataclass(frozen=True, eq=False)
class _Tried:
    """A tensor in all formats that are possible."""

    note: str
    candidates: dict[str, Packed] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)


def _check_sram(tensors: Sequence[WeightTensor], sram: int | None, tile: int | None) -> None:
    """Refuse SRAM that does not hold a tile of every tensor."""
    if sram is None or not tensors:
        return
    step = _TILE_STEP if tile is None else tile
    largest = max(tensors, key=lambda tensor: tensor.size)
    least = min(step, largest.size)
    if sram < least:
        tile_is = "" if tile is None else f" for `tile={tile}`"
        one_tile = "" if largest.size <= step else f", which is one tile of {step:,} elements"
        raise BudgetError(
            f"`sram={sram}` is too small{tile_is}. Tensor {largest.name!r} needs a buffer of at "
            f"least {counted(least, 'byte')}{one_tile}. That is {least - sram:,} more.",
            sram=sram,
            tile=tile,
        )


def _tile(tensor: WeightTensor, sram: int | None, tile: int | None, note: str) -> int | None:
    """Elements in a tile of a tensor; None: all."""
    fits = sram is None or tensor.size <= sram
    if tile is not None:
        return None if note and fits else tile
    return None if sram is None or fits else sram // _TILE_STEP * _TILE_STEP


def _options(tried: _Tried, target: str | None) -> dict[str, Option]:
    """What the candidates add to the sums, the smallest first.

    target: None where cycles do not matter.
    """
    smallest_first = sorted(tried.candidates.items(), key=lambda item: item[1].nbytes)
    return {
        name: Option(packed.nbytes, (_cycles(packed, target) or 0) if target else 0)
        for name, packed in smallest_first
    }


def _cycles(packed: Packed, target: str) -> int | None:
    cycles = decode_cycles(packed, target)
    return None if cycles is None else math.ceil(cycles)


def _planned(
    tensor: WeightTensor,
    tried: _Tried,
    options: Mapping[str, Option],
    chosen: str,
    *,
    decoders: set[str],
    target: str,
) -> PlannedTensor:
    """Check what was chosen, and say why. decoders: those that the firmware has."""
    packed, option = tried.candidates[chosen], options[chosen]
    check_exact(tensor, packed)
    smallest = min(options, key=lambda name: options[name])
    if tried.note:
        why = tried.note
    elif len(options) == 1:
        why = "no other format is possible"
    elif option == options[smallest]:
        why = "nothing is smaller" if chosen == "dense" else "the smallest"
    else:
        more = f"{option.nbytes - options[smallest].nbytes:,} bytes more"
        if option.cycles < options[smallest].cycles:
            fewer = f"{options[smallest].cycles - option.cycles:,} cycles fewer"
            why = f"{fewer} than {smallest} for {more}"
            if option.cycles == min(o.cycles for o in options.values()):
                why += "; the fastest"
        elif smallest not in decoders:
            why = f"{more} than {smallest}, whose decoder would need more than that"
        else:
            why = f"{more} than {smallest}"
    return PlannedTensor(tensor, packed, _cycles(packed, target), why, tried.note)
