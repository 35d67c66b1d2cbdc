# SPDX-License-Identifier: Apache-2.0
"""The best plan for a whole model that keeps budgets of Flash, cycles and SRAM.

For the C runtime: blobs in Flash, each decoded with `spk_decode_s8`, or tile by tile, into one
buffer in SRAM. That includes dense ones, which it copies. A tensor that does not fit the buffer is
cut into the largest tiles that do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stridepack._threads import in_threads
from stridepack._words import counted, listed
from stridepack.cost import decode_cycles
from stridepack.errors import BudgetError, InputError
from stridepack.formats import formats
from stridepack.plan.budget import OBJECTIVES, Budget
from stridepack.plan.budget_plan import DEFAULT_TARGET, BudgetPlan, code_nbytes
from stridepack.plan.choice import FormatChoice, format_of, variant_of
from stridepack.plan.encode import TensorEncoder
from stridepack.plan.options import AUTO, PackOptions
from stridepack.plan.rules import DEFAULT_MIN_SIZE, why_dense
from stridepack.plan.tried import Tried, planned
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
    knapsack problem, solved exactly. Dense is a candidate for every tensor, and so is each format
    with transforms and without them. Where cycles do not matter, a plan takes those transforms
    that `stridepack.plan` takes, and slower ones only if the Flash does not suffice otherwise.

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
        Bytes of Flash beside blobs and code, such as `stridepack.files.spk.bundle_overhead`.
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
    >>> smallest.tensors[0].packed
    <Packed rans int8[10000], 3315 non-zeros: 3288 bytes>
    >>> faster = plan_within(tensors, Budget(cycles=smallest.cycles // 2, sram=4096))
    >>> faster.tensors[0].packed
    <Packed bitmap int8[10000], 3315 non-zeros, 3 tiles: 4612 bytes>
    >>> faster.tensors[0].why  # doctest: +ELLIPSIS
    '25,... cycles fewer than rans for 1,204 bytes more'
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

    def try_formats(tensor: WeightTensor) -> Tried:
        tried = Tried(why_dense(tensor.size, options.min_size))
        cut = _tile(tensor, budget.sram, options.tile, tried.note)
        encoder = TensorEncoder(tensor.values, options, cut)
        for name in ("dense", *(() if tried.note else names)):
            if name in tried.candidates:
                continue
            variants = encoder.variants(name)
            not_known = cycles_matter and decode_cycles(variants[0], target) is None
            if not_known or (goal.count_code and code[name] is None):
                tried.left_out.add(name)
                continue
            tried.candidates[name] = variants[0]
            for i, packed in enumerate(variants[1:], 1):
                tried.others[variant_of(name, i)] = packed
        if not tried.candidates:
            raise InputError(
                f"Tensor {tensor.name!r} can only be stored dense, and what dense costs on "
                f"`target={target}` is not known. Choose another target.",
                target=target,
            )
        return tried

    tried = in_threads(try_formats, tensors, lambda tensor: tensor.size, on_done)
    left_out = set().union(*(one.left_out for one in tried))
    in_order = tuple(name for name in formats() if name in left_out)

    def choose(*, variants: bool) -> tuple[FormatChoice, list[str]]:
        choice = FormatChoice(
            [one.options(target if cycles_matter else None, variants=variants) for one in tried],
            container_nbytes,
            {name: nbytes or 0 for name, nbytes in code.items()},
        )
        return choice, choice.best(budget, objective)

    try:
        try:
            choice, chosen = choose(variants=cycles_matter)
        except BudgetError:
            if cycles_matter:
                raise  # all variants were possible already
            choice, chosen = choose(variants=True)
    except BudgetError as error:
        conditions = [] if budget.sram is None else [f"with `sram={budget.sram}`"]
        if in_order:
            conditions.append(
                f"without {listed(in_order, 'and')}, because the cycles or the code size on "
                f"{target} are not known"
            )
        also = f" This holds {' and '.join(conditions)}." if conditions else ""
        raise BudgetError(f"{error}{also}", **error.options) from None
    decoders = set(map(format_of, chosen)) if goal.count_code else set(formats())
    tensors_planned = [
        planned(tensor, one, options_, name, decoders=decoders, target=target)
        for tensor, one, options_, name in zip(tensors, tried, choice.tensors, chosen, strict=True)
    ]
    return BudgetPlan(tensors_planned, budget, target, container_nbytes, goal.count_code, in_order)


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
