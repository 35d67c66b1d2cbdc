# SPDX-License-Identifier: Apache-2.0
"""rans: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

import struct
from collections.abc import Iterator, Sequence

from broken import Change, Vector
from example import Unusual
from layout import join
from tiles import bits, sparse

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": bytes.fromhex("4400020301080301"),
    "frequencies": bits("0 0110 0001001 0010 010"),
    "blocks": bytes.fromhex("0700 4006 5010 4006 4006 5010 5811 e00a 0001")
    + struct.pack("<8b", -4, -7, -10, -14, -18, -12, 5, 0)
    + bytes(8),
    "bytes": b"",
    "value_bits": bytes.fromhex("000f01060b000400"),
    "gap_bits": bytes.fromhex("1001a005"),
}
# Its frequencies one by one.
GAPS, VALUES = bytes([160, 96]), bytes([64, *[24] * 8])


def rans_record(
    length: int,
    n: int,
    ends: Sequence[int],
    states: Sequence[int] = (256,) * 8,
    sizes: Sequence[int] = (0,) * 8,
    *,
    wide: bool = False,
) -> bytes:
    """The record of a block: its length and elements; the ends, states and sizes of its lanes."""
    if wide:
        return struct.pack("<25H", n, *states, *ends, *sizes)
    from_even = [end - (i + 1) * length // 8 for i, end in enumerate(ends)]
    return struct.pack("<9H8b8B", n, *states, *from_even, *sizes)


def broken(change: Change) -> Iterator[Vector]:
    def header(**fields: int) -> bytes:
        """The example's, with other fields."""
        names = ("raw", "flags", "gaps", "described", "positive", "negative", "p", "q")
        return bytes(
            fields.get(name, old) for name, old in zip(names, EXAMPLE["header"], strict=True)
        )

    for raw, what in ((0x43, "3 raw bits of a value"), (0x48, "8 raw bits of a value")):
        yield f"raw_{raw:x}", what, change(header=header(raw=raw))
    for raw, what in ((0x34, "3 raw bits of a gap"), (0x84, "8 raw bits of a gap")):
        yield f"raw_{raw:x}", what, change(header=header(raw=raw))

    def plain(of_gaps: bytes, of_values: bytes, **fields: int) -> bytes:
        """The example with these frequencies one by one."""
        return change(header=header(described=0, **fields), frequencies=of_gaps + of_values)

    yield "no_gaps", "no gap symbol", plain(b"", VALUES, gaps=0)
    tile = plain(GAPS, b"\1" * 257, positive=200, negative=57)
    yield "values_too_many", "257 value symbols", tile
    tile = plain(GAPS, b"", positive=0, negative=0)
    yield "elements_without_value", "7 elements, no value symbol", tile
    for name, first in (("less", -1), ("more", 1)):
        why = f"gap frequencies of {name} than 256"
        other = bytes([GAPS[0] + first, *GAPS[1:]])
        yield f"gap_frequencies_{name}", why, plain(other, VALUES)
        why = f"value frequencies of {name} than 256"
        other = bytes([VALUES[0] + first, *VALUES[1:]])
        yield f"value_frequencies_{name}", why, plain(GAPS, other)
    yield "gap_frequencies_missing", "frequencies of values alone", plain(b"", VALUES)

    def described(description: bytes, **fields: int) -> bytes:
        """The example with another description."""
        return change(header=header(described=len(description), **fields), frequencies=description)

    values, gaps = "0 0110 0001001", "0010 010"  # those of the example
    for rule, why, text in (
        ("ends_early", "the gaps are not described", values),
        ("run_too_long", "a run of 10 value symbols of 9", "0 0110 0001010" + gaps),
        ("run_endless", "a run of 512 symbols", "0 0110" + "0" * 9 + "1" * 15),
        ("rank_16", "a step from rank 15 to 16", "0 1111 1 1 0001000" + gaps),
        ("rank_below_0", "a step from rank 0 to -1", "0 0000 1 01 0001000" + gaps),
        ("rank_far_away", "a step of 256 ranks", "0 0110 1" + "0" * 510 + "1 0001000" + gaps),
        ("more_than_256", "eight frequencies of 32 and one more", "0 0101 0001001" + gaps),
        ("all_for_one", "no other symbol has a slot", "0 0000 1" + "0" * 28 + "1 0001000" + gaps),
    ):
        yield f"description_{rule}", why, described(bits(text))
    yield (
        "description_goes_on",
        "a byte after the last bit",
        described(EXAMPLE["frequencies"] + b"\0"),
    )
    tile = described(bits(values + "1010 0000001000001"), gaps=65)
    yield "description_of_65_gaps", "65 gap symbols", tile
    tile = join(
        {
            "header": bytes([2, 0x10, 1, 1, 1, 0, 127, 0]),
            "frequencies": b"\0",
            "blocks": rans_record(7, 3, [2, 4, 6] + [6] * 5),
            "bytes": b"",
            "value_bits": bytes(8),
        }
    )
    yield "description_of_nothing", "one gap, one value, and a description", tile, 7

    blocks = EXAMPLE["blocks"]
    states = list(struct.unpack_from("<8H", blocks, 2))
    ends = [1, 3, 5, 6, 7, 18, 40, 40]

    def record(n: int, ends: list[int], states: list[int], *sizes: int) -> bytes:
        return rans_record(40, n, ends, states, sizes or (0,) * 8)

    yield "outside", "the last element at 39 of 39", join(EXAMPLE), 39
    for lane in (0, 6, 7):
        other = [end + (i == lane) for i, end in enumerate(ends)]
        yield (
            f"end_{lane}_wrong",
            f"lane {lane} ends before",
            change(blocks=record(7, other, states)),
        )
        other = [x + 256 * (i == lane) for i, x in enumerate(states)]
        tile = change(blocks=record(7, ends, other))
        yield f"state_{lane}_wrong", f"lane {lane}: another state", tile
        sizes = [int(i == lane) for i in range(8)]
        tile = change(blocks=record(7, ends, states, *sizes), bytes=b"\0")
        yield f"lane_{lane}_goes_on", f"lane {lane}: a byte too many", tile
        tile = change(blocks=record(7, ends, [*states[:lane], 0, *states[lane + 1 :]]))
        yield f"state_{lane}_zero", f"lane {lane} starts at 0", tile
    yield "elements_too_few", "6 elements of 7", change(blocks=record(6, ends, states))
    tile = change(blocks=record(8, ends, states))
    yield "elements_too_many", "8 elements, states for 7", tile
    yield "elements_endless", "65535 elements", change(blocks=record(65535, ends, states))
    endless = rans_record(40, 7, ends, states, [65535] * 8, wide=True)
    tile = change(header=header(flags=12), blocks=endless)
    yield "sizes_endless", "8 lanes of 65535 bytes", tile
    header_of_steps = bytes([0, 0xF0, 1, 0, 1, 0, 5, 0])
    # Steps of 2^15: positions that would come back after 2^16.
    far = rans_record(1000, 16, [0] * 8, wide=True)
    tile = join(
        {"header": header_of_steps[:1] + b"\xfc" + header_of_steps[2:], "blocks": far, "bytes": b""}
    )
    yield "positions_wrap", "2 steps of 2^15 in each lane", tile, 1000
    tile = join(
        {"header": header_of_steps, "blocks": rans_record(8, 0, [-1, *range(2, 9)]), "bytes": b""}
    )
    yield "end_before", "lane 0 ends at -1", tile, 8
    # Lanes without bytes, in front of all that a reader may not touch.
    tile = join(
        {
            "header": bytes([0, 0, 1, 0, 2, 0, 5, 0]),
            "frequencies": bytes([128, 128]),
            "blocks": rans_record(400, 400, [*range(50, 401, 50)], [300] * 8),
            "bytes": b"",
        }
    )
    yield "bytes_missing", "50 steps in each lane, no bytes", tile, 400


