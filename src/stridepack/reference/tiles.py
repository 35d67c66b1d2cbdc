# SPDX-License-Identifier: Apache-2.0
"""The payload of a blob: tiles, and the streams of a tile (docs/format.md, section 2)."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.reference.conventions import CLOSE, Streams, align4, require, u32


def write_tiles(tiles: list[bytes]) -> bytes:
    """The payload: with more than one tile, the tile index comes first."""
    index = b""
    if len(tiles) > 1:
        end = 4 * len(tiles)
        for tile in tiles:
            end += len(tile)
            index += u32(end)
    return index + b"".join(tiles)


def read_tiles(payload: bytes, n_tiles: int) -> Iterator[bytes]:
    """The bytes of each tile.

    Raises
    ------
    CorruptDataError
        When the tile index does not cut the payload into tiles.
    """
    if n_tiles <= 1:
        yield from [payload] * n_tiles
        return
    begin = 4 * n_tiles
    require(begin <= len(payload), "the payload ends inside the tile index")
    ends = struct.unpack_from(f"<{n_tiles}I", payload)
    require(ends[-1] == len(payload), "the last tile does not end with the payload")
    for t, end in enumerate(ends):
        require(begin <= end <= len(payload) and end % 4 == 0, f"tile {t} ends at byte {end}")
        yield payload[begin:end]
        begin = end


def write_streams(streams: Streams) -> bytes:
    """A tile: its streams, each aligned unless it follows one of `CLOSE`."""
    tile = b""
    for name, stream in streams.items():
        tile += stream
        tile = tile if name in CLOSE else align4(tile)
    return tile


class StreamReader:
    """Takes the streams of a tile one after the other, in the order of the document."""

    def __init__(self, tile: bytes) -> None:
        self._tile = tile
        self._offset = 0

    def take(self, name: str, dtype: npt.DTypeLike, count: int) -> npt.NDArray[Any]:
        """The next stream, or part of it, as `count` items of a dtype.

        Raises
        ------
        CorruptDataError
            When the tile ends before it.
        """
        size = count * np.dtype(dtype).itemsize
        require(size <= self.left, f"stream {name}: {size} bytes, the tile has {self.left} more")
        stream = np.frombuffer(self._tile, dtype, count, self._offset)
        self._offset += size
        if name not in CLOSE:
            self._offset = -(-self._offset // 4) * 4
        return stream

    @property
    def left(self) -> int:
        """Bytes that are not taken yet."""
        return max(len(self._tile) - self._offset, 0)

    def end(self) -> None:
        """Raise CorruptDataError unless every byte of the tile was taken."""
        require(self.left == 0, f"{self.left} bytes after the last stream")
