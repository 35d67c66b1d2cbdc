# SPDX-License-Identifier: Apache-2.0
"""Compare the C++ encoders, the C decoders and the NumPy reference, and say where they differ."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from arrays import Int8Array

import stridepack as sp
from stridepack import reference
from stridepack.reference.blob import CLOSE, payload_of, read_header, read_tiles


def check(
    values: Int8Array, format: str, tile: int | None = None, **options: Any
) -> npt.NDArray[np.int64]:
    """Encode with C++ and the reference, decode with C and the reference: all must agree.

    Returns
    -------
    ndarray of int64
        Positions of all slots of the blob.
    """
    packed = sp.Packed.encode(values, format, tile, **options)
    blob = packed.to_bytes()
    expected = reference.encode(values, format, tile, **options)
    if blob != expected:
        streams = reference.encode_streams(values, format, tile, **options)
        pytest.fail(f"{format} tile={tile} {options}: {_first_difference(streams, expected, blob)}")

    # Section 1: every slot holds the true value, so that slots can be written in any order.
    _, (c, v) = reference.decode_slots(blob)
    flat = values.reshape(-1)
    _compare("slots", c, v, flat[c], packed.tile_size)

    everywhere = np.arange(flat.size)
    for decoder, decoded in (("reference", reference.decode(blob)), ("C", packed.unpack())):
        assert decoded.shape == values.shape
        _compare(f"{decoder} decoder", everywhere, decoded.reshape(-1), flat, packed.tile_size)
    return c


def _compare(
    what: str, c: npt.NDArray[np.int64], got: Int8Array, expected: Int8Array, tile_size: int
) -> None:
    """Fail with the first position at which two lists of values differ."""
    differ = np.flatnonzero(got != expected)
    if differ.size:
        i = differ[0]
        pytest.fail(
            f"{what}: {differ.size} values differ, the first at position {c[i] % tile_size} of "
            f"tile {c[i] // tile_size}: expected {expected[i]}, got {got[i]}"
        )


def _first_difference(streams: list[reference.blob.Streams], expected: bytes, got: bytes) -> str:
    """Where two blobs of one tensor differ first: tile, stream, offset and both values.

    The tiles are compared before the header and the tile index, which follow from them.
    """
    for t, (tile, *both) in enumerate(zip(streams, _tiles(expected), _tiles(got), strict=True)):
        begin = 0
        for name, content in tile.items():
            end = begin + len(content)
            end = end if name in CLOSE else -(-end // 4) * 4
            for offset in range(end - begin):
                a, b = (data[begin + offset : begin + offset + 1].hex() or "end" for data in both)
                if a != b:
                    where = "alignment behind" if offset >= len(content) else "stream"
                    return f"tile {t}, {where} {name}, byte {offset}: expected {a}, got {b}"
            begin = end
        if len(both[1]) > begin:
            return f"tile {t}: {len(both[1]) - begin} bytes too many"
    offset = next(i for i in range(len(got)) if expected[i] != got[i])
    return f"header or tile index, byte {offset}: expected {expected[offset]}, got {got[offset]}"


def _tiles(blob: bytes) -> list[bytes]:
    header = read_header(blob)
    return list(read_tiles(payload_of(blob, header), header.n_tiles))
