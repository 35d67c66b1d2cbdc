# SPDX-License-Identifier: Apache-2.0
"""WeightTensor: one weight tensor of a model, and what is known of it without packing."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int8Array = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False, repr=False)
class WeightTensor:
    """A weight tensor of bytes: int8 elements, or those of another type as they are stored.

    Attributes
    ----------
    name : str
        Unique within its model.
    values : ndarray of int8
        In the order in which the model stores them (OHWI for TensorFlow Lite convolutions).
    zero_point : int
        The stored value that stands for zero. Per-channel tensors have one value for all channels,
        or, where channels differ, the first that is not 0.
    origin : str
        Where it comes from, for messages: operators that use it, indices in the file.
    operators : tuple of str
        Kinds of the operators that read it ("CONV_2D"), where that is known.
    scales : ndarray of float32 or None
        What one step of the values is worth, as .onnx and .safetensors files give it: one number,
        one for each channel, or one for each block. None where it is not known.
    axis : int
        The axis of the channels, where there is a scale for each.
    dtype : str
        Type of the elements in the model. For "uint8" the values are the same bytes, read as int8.
        For "int4" they are the bytes with two elements each, in one dimension.
    """

    name: str
    values: Int8Array
    zero_point: int = 0
    origin: str = ""
    operators: tuple[str, ...] = ()
    scales: npt.NDArray[np.float32] | None = None
    axis: int = 0
    dtype: str = "int8"

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.values.shape))
        return f"<WeightTensor {self.name!r} {self.dtype}[{shape}], {self.sparsity:.1%} zeros>"

    @property
    def size(self) -> int:
        """Number of elements, which is also the number of bytes when stored densely."""
        return self.values.size

    @property
    def n_non_zero(self) -> int:
        """Number of elements that are not 0."""
        return int(np.count_nonzero(self.values))

    @property
    def sparsity(self) -> float:
        """Share of elements that are 0, from 0 to 1. An empty tensor has sparsity 0."""
        return 1 - self.n_non_zero / self.size if self.size else 0.0

    @property
    def entropy_nbytes(self) -> float:
        """Zero-order entropy of the values, zeros included, in bytes for the whole tensor.

        No code that treats elements independently can be smaller, tables not counted.
        """
        if self.size == 0:
            return 0.0
        counts = byte_counts(self.values)
        p = counts[counts > 0] / self.size
        return max(0.0, float(-(p * np.log2(p)).sum()) * self.size / 8)


@dataclass(frozen=True, slots=True)
class TensorCounts:
    """What reports say of a tensor whose values are not kept.

    Attributes
    ----------
    name : str
    shape : tuple of int
    n_non_zero : int
    zero_point : int
    """

    name: str
    shape: tuple[int, ...]
    n_non_zero: int
    zero_point: int = 0

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


# A tensor as reports see it
Described = WeightTensor | TensorCounts


# NumPy counts in integers of 8 bytes, and converts what it counts.
_AT_ONCE = 2**20


def byte_counts(values: Int8Array) -> npt.NDArray[np.int64]:
    """How often each of the 256 bytes occurs, without a large copy."""
    flat = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    counts = np.zeros(256, np.int64)
    for begin in range(0, flat.size, _AT_ONCE):
        counts += np.bincount(flat[begin : begin + _AT_ONCE], minlength=256)
    return counts


def equal_values(a: Int8Array, b: Int8Array) -> bool:
    """Whether shapes and values are equal, without a large copy."""
    if a.shape != b.shape:
        return False
    a, b = (np.ascontiguousarray(array).reshape(-1) for array in (a, b))
    steps = range(0, a.size, _AT_ONCE)
    return all(np.array_equal(a[i : i + _AT_ONCE], b[i : i + _AT_ONCE]) for i in steps)
