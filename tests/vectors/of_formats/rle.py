# SPDX-License-Identifier: Apache-2.0
"""rle: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator

from broken import Change, Vector
from example import ARRAY, Unusual
from layout import join, nibbles, u32

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": u32(8),
    "distances": nibbles(0, 1, 1, 0, 0, 10, 15, 5),
    "values": bytes.fromhex("03ff0409fb800007"),
}


def broken(change: Change) -> Iterator[Vector]:
    def short(*distances: int) -> bytes:
        k = len(distances)
        return join({"header": u32(k), "distances": nibbles(*distances), "values": bytes(k)})

    yield "elements_endless", "2^32 - 1 elements", change(header=u32(2**32 - 1))
    yield "distances_cut", "64 elements, distances for 8", change(header=u32(64))
    yield "values_cut", "4 values of 8", change(values=bytes(4))
    tile = change(distances=nibbles(0, 1, 1, 0, 0, 10, 15, 6))
    yield "outside", "element 7 at 40", tile
    yield "odd_outside", "element 1 at 31 of 31", short(15, 15), 31
    yield "pair_outside", "elements 0 and 1 at 15 and 16 of 15", short(15, 0), 15
    yield "last_outside", "element 2, the last, at 32 of 32", short(15, 15, 0), 32
    yield "last_of_32_outside", "element 31 at 31 of 31", short(*[0] * 32), 31
    yield "last_of_16_far_outside", "element 15 at 255 of 255", short(*[15] * 16), 255


def unusual() -> Iterator[Unusual]:
    # Padding is allowed anywhere, here at every zero.
    raw = ARRAY.tobytes()
    tile = join({"header": u32(40), "distances": bytes(20), "values": raw})
    yield "padded_everywhere", tile, raw
