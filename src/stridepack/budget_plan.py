"""A plan for a whole model that keeps budgets of Flash, cycles and SRAM.

For the C runtime: blobs in Flash, each decoded with `spk_decode_s8`, or tile by tile, into one
buffer in SRAM. That includes dense ones, which it copies. A tensor that does not fit the buffer is
cut into the largest tiles that do.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stridepack.budget import Budget, FormatChoice
from stridepack.errors import BudgetError, InputError
from stridepack.estimate import decode_cycles, decoder_nbytes, targets
from stridepack.formats import formats, options_of
from stridepack.knapsack import Option
from stridepack.packed import Packed
from stridepack.planner import (
    DEFAULT_MIN_SIZE,
    check_exact,
    check_tensors,
    resolve_formats,
    why_dense,
)
from stridepack.tensor import WeightTensor
from stridepack.threads import in_threads

DEFAULT_TARGET = targets()[0]

# Decoders work on 16 elements at a time, so tiles are multiples of that.
_TILE_STEP = 16

# Blobs lie at multiples of 16 bytes, in a bundle as in C sources.
_BLOB_STEP = 16


@dataclass(frozen=True, eq=False)
class PlannedTensor:
    """What was chosen for a tensor.

    Attributes
    ----------
    tensor : WeightTensor
    packed : Packed
        Unpacks to the tensor exactly: that was checked.
    cycles : int or None
        To decode it once; None where nothing is known of the format.
    why : str
        Why this format, in a few words.
    note : str
        Why it was not tried in other formats than dense; empty where it was.
    """

    tensor: WeightTensor
    packed: Packed
    cycles: int | None
    why: str
    note: str = ""

    @property
    def sram(self) -> int:
        """Bytes of the buffer that it, or a tile of it, is decoded into."""
        return min(self.packed.tile_size, self.packed.n_elements)


@dataclass(frozen=True, eq=False)
class BudgetPlan:
    """A plan for all tensors of a model, and what it takes.

    Attributes
    ----------
    tensors : list of PlannedTensor
    budget : Budget
        Is kept.
    target : str
        Whose cycles and code these are.
    container_nbytes : int
        Bytes of Flash beside blobs and code.
    code_counts : bool
        Whether Flash includes the decoders' code.
    left_out : tuple of str
        Formats that were not used for some tensor, as nothing is known of their cycles or code.
    """

    tensors: list[PlannedTensor]
    budget: Budget
    target: str
    container_nbytes: int
    code_counts: bool
    left_out: tuple[str, ...]

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats in use, by wire id."""
        used = {planned.packed.format for planned in self.tensors}
        return tuple(name for name in formats() if name in used)

    @property
    def flash(self) -> int:
        """Bytes of all blobs at multiples of 16 bytes, and of all else that counts."""
        sizes = [planned.packed.nbytes for planned in self.tensors]
        code = (self.code_nbytes or 0) if self.code_counts else 0
        return self.container_nbytes + code + sum(map(_in_flash, sizes[:-1])) + sum(sizes[-1:])

    @property
    def code_nbytes(self) -> int | None:
        """Bytes of the decoders' code, at most: some share a part. None: not known."""
        return total(_code_nbytes(name, self.target) for name in self.formats)

    @property
    def stack_nbytes(self) -> int | None:
        """Bytes of stack that the decoders need at most. None: not known."""
        memory = [decoder_nbytes(name, self.target) for name in self.formats]
        return None if None in memory else max((pair[1] for pair in memory if pair), default=0)

    @property
    def cycles(self) -> int | None:
        """To decode all tensors once; None where that of one is not known."""
        return total(planned.cycles for planned in self.tensors)

    @property
    def sram(self) -> int:
        """Bytes of a buffer for any tensor or tile."""
        return max((planned.sram for planned in self.tensors), default=0)


