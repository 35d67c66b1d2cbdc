# SPDX-License-Identifier: Apache-2.0
"""rle: 4-bit distances from element to element (docs/format.md, section 5)."""

import numpy as np

from stridepack.reference.conventions import (
    Int8Array,
    Slots,
    Streams,
    pack_nibbles,
    u32,
    unpack_nibbles,
)
from stridepack.reference.tiles import StreamReader

LONGEST = 16  # distance that 4 bits hold


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    stored: list[int] = []
    predecessor = -1
    for position in np.flatnonzero(A).tolist():
        while position - predecessor > LONGEST:
            predecessor += LONGEST
            stored.append(predecessor)
        stored.append(position)
        predecessor = position

    c = np.array(stored, np.int64)
    return {
        "header": u32(c.size),
        "distances": pack_nibbles(np.diff(c, prepend=-1) - 1),
        "values": A[c].tobytes(),
    }


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    k = int(streams.take("header", "<u4", 1)[0])
    distances = unpack_nibbles(streams.take("distances", np.uint8, -(-k // 2)), k)
    c = np.cumsum(distances.astype(np.int64) + 1) - 1
    return c, streams.take("values", np.int8, k)
