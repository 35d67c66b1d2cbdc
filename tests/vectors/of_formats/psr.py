# SPDX-License-Identifier: Apache-2.0
"""psr: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator

from broken import Change, Vector
from example import ARRAY_VALUES, COUNT, Unusual
from layout import join, u32

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": u32(7),
    "counts": bytes([7]),
    "columns": bytes([0, 2, 4, 5, 6, 17, 39]),
    "values": ARRAY_VALUES,
}


def broken(change: Change) -> Iterator[Vector]:
    tile = change(header=u32(8), columns=bytes(8))
    yield "columns_too_many", "8 columns, count 7", tile
    yield "columns_too_few", "6 columns, count 7", change(header=u32(6))
    yield "columns_endless", "2^32 - 1 columns", change(header=u32(2**32 - 1))
    yield "values_cut", "4 values of 7", change(values=bytes(4))
    yield "values_too_many", "12 values where 7 belong", change(values=bytes(12))
    tile = change(columns=bytes([0, 2, 4, 5, 6, 17, 40]))
    yield "column_outside", "column 40 of 40", tile
    tile = join({"header": u32(1), "counts": b"\0\1", "columns": b"\x2c", "values": b"\1"})
    yield "column_outside_last_block", "column 44 of a last block of 44", tile, 300
    columns = bytes(range(254))
    tile = join({"header": u32(254), "counts": b"\xfe", "columns": columns, "values": bytes(254)})
    yield "columns_outside_short_block", "254 columns in a block of 40", tile
    tile = join({"header": u32(0), "counts": b"\xff", "values": bytes(36)})
    yield "full_block_cut", "36 values of a whole block of 40", tile
    columns = bytes([*range(19), 44])
    tile = join({"header": u32(20), "counts": b"\0\x14", "columns": columns, "values": bytes(20)})
    yield "last_column_outside", "the last of 20 columns 44 of a last block of 44", tile, 300


def unusual() -> Iterator[Unusual]:
    # 255 means "the whole block", and the last block may be short.
    tile = join({"header": u32(0), "counts": b"\xff", "values": COUNT})
    yield "short_full_block", tile, COUNT