def plan_within(
    tensors: Sequence[WeightTensor],
    budget: Budget,
    objective: str = "size",
    *,
    target: str = DEFAULT_TARGET,
    count_code: bool = False,
    container_nbytes: int = 0,
    format: str = "auto",
    candidates: Iterable[str] | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
    tile: int | None = None,
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
        Whose cycles and code: one of `stridepack.estimate.targets()`. Where cycles matter (a budget
        of them, or another objective than "size"), formats of unknown cycles are left out.
    count_code : bool
        Count the code of the decoders in use as Flash, as `stridepack.estimate.decoder_nbytes` has
        it. What two of them share counts twice.
    container_nbytes : int
        Bytes of Flash beside blobs and code, such as `stridepack.bundle.overhead`.
    format, candidates, min_size, on_done, **options
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
    (<Packed rans int8[10000], 3315 non-zeros: 3336 bytes>, 34021)
    >>> faster = plan_within(tensors, Budget(cycles=smallest.cycles // 2, sram=4096))
    >>> faster.tensors[0].packed, faster.tensors[0].why  # doctest: +NORMALIZE_WHITESPACE
    (<Packed hybrid int8[10000], 3315 non-zeros, 3 tiles: 4716 bytes>,
     '1,248 bytes more than rans, 22,852 cycles fewer')
    """
    chosen_from = resolve_formats(format, tuple(candidates or formats()), options)
    check_tensors(tensors, chosen_from, min_size)
    _check_sram(tensors, budget.sram, tile)
    # Where cycles do not matter, formats of unknown cycles may be used, and all cost the same.
    cycles_matter = objective != "size" or budget.cycles is not None
    code = {name: _code_nbytes(name, target) for name in formats()} if count_code else {}

    def try_formats(tensor: WeightTensor) -> _Tried:
        tried = _Tried(why_dense(tensor, min_size))
        cut = _tile(tensor, budget.sram, tile, tried.note)
        for name in ("dense", *(() if tried.note else chosen_from)):
            if name in tried.candidates:
                continue
            packed = Packed.encode(tensor.values, name, cut, **options_of(name, options))
            not_known = cycles_matter and decode_cycles(packed, target) is None
            if not_known or (count_code and code[name] is None):
                tried.left_out.add(name)
            else:
                tried.candidates[name] = packed
        if not tried.candidates:
            raise InputError(f"tensor {tensor.name!r}: nothing is known of dense on {target}")
        return tried

    tried = in_threads(try_formats, tensors, lambda tensor: tensor.size, on_done)
    choice = FormatChoice(
        [_options(one, one is tried[-1], target if cycles_matter else None) for one in tried],
        container_nbytes,
        {name: nbytes or 0 for name, nbytes in code.items()},
    )
    left_out = set().union(*(one.left_out for one in tried))
    in_order = tuple(name for name in formats() if name in left_out)
    try:
        chosen = choice.best(budget, objective)
    except BudgetError as error:
        given = [] if budget.sram is None else [f"with {budget.sram} bytes of SRAM"]
        if in_order:
            given.append(f"without {', '.join(in_order)}, as nothing is known of it on {target}")
        raise BudgetError(f"{error} ({', '.join(given)})" if given else str(error)) from None
    decoders = set(chosen) if count_code else set(formats())
    planned = [
        _planned(tensor, one, options, name, decoders=decoders, target=target)
        for tensor, one, options, name in zip(tensors, tried, choice.tensors, chosen, strict=True)
    ]
    return BudgetPlan(planned, budget, target, container_nbytes, count_code, in_order)


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
        what = "" if largest.size <= step else f" for a tile of {step} elements"
        raise BudgetError(
            f"no plan keeps the budgets: allow at least {least} bytes of SRAM{what} of tensor "
            f"{largest.name!r}, {least - sram} more than {sram}"
        )


def _tile(tensor: WeightTensor, sram: int | None, tile: int | None, note: str) -> int | None:
    """Elements in a tile of a tensor; None: all."""
    fits = sram is None or tensor.size <= sram
    if tile is not None:
        return None if note and fits else tile
    return None if sram is None or fits else sram // _TILE_STEP * _TILE_STEP


def _options(tried: _Tried, is_last: bool, target: str | None) -> dict[str, Option]:
    """What the candidates add to the sums; of those that take the same Flash, the smallest first.

    target: None where cycles do not matter. Behind the last blob nothing is needed.
    """
    smallest_first = sorted(tried.candidates.items(), key=lambda item: item[1].nbytes)
    return {
        name: Option(
            packed.nbytes if is_last else _in_flash(packed.nbytes),
            (_cycles(packed, target) or 0) if target else 0,
        )
        for name, packed in smallest_first
    }


def _cycles(packed: Packed, target: str) -> int | None:
    cycles = decode_cycles(packed, target)
    return None if cycles is None else math.ceil(cycles)


def _in_flash(nbytes: int) -> int:
    """Bytes of a blob, up to where the next one can start."""
    return -(-nbytes // _BLOB_STEP) * _BLOB_STEP


def _code_nbytes(format: str, target: str) -> int | None:
    memory = decoder_nbytes(format, target)
    return None if memory is None else memory[0]


def total(numbers: Iterable[int | None]) -> int | None:
    """None where one of them is."""
    result = 0
    for number in numbers:
        if number is None:
            return None
        result += number
    return result


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
        why = "nothing else is possible"
    elif option == options[smallest]:
        why = "nothing is smaller" if chosen == "dense" else "the smallest"
    else:
        why = f"{option.nbytes - options[smallest].nbytes:,} bytes more than {smallest}"
        if option.cycles < options[smallest].cycles:
            fastest = option.cycles == min(o.cycles for o in options.values())
            why += f", {options[smallest].cycles - option.cycles:,} cycles fewer"
            why += ": the fastest" if fastest else ""
        elif smallest not in decoders:
            why += ", whose decoder would take more"
    return PlannedTensor(tensor, packed, _cycles(packed, target), why, tried.note)
