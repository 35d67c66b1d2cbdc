"""bitmap: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator

from broken import Change, Vector
from example import ARRAY_VALUES, Unusual
from layout import join

# Of docs/format.md, stream by stream.
EXAMPLE = {"bitmap": bytes.fromhex("ae00400001"), "values": ARRAY_VALUES}

# The values come last and their end is known without them, so decoding need not look for it.
DECODES = {"goes_on", "unused_bit", "values_too_many"}


def broken(change: Change) -> Iterator[Vector]:
    yield "values_cut", "4 values of 7", change(values=bytes(4))
    yield "values_too_many", "12 values where 7 belong", change(values=bytes(12))
    tile = join({"bitmap": b"\xff" * 8, "values": bytes(60)})
    yield "last_values_missing", "60 values of 64", tile, 64
    tile = join({"bitmap": b"\xf0", "values": bytes(4)})
    yield "unused_bit", "bit 3 of 3 elements", tile, 3


def unusual() -> Iterator[Unusual]:
    # A stored value may be zero.
    tile = join({"bitmap": b"\xe0", "values": b"\1\0\2"})
    yield "stored_zero", tile, b"\1\0\2"
