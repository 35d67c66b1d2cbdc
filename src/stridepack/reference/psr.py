# SPDX-License-Identifier: Apache-2.0
"""psr: absolute 8-bit columns in blocks of 256 (docs/format.md, section 4)."""

from itertools import islice

import numpy as np

from stridepack import _spec
from stridepack.reference.conventions import Int8Array, Slots, Streams, require, u32
from stridepack.reference.tiles import StreamReader

BLOCK = _spec.PSR_BLOCK
WHOLE = 255  # the count of a block that stores all its values: 255 non-zeros, or 256


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    counts, columns, values = [], [], []
    for begin in range(0, A.size, BLOCK):
        block = A[begin : begin + BLOCK]
        column = np.flatnonzero(block)
        if column.size < WHOLE:
            counts.append(column.size)
            columns += column.tolist()
            values += block[column].tolist()
        else:
            counts.append(WHOLE)
            values += block.tolist()

    return {
        "header": u32(len(columns)),
        "counts": bytes(counts),
        "columns": bytes(columns),
        "values": np.array(values, np.int8).tobytes(),
    }


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements.

    Raises
    ------
    CorruptDataError
        When a stream ends early, or the counts do not add up to the number of columns.
    """
    K = int(streams.take("header", "<u4", 1)[0])
    counts = streams.take("counts", np.uint8, -(-N // BLOCK)).tolist()
    columns = iter(streams.take("columns", np.uint8, K).tolist())
    n_counted = sum(count for count in counts if count != WHOLE)
    require(n_counted == K, f"psr counts of {n_counted} columns, of which there are {K}")

    c: list[int] = []
    for b, count in enumerate(counts):
        begin = b * BLOCK
        if count != WHOLE:
            c += [begin + column for column in islice(columns, count)]
        else:
            c += range(begin, min(begin + BLOCK, N))
    return np.array(c, np.int64), streams.take("values", np.int8, len(c))
