# SPDX-License-Identifier: Apache-2.0
"""What all formats share: names, little-endian integers, nibbles (docs/format.md, section 1)."""

import numpy as np
import numpy.typing as npt

from stridepack.errors import CorruptDataError

Int8Array = npt.NDArray[np.int8]
Positions = npt.NDArray[np.int64]

Streams = dict[str, bytes]
"""The streams of a tile: name -> content without alignment, in the order of the document."""

CLOSE = frozenset(("header", "frequencies", "blocks", "lengths", "positions"))
"""Streams that the next one follows without alignment. (Other headers need none.)"""

Slots = tuple[Positions, Int8Array]
"""Positions c and values v of stored elements: the tuples (v, c) of Eq. (7), padding included."""


def u32(value: int) -> bytes:
    """An unsigned 32-bit integer, little-endian."""
    return value.to_bytes(4, "little")


def align4(data: bytes) -> bytes:
    """The data with zero bytes up to a multiple of 4."""
    return data + bytes(-len(data) % 4)


def pack_nibbles(fields: npt.ArrayLike) -> bytes:
    """4-bit fields to bytes: number 0 in the upper nibble of byte 0, number 1 in the lower, ..."""
    nibbles = np.asarray(fields, np.uint8)
    nibbles = np.append(nibbles, np.zeros(nibbles.size % 2, np.uint8))
    return (nibbles[0::2] << 4 | nibbles[1::2]).tobytes()


def unpack_nibbles(data: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    """The first `count` 4-bit fields of the bytes."""
    return np.stack([data >> 4, data & 0xF], axis=-1).reshape(-1)[:count]


def require(condition: bool, met: str) -> None:
    """Raise CorruptDataError with what was met unless the condition holds."""
    if not condition:
        raise CorruptDataError(f"not a valid blob: {met}")
