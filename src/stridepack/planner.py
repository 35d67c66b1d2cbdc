"""Which format for which tensor: every candidate is encoded, and the smallest blob wins."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from stridepack.errors import InputError, StridepackError
from stridepack.formats import formats, get_format, known_options, options_of
from stridepack.packed import Packed
from stridepack.tensor import WeightTensor
from stridepack.threads import in_threads

T = TypeVar("T")

# Section IV-A of the paper: smaller tensors hardly count in memory but do in accuracy
DEFAULT_MIN_SIZE = 2048

# Operators whose int8 weights have zero point 0, by TensorFlow Lite's quantisation specification
SYMMETRIC_OPERATORS = frozenset(
    {
        "CONV_2D",
        "CONV_3D",
        "CONV_3D_TRANSPOSE",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "SVDF",
        "TRANSPOSE_CONV",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
    }
)


@dataclass(frozen=True, eq=False)
class Choice:
    """What was decided for a tensor.

    Attributes
    ----------
    tensor : WeightTensor
    packed : Packed
        The blob of the chosen format. Unpacks to the tensor exactly: that was checked.
    nbytes : dict of str to int
        Bytes of the whole blob in every format that was tried.
    note : str
        Why it was not tried in other formats; empty where it was.
    """

    tensor: WeightTensor
    packed: Packed
    nbytes: dict[str, int]
    note: str = ""


def pack(
    values: npt.ArrayLike, format: str = "auto", *, tile: int | None = None, **options: Any
) -> Packed:
    """Pack one int8 tensor.

    Parameters
    ----------
    values : array_like of int8
        Any shape of up to 8 dimensions and 2^30 elements; encoded in C order. 0 is its zero.
    format : str
        One of `stridepack.formats()`, or "auto": all of them are tried, the smallest wins.
    tile : int, optional
        Cut the tensor into tiles of this many elements that decode independently. Default: one.
    **options
        Of the format. hybrid: `sizes`, `strides`, `occupancy`; see `stridepack.find_groups`.

    Returns
    -------
    Packed

    Raises
    ------
    InputError
        For another dtype, an unknown format or option, or a value outside its limits.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.zeros((8, 3, 3, 4), np.int8)
    >>> weights[::2, 1, 1] = [3, -1, 4, -5]
    >>> p = pack(weights)
    >>> p.format, p.nbytes, bool((p.unpack() == weights).all())
    ('psr', 88, True)
    """
    array = np.asarray(values)
    return _choose(array, resolve_formats(format, formats(), options), tile, options)[0]


def plan(
    tensors: Sequence[WeightTensor],
    format: str = "auto",
    *,
    candidates: Iterable[str] | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
    tile: int | None = None,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> list[Choice]:
    """Pack the tensors of a model, in parallel threads.

    Parameters
    ----------
    tensors : sequence of WeightTensor
    format : str
        As in `pack`.
    candidates : iterable of str, optional
        What "auto" chooses from, and what `format` must be one of. Default: all formats.
    min_size : int
        Tensors of fewer elements stay dense.
    on_done : callable, optional
        Called with the number of elements whenever a tensor is done.

    Returns
    -------
    list of Choice
        In the order of the tensors.

    Raises
    ------
    InputError
        As `pack` does; also for weights whose zero point is not 0. Constants of operators that
        allow one (ADD, MUL, ...) stay dense instead.
    """
    chosen_from = resolve_formats(format, tuple(candidates or formats()), options)
    check_tensors(tensors, chosen_from, min_size)

    def choose(tensor: WeightTensor) -> Choice:
        note = why_dense(tensor, min_size)
        packed, nbytes = _choose(
            tensor.values, ("dense",) if note else chosen_from, None if note else tile, options
        )
        check_exact(tensor, packed)
        return Choice(tensor, packed, nbytes, note)

    return in_threads(choose, tensors, lambda tensor: tensor.size, on_done)


def why_dense(tensor: WeightTensor, min_size: int) -> str:
    """Why a tensor is not tried in other formats; empty where it is."""
    if tensor.size < min_size:
        return f"fewer than {min_size} elements"
    return f"zero point {tensor.zero_point}" if tensor.zero_point != 0 else ""


def check_exact(tensor: WeightTensor, packed: Packed) -> None:
    """Unpack and compare: nothing is ever written that differs."""
    if not np.array_equal(packed.unpack(), tensor.values):
        raise StridepackError(
            f"tensor {tensor.name!r} does not survive {packed.format}: this is a defect of "
            "stridepack, please report it with the file"
        )


def check_tensors(
    tensors: Sequence[WeightTensor], candidates: tuple[str, ...], min_size: int
) -> None:
    """Refuse what none of the candidates could pack."""
    if min_size < 0:
        raise InputError(f"min_size must be at least 0, got {min_size}")
    if candidates != ("dense",):
        for tensor in tensors:
            _check_zero_point(tensor, min_size)


def _check_zero_point(tensor: WeightTensor, min_size: int) -> None:
    """Refuse weights that are not symmetric. Their 0 is not a zero, so nothing here fits them."""
    if tensor.zero_point == 0:
        return
    of_weights = SYMMETRIC_OPERATORS.intersection(tensor.operators)
    if of_weights or (not tensor.operators and tensor.size >= min_size):
        raise InputError(
            f"tensor {tensor.name!r} has zero point {tensor.zero_point}; only weights with zero "
            "point 0 can be packed: quantise them symmetrically"
        )


def measure(
    tensors: Sequence[WeightTensor],
    *,
    tile: int | None = None,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> list[dict[str, int]]:
    """Bytes of the blob of every tensor in every format, in parallel threads.

    Parameters are those of `plan`. Zero points do not matter here.
    """
    return in_every_format(
        tensors, lambda packed: packed.nbytes, tile=tile, on_done=on_done, **options
    )


def in_every_format(
    tensors: Sequence[WeightTensor],
    ask: Callable[[Packed], T],
    *,
    tile: int | None = None,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> list[dict[str, T]]:
    """What `ask` says of the blob of every tensor in every format, in parallel threads."""
    candidates = resolve_formats("auto", formats(), options)

    def answers(tensor: WeightTensor) -> dict[str, T]:
        return {
            name: ask(Packed.encode(tensor.values, name, tile, **options_of(name, options)))
            for name in candidates
        }

    return in_threads(answers, tensors, lambda tensor: tensor.size, on_done)


def resolve_formats(
    format: str, allowed: tuple[str, ...], options: dict[str, Any]
) -> tuple[str, ...]:
    """The formats to try. Refuses unknown names, and options that none of them has."""
    if format != "auto":
        get_format(format)
        if format not in allowed:
            raise InputError(f"format {format!r} is not possible here; {', '.join(allowed)} are")
        allowed = (format,)
    known = known_options(allowed)
    if unknown := set(options) - known:
        raise InputError(
            f"unknown option {', '.join(sorted(unknown))} for format {format!r}; "
            f"known: {', '.join(sorted(known)) or 'none'}"
        )
    return allowed


def _choose(
    values: npt.NDArray[Any], candidates: tuple[str, ...], tile: int | None, options: dict[str, Any]
) -> tuple[Packed, dict[str, int]]:
    """The smallest blob, the first of equals, and the size of every one."""
    best: Packed | None = None
    nbytes = {}
    for name in candidates:
        packed = Packed.encode(values, name, tile, **options_of(name, options))
        nbytes[name] = packed.nbytes
        if best is None or packed.nbytes < best.nbytes:
            best = packed
    assert best is not None  # there is always a candidate
    return best, nbytes
