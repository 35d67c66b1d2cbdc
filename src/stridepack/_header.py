# SPDX-License-Identifier: Apache-2.0
"""The header of a blob, written (docs/format.md, section 2). `spk_open` is what reads it."""

import struct
import zlib
from collections.abc import Iterable, Sequence

from stridepack import _spec

_FIXED = 12  # bytes before the varints


def header_nbytes(
    shape: Sequence[int], tile_size: int | None = None, parameters: Iterable[int] = ()
) -> int:
    """Bytes of a header; arguments as for `build_blob`.

    >>> header_nbytes((64, 3, 3, 64)), header_nbytes((256, 3, 3, 128), 1000)
    (16, 20)
    """
    return len(_varints(shape, tile_size, parameters)) + _FIXED


def build_blob(
    wire_id: int,
    shape: Sequence[int],
    tile_size: int | None,
    payload: bytes | memoryview,
    *,
    flags: int = 0,
    parameters: Iterable[int] = (),
) -> bytes:
    """A blob: its header, and the payload.

    Parameters
    ----------
    wire_id : int
        Of the format.
    shape : sequence of int
        Each below 2^32; a product of at most 2^30.
    tile_size : int or None
        Elements in a tile, fewer than the tensor has; None where there is one tile.
    payload : bytes-like
        A multiple of 4.
    flags : int
        Those of the transforms.
    parameters : iterable of int
        What the transforms need, in the order of the document; each below 2^32.
    """
    varints = _varints(shape, tile_size, parameters)
    if tile_size is not None:
        flags |= _spec.FLAGS["tiled"]
    start = struct.pack(
        "<4BI",
        _spec.MAGIC,
        _spec.VERSION << 4 | len(shape),
        wire_id | flags,
        (_FIXED + len(varints)) // 4,
        len(payload),
    )
    crc = zlib.crc32(payload, zlib.crc32(varints, zlib.crc32(start)))
    return b"".join((start, struct.pack("<I", crc), varints, payload))


def read_parameters(blob: bytes, n_dims: int) -> list[int]:
    """What a valid header has after the shape and the tile size; zeros may follow."""
    varints = []
    value = shift = 0
    for byte in blob[_FIXED : 4 * blob[3]]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            varints.append(value)
            value = shift = 0
    return varints[n_dims + (blob[2] & _spec.FLAGS["tiled"] != 0) :]


def _varints(shape: Sequence[int], tile_size: int | None, parameters: Iterable[int]) -> bytes:
    """What follows the fixed part, with zero bytes up to a multiple of 4."""
    data = bytearray()
    for value in (*shape, *(() if tile_size is None else (tile_size,)), *parameters):
        left = value
        while left > 0x7F:
            data.append(left & 0x7F | 0x80)
            left >>= 7
        data.append(left)
    return bytes(data) + bytes(-len(data) % 4)
