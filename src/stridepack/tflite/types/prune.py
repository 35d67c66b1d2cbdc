# SPDX-License-Identifier: Apache-2.0
"""DECODE type 2, PRUNE: how TensorFlow Lite Micro stores a sparse tensor.

    encoded     one bit for each element, most significant bit first; 1 = stored
    ancillary   header, then the stored elements

An element that is not stored is the zero point. With zero point 0, bits and elements are the two
streams of our bitmap format (docs/format.md, section 8).

Source: TensorFlow Lite Micro, kernels/decode_state_prune.cc.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.tflite.model import Bytes, Tensor, shape_of, type_name
from stridepack.tflite.types.base import (
    HEADER_NBYTES,
    DecodeType,
    Payload,
    UndecodableError,
    UnencodableError,
)
from stridepack.tflite.types.quantization import is_quantised, unsupported_axis

# Elements at a time, for little memory. A multiple of 8, so that bytes end with them.
_AT_ONCE = 2**20


class Prune(DecodeType):
    """One bit for each element, and those that are not the zero point."""

    name = "tflm_prune"
    number = 2
    since = "2025-10-23"
    elements = {  # noqa: RUF012 (nothing writes to it)
        "bool": "i1",
        "int8": "i1",
        "int16": "<i2",
        "int32": "<i4",
        "int64": "<i8",
        "float32": "<i4",
    }

    def encode(self, values: npt.NDArray[np.int8], tensor: Tensor) -> Payload:
        try:
            not_stored = _zero_points(tensor, values.shape)
        except UndecodableError as error:
            raise UnencodableError(str(error)) from error
        flat = values.reshape(-1)
        if not_stored.ndim:  # one for each channel
            not_stored = np.broadcast_to(not_stored, values.shape).reshape(-1)
        bitmap, elements = np.empty(-(-flat.size // 8), np.uint8), np.empty(flat.size, np.int8)
        n_stored = 0
        for begin in range(0, flat.size, _AT_ONCE):
            part = flat[begin : begin + _AT_ONCE]
            of_part = not_stored[begin : begin + _AT_ONCE] if not_stored.ndim else not_stored
            stored = part != of_part
            bits = np.packbits(stored)
            bitmap[begin // 8 : begin // 8 + bits.size] = bits
            kept = part[stored]
            elements[n_stored : n_stored + kept.size] = kept
            n_stored += kept.size
        ancillary = b"".join((self.header(), elements[:n_stored].data))
        return Payload(self.name, bitmap.tobytes(), ancillary)

    def _decode(self, tensor: Tensor, n: int, encoded: Bytes, ancillary: Bytes) -> npt.NDArray[Any]:
        dtype = self.element(tensor)
        shape = shape_of(tensor)
        if n > 8 * encoded.size:
            raise UndecodableError(
                f"its shape {list(shape)} needs {n} bits, but its bitmap has {8 * encoded.size}"
            )
        parts = [
            (begin, encoded[begin // 8 :], min(n - begin, _AT_ONCE))
            for begin in range(0, n, _AT_ONCE)
        ]
        n_stored = sum(int(np.unpackbits(bits, count=size).sum()) for _, bits, size in parts)
        available = (ancillary.size - HEADER_NBYTES) // dtype.itemsize
        if n_stored > available:
            raise UndecodableError(
                f"its bitmap has {n_stored} ones, but there are only {available} values"
            )
        values = np.empty(shape, dtype)
        values[...] = _zero_points(tensor, shape)
        flat = values.reshape(-1)
        elements = np.frombuffer(ancillary, dtype, n_stored, HEADER_NBYTES)
        for begin, bits, size in parts:
            stored = np.unpackbits(bits, count=size).view(np.bool_)
            taken = int(np.count_nonzero(stored))
            flat[begin : begin + size][stored] = elements[:taken]
            elements = elements[taken:]
        return flat


def _zero_points(tensor: Tensor, shape: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """What the elements that are not stored decode to, in a shape that broadcasts to `shape`."""
    if not is_quantised(tensor):
        return np.zeros((), np.int8)
    if (axis := unsupported_axis(tensor)) is not None:
        raise UndecodableError(
            f"it is quantised along axis {axis}, which tflm_prune does not decode"
        )
    zero_points = np.asarray(tensor.quantization.zeroPoint)
    if not zero_points.any():
        return np.zeros((), np.int8)
    if type_name(tensor) != "int8":
        raise UndecodableError(
            f"tflm_prune decodes {type_name(tensor)} only with zero point 0, not "
            f"{zero_points[zero_points != 0][0]}"
        )
    channels = len(tensor.quantization.scale)
    axis = int(tensor.quantization.quantizedDimension)
    if channels > 1 and shape[axis : axis + 1] != (channels,):
        raise UndecodableError(f"{channels} scales do not fit axis {axis} of {list(shape)}")
    zero_points = zero_points.astype(np.int8)  # wraps, as in the kernel
    if len(zero_points) == 1 or len(zero_points) != channels:  # then the first stands for all
        return zero_points[:1].reshape(())
    return zero_points.reshape([-1 if a == axis else 1 for a in range(len(shape))])
