# SPDX-License-Identifier: Apache-2.0
"""DECODE type 0, LUT: indices of a fixed width into tables of values.

    encoded     the indices of all elements, most significant bit first
    ancillary   header, then the tables: one for each channel, that is each scale of the tensor
                byte 5 of the header: bits 0-2: bits of an index, 1 to 7
                                      bits 4-7: axis of the channels; 15: there is one table
                byte 6: elements from the table of one channel to that of the next

A table may be shorter than an index could reach. The kernel of tflite-micro 0.dev20261023182759
knows nothing of the axis, which its tool writes: it takes scales and axis of the output's
quantisation. So one table for several channels also needs 0 in byte 6; then all decoders agree.

Source: TensorFlow Lite Micro, kernels/decode_state_lut.cc and compression/lut.py.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.tflite.model import Bytes, Tensor, shape_of
from stridepack.tflite.types.base import (
    HEADER_NBYTES,
    DecodeType,
    Payload,
    UndecodableError,
    UnencodableError,
)
from stridepack.tflite.types.prune import Prune
from stridepack.tflite.types.quantization import channels_are_last, n_channels, unsupported_axis

MAX_INDEX_BITS = 7
_ONE_TABLE = 15

# Elements at a time: an index of NumPy takes 8 bytes. A multiple of 8, so that bytes end with them.
_AT_ONCE = 2**18


class Lut(DecodeType):
    """An index for each element, for weights that have few values."""

    name = "tflm_lut"
    number = 0
    since = "2025-10-17"
    elements = Prune.elements

    def encode(self, values: npt.NDArray[np.int8], tensor: Tensor) -> Payload:
        """One table for all channels, or one for each, whichever takes fewer bytes."""
        if (axis := unsupported_axis(tensor)) is not None:
            raise UnencodableError(
                f"it is quantised along axis {axis}, which tflm_lut does not decode"
            )
        channels = n_channels(tensor)
        payloads = [self._encode(values.reshape(-1), tensor, 1, _ONE_TABLE)]
        if channels > 1 and values.size % channels == 0:
            axis = values.ndim - 1 if channels_are_last(tensor) else 0
            payloads.append(self._encode(values.reshape(-1), tensor, channels, axis))
        possible = [payload for payload in payloads if payload is not None]
        if not possible:
            raise UnencodableError(f"it has more than {1 << MAX_INDEX_BITS} different values")
        return min(possible, key=lambda payload: payload.nbytes)

    def _encode(
        self, flat: npt.NDArray[np.int8], tensor: Tensor, n_tables: int, axis: int
    ) -> Payload | None:
        def parts() -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.uint8]]]:
            """Table and value of each element."""
            for begin in range(0, flat.size, _AT_ONCE):
                byte = flat[begin : begin + _AT_ONCE].view(np.uint8)
                if n_tables == 1:
                    yield np.zeros(byte.size, np.intp), byte
                else:
                    yield _channels(tensor, flat.size, begin, begin + byte.size), byte

        present = np.zeros((n_tables, 256), np.bool_)
        for channel, byte in parts():
            present[channel, byte] = True
        size = int(present.sum(axis=1).max())
        if size > 1 << MAX_INDEX_BITS:
            return None
        rank = (np.cumsum(present, axis=1) - 1).astype(np.uint8)
        tables = np.zeros((n_tables, size), np.uint8)
        table, value = np.nonzero(present)
        tables[table, rank[table, value]] = value
        width = max(1, (size - 1).bit_length())
        encoded = []
        for channel, byte in parts():
            bits = np.unpackbits(rank[channel, byte][:, np.newaxis], axis=1)[:, 8 - width :]
            encoded.append(np.packbits(bits).tobytes())
        header = self.header(axis << 4 | width, size if n_tables > 1 else 0)
        return Payload(self.name, b"".join(encoded), header + tables.tobytes())

    def _decode(self, tensor: Tensor, n: int, encoded: Bytes, ancillary: Bytes) -> npt.NDArray[Any]:
        dtype = self.element(tensor)
        if (axis := unsupported_axis(tensor)) is not None:
            raise UndecodableError(
                f"it is quantised along axis {axis}, which tflm_lut does not decode"
            )
        width, stride = int(ancillary[5]) & MAX_INDEX_BITS, int(ancillary[6])
        if width == 0:
            raise UndecodableError("its indices have 0 bits, and at least 1 is needed")
        if n * width > 8 * encoded.size:
            raise UndecodableError(
                f"its {n} indices of {width} bits need {n * width} bits, but there are only "
                f"{8 * encoded.size}"
            )
        if int(ancillary[5]) >> 4 == _ONE_TABLE and n_channels(tensor) > 1 and stride > 0:
            raise UndecodableError(
                f"its header says that there is one table, but each of its {n_channels(tensor)} "
                "channels has a table"
            )
        if n % n_channels(tensor):
            raise UndecodableError(
                f"its {n_channels(tensor)} scales do not fit its shape {list(shape_of(tensor))}"
            )
        n_values = (ancillary.size - HEADER_NBYTES) // dtype.itemsize
        tables = np.frombuffer(ancillary, dtype, n_values, HEADER_NBYTES)
        values = np.empty(n, dtype)
        for begin in range(0, n, _AT_ONCE):
            end = min(n, begin + _AT_ONCE)
            part = encoded[begin * width // 8 :]
            bits = np.unpackbits(part, count=(end - begin) * width).reshape(-1, width)
            index = np.packbits(bits, axis=1).reshape(-1).astype(np.intp) >> (8 - width)
            index += stride * _channels(tensor, n, begin, end)
            if int(index.max()) >= n_values:
                raise UndecodableError(
                    f"an index points to value {index.max()}, but its tables have only {n_values}"
                )
            values[begin:end] = tables[index]
        return values


def _channels(tensor: Tensor, n: int, begin: int, end: int) -> npt.NDArray[np.intp]:
    """The channel of some of n elements."""
    channels = n_channels(tensor)
    position = np.arange(begin, end)
    if channels_are_last(tensor):
        return position % channels
    return np.minimum(position // max(1, n // channels), channels - 1)