def unusual() -> Iterator[Unusual]:
    # One gap and one value: no frequencies, no steps, no bytes. Raw bits may lead beyond 127.
    tile = join(
        {
            "header": bytes([2, 0x10, 1, 0, 1, 0, 127, 0]),
            "blocks": rans_record(7, 3, [2, 4, 6] + [6] * 5),
            "bytes": b"",
            "value_bits": bytes([0, 1, 3, 0, 0, 0, 0, 0]),
        }
    )
    yield "no_steps", tile, sparse(7, {1: 127, 3: 128, 5: 130})
    # Ends and sizes of 16 bits and short blocks without need, and a block without elements.
    last = rans_record(1, 1, [1] * 8, [511] + [256] * 7, [1] + [0] * 7, wide=True)
    tile = join(
        {
            "header": bytes([0, 15, 1, 0, 0, 1, 0, 9]),
            "frequencies": bytes([255, 1]),
            "blocks": rans_record(32760, 0, [0] * 8, wide=True) + last,
            "bytes": b"\0",
        }
    )
    yield "wide_and_half", tile, bytes(32761)
    # A frequency of 0. State 257 is slot 1 of the first symbol; 511 is the one slot of the last,
    # which leaves 1 and takes a byte.
    states = [257, 511] + [256] * 6
    tile = join(
        {
            "header": bytes([0, 0, 1, 0, 2, 1, 5, 9]),
            "frequencies": bytes([255, 0, 1]),
            "blocks": rans_record(2, 2, [1, 2] + [2] * 6, states, [0, 1] + [0] * 6),
            "bytes": b"\0",
        }
    )
    yield "frequency_0", tile, bytes([5, 247])
    # Ranks 0, 14, 14 for both signs and 0: frequencies 62, 1; 192; 1. States 318 and 511 are the
    # slots of the second value and of 0.
    states = [318, 511] + [256] * 6
    tile = join(
        {
            "header": bytes([0, 1, 1, 5, 2, 1, 5, 9]),
            "frequencies": bits("1 0000 1" + "0" * 26 + "1 010"),
            "blocks": rans_record(2, 2, [1, 2] + [2] * 6, states, [1, 1] + [0] * 6),
            "bytes": bytes(2),
        }
    )
    yield "shared_ranks", tile, bytes([6, 0])
    # A step in the last bits of a description, and one that leads back: ranks 14, 15, 13, 0.
    tile = join(
        {
            "header": bytes([0, 0, 1, 5, 4, 0, 5, 0]),
            "frequencies": bits("0 1110 1 1 1 0001 1" + "0" * 25 + "1 1"),
            "blocks": rans_record(1, 1, [1] * 8, [256] * 8, [1] + [0] * 7),
            "bytes": bytes(1),
        }
    )
    yield "falling_ranks", tile, bytes([5])
