# SPDX-License-Identifier: Apache-2.0
"""The smallest format for each tensor: every candidate is encoded, and the smallest blob wins."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._threads import in_threads
from stridepack.errors import StridepackError
from stridepack.packed import Packed, dense_nbytes
from stridepack.plan.encode import TensorEncoder
from stridepack.plan.options import AUTO, PackOptions
from stridepack.plan.rules import DEFAULT_MIN_SIZE, why_dense
from stridepack.tensor import WeightTensor, equal_values

# Of a tensor with so many elements, the best blob is not kept while the next one is encoded. It is
# encoded again in the end.
_LARGE = 2**24


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
    values: npt.ArrayLike,
    format: str = AUTO,
    *,
    tile: int | None = None,
    transforms: bool = True,
    **options: Any,
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
    transforms : bool
        Whether the formats `bitmap`, `rans` and `huffman` may leave out dead rows and columns and,
        the latter two, have two classes of them or predict elements, where that makes the blob
        smaller.
    **options
        Of the format. hybrid: `sizes`, `strides`, `occupancy`, `order`; see
        `stridepack.find_groups`.

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
    ('bitmap', 44, True)
    """
    asked = PackOptions(format, tile, of_formats=options, transforms=transforms)
    return _smallest(np.asarray(values), asked.candidates(), asked, tile)[0]


def plan(
    tensors: Sequence[WeightTensor],
    format: str = AUTO,
    *,
    candidates: Iterable[str] | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
    tile: int | None = None,
    transforms: bool = True,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> list[Choice]:
    """Pack the tensors of a model, in parallel threads.

    Parameters
    ----------
    tensors : sequence of WeightTensor
    format, tile, transforms, **options
        As in `pack`.
    candidates : iterable of str, optional
        What "auto" chooses from, and what `format` must be one of. Default: all formats.
    min_size : int
        Tensors of fewer elements stay dense. Default: none for that alone.
    on_done : callable, optional
        Called with the number of elements whenever a tensor is done.

    Returns
    -------
    list of Choice
        In the order of the tensors.

    Raises
    ------
    InputError
        As `pack` does; also for a negative `min_size`.
    """
    return choose_smallest(
        tensors, PackOptions(format, tile, min_size, options, transforms), candidates, on_done
    )


def choose_smallest(
    tensors: Sequence[WeightTensor],
    options: PackOptions,
    candidates: Iterable[str] | None = None,
    on_done: Callable[[int], None] | None = None,
) -> list[Choice]:
    """`plan`, with its options as one value."""
    names = options.candidates(candidates)
    return in_threads(
        lambda tensor: choose_one(tensor, names, options),
        tensors,
        lambda tensor: tensor.size,
        on_done,
    )


def choose_one(tensor: WeightTensor, names: tuple[str, ...], options: PackOptions) -> Choice:
    """The smallest blob of one tensor, unpacked again and compared.

    names: what `options.candidates` gives.
    """
    note = why_dense(tensor.size, options.min_size)
    packed, nbytes = _smallest(
        tensor.values, ("dense",) if note else names, options, None if note else options.tile
    )
    check_exact(tensor, packed)
    return Choice(tensor, packed, nbytes, note)


def check_exact(tensor: WeightTensor, packed: Packed) -> None:
    """Unpack and compare: nothing is ever written that differs."""
    if not equal_values(packed.unpack(), tensor.values):
        raise StridepackError(
            f"Tensor {tensor.name!r} was not the same after packing with {packed.format} and "
            "unpacking. This is a defect of stridepack, and nothing was written. Please report it "
            "together with the model file."
        )


def _smallest(
    values: npt.NDArray[Any], candidates: tuple[str, ...], options: PackOptions, tile: int | None
) -> tuple[Packed, dict[str, int]]:
    """The smallest blob, the first of equals, and the size of every one."""
    encoder = TensorEncoder(values, options, tile)
    best: Packed | None = None
    nbytes = {}
    for name in candidates:
        if name == "dense" and len(candidates) > 1:  # a large tensor is not copied in vain
            nbytes[name] = dense_nbytes(values.shape, tile)
            continue
        packed = encoder.encode(name)
        nbytes[name] = packed.nbytes
        if values.size < _LARGE and (best is None or packed.nbytes < best.nbytes):
            best = packed
        del packed
    smallest = min(nbytes, key=nbytes.__getitem__)  # the first of equals
    if best is None or best.format != smallest:
        best = encoder.encode(smallest)
    return best, nbytes
