# SPDX-License-Identifier: Apache-2.0
"""huffman: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator, Sequence

import numpy as np
from broken import Change, Vector
from example import Unusual
from layout import join, nibbles, up_to
from tiles import bits, sparse

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": bytes.fromhex("24000201080301 0700"),
    "lengths": bits("1 0010 1 1 1 1 00110"),
    "positions": bytes.fromhex("ae00400001"),
    "value_codes": bytes.fromhex("107c"),
    "value_bits": bytes.fromhex("b00f4106"),
}
# Its lengths one by one.
LENGTHS = [2, 2, 3, 4, 4, 4, 4, 4, 4]


# They have bytes after the description, which a decoder need not look for.
DECODES = {"description_goes_on", "description_of_nothing"}


def header_of(
    n: int,
    positions: int | None,
    *,
    k: int = 0,
    has_zero: int = 0,
    alignment: int = 0,
    wide: bool = False,
    n_gaps: int = 0,
    described: int = 0,
    bins: Sequence[int],
    flags: int = 0,
) -> bytes:
    """A header; positions: their size where it is said, bins: P, Q, p and q."""
    flags |= k | has_zero << 3 | alignment << 4 | wide << 6
    numbers = [n] if positions is None else [n, positions]
    size = 4 if wide else 2
    fields = bytes([flags, n_gaps, described, *bins])
    return fields + b"".join(number.to_bytes(size, "little") for number in numbers)


def huffman(
    n: int,
    positions: bytes,
    *,
    k: int = 0,
    has_zero: int = 0,
    n_gaps: int = 0,
    positive: tuple[int, int] = (1, 5),
    negative: tuple[int, int] = (0, 0),
    lengths: Sequence[int] = (),
    description: bytes = b"",
    value_bits: bytes = b"",
    value_codes: bytes = b"",
    wide: bool = False,
) -> bytes:
    """A huffman tile of n elements. positive, negative: how many symbols, and the first magnitude.

    Without more arguments: a bitmap, and every value is 5.
    """
    counts, firsts = zip(positive, negative, strict=True)
    of_lengths = description or nibbles(*lengths)
    header = header_of(
        *(n, len(positions) if n_gaps > 1 else None),
        k=k,
        has_zero=has_zero,
        wide=wide,
        n_gaps=n_gaps,
        described=len(description),
        bins=(*counts, *firsts),
    )
    alignment = -len(header + of_lengths + positions + value_codes) % 4
    streams = {
        "header": bytes([header[0] | alignment << 4, *header[1:]]),
        "lengths": of_lengths,
        "positions": positions,
        "value_codes": value_codes,
        "value_bits": value_bits,
    }
    return join(streams)


def broken(change: Change) -> Iterator[Vector]:
    def header(**fields: int) -> bytes:
        """The example's, with other fields."""
        names = ("flags", "gaps", "described", "positive", "negative", "p", "q")
        example = EXAMPLE["header"]
        head = (fields.get(name, old) for name, old in zip(names, example, strict=False))
        return bytes(head) + fields.get("n", 7).to_bytes(2, "little")

    def plain(*lengths: int) -> bytes:
        """The example with other lengths of codes, one by one."""
        of_lengths = nibbles(*lengths)
        flags = 4 | -(len(of_lengths) + 16) % 4 << 4
        return change(header=header(flags=flags, described=0), lengths=of_lengths)

    for k in (1, 3, 7):
        yield f"raw_{k}", f"{k} raw bits", change(header=header(flags=0x20 | k))
    yield "flags_128", "unknown flag", change(header=header(flags=0xA4))
    lengths = [1, 1, *[0] * 62]
    tile = huffman(1, b"\0", n_gaps=64, lengths=lengths)
    yield "gaps_64", "64 gap symbols", tile
    tile = huffman(0, b"", n_gaps=1, positive=(129, 0), negative=(128, 1), lengths=[8] * 257)
    yield "values_too_many", "257 value symbols", tile
    yield (
        "elements_without_value",
        "an element, no value symbol",
        huffman(1, b"\x80", positive=(0, 0)),
        1,
    )
    for what, first, count in (("positive", 241, 1), ("negative", 241, 1), ("negative", 0, 1)):
        tile = huffman(
            1, b"\x80", k=4, **{"positive": (0, 0), what: (count, first)}, value_bits=b"\0"
        )
        yield f"{what}_bin_from_{first}", f"a bin of 16 {what} values from {first}", tile, 1
    tile = huffman(
        1,
        b"\x80",
        k=4,
        positive=(17, 0),
        lengths=[4] * 15 + [5] * 2,
        value_bits=b"\0",
        value_codes=b"\0",
    )
    yield "bins_too_many", "17 bins of 16 values", tile, 1
    yield "elements_too_many", "8 elements of 7", huffman(8, b"", n_gaps=1), 7
    yield "elements_endless", "2^32 - 1 elements", huffman(2**32 - 1, b"", n_gaps=1, wide=True)

    yield "lengths_13", "a code of 13 bits", plain(*LENGTHS[:-1], 13)
    yield "code_not_full", "eight codes of the nine", plain(*LENGTHS[:-1], 0)
    yield "code_too_full", "a code of 3 bits instead of 4", plain(*LENGTHS[:-1], 3)
    yield "code_overflows", "five codes of 1 bit", plain(*[1] * 5, *[0] * 4)
    yield "code_empty", "no code", plain(*[0] * 9)

    def described(text: str) -> bytes:
        """The example with another description."""
        description = bits(text)
        flags = 4 | -(len(description) + 16) % 4 << 4
        return change(header=header(flags=flags, described=len(description)), lengths=description)

    for rule, why, text in (
        ("ends_early", "a description of 1 byte", "1 0010 1 1 1"),
        ("goes_on", "a byte after the last bit", "1 0010 1 1 1 1 00110" + "0" * 11),
        ("run_too_long", "a run of 7 magnitudes, 6 are left", "1 0010 1 1 1 1 00111"),
        ("run_endless", "a run of 512", "1 0010" + "0" * 9 + "1" * 15),
        ("rank_16", "a step from rank 15 to 16", "1 1111 1 1 00111"),
        ("rank_below_0", "a step from rank 0 to -1", "1 0000 1 01 00111"),
        ("rank_14", "a code of rank 14", "1 0010 1 1 1 1 00101 " + "0" * 18 + "1 1"),
        ("not_full", "codes of 4 bits for all", "1 0100 0001000"),
        ("too_full", "codes of 3 bits for all", "1 0011 0001000"),
    ):
        yield f"description_{rule}", why, described(text)
    tile = huffman(3, b"", n_gaps=1, description=b"\0")
    yield "description_of_nothing", "one gap, one value, and a description", tile
    tile = huffman(1, b"\0", n_gaps=2, lengths=[1, 2])
    yield "gap_code_not_full", "gap codes of 1 and 2 bits", tile

    yield "bitmap_too_few", "6 bits set, 7 elements", change(positions=bytes.fromhex("ae00400000"))
    yield "bitmap_too_many", "8 bits set, 7 elements", change(positions=bytes.fromhex("af00400001"))
    yield "bitmap_unused_bit", "bit 4 of 3 elements", huffman(2, b"\xc8"), 3
    yield "bitmap_unused_value", "bit 4 of 3 elements, and a value for it", huffman(3, b"\xc8"), 3
    tile = huffman(1, b"", n_gaps=2, lengths=[1, 1], wide=True)
    tile = tile[:11] + (2**32 - 1).to_bytes(4, "little") + tile[15:]
    yield "positions_endless", "2^32 - 1 bytes", tile
    for alignment in (1, 3):
        tile = change(header=header(flags=4 | alignment << 4))
        yield f"alignment_{alignment}", f"{alignment} bytes of alignment, not 2", tile
    tile = join(up_to(EXAMPLE, "value_codes"))
    yield "alignment_endless", "2 bytes of alignment and 4 of raw bits, none there", tile
    yield "value_codes_go_on", "4 bytes behind the last code", change(value_codes=bytes(6))
    tile = huffman(40, b"", n_gaps=1, positive=(2, 5), lengths=[1, 1], value_codes=bytes(4))
    yield "values_end_early", "40 codes of 1 bit in 4 bytes", tile
    tile = huffman(200, b"", n_gaps=1, positive=(2, 5), lengths=[1, 1], value_codes=bytes(24))
    yield "many_values_end_early", "200 codes of 1 bit in 24 bytes", tile, 200
    gap_code = {"n_gaps": 2, "lengths": [1, 1]}
    yield "gap_codes_end_early", "9 codes of 1 bit in a byte", huffman(9, b"\0", **gap_code)
    yield "gap_codes_go_on", "a byte behind the last code", huffman(8, bytes(2), **gap_code)
    tile = huffman(8, bits("00000001"), **gap_code)
    yield "outside", "element 7 at 8 of 8", tile, 8
    tile = huffman(9, bits("000000001"), **gap_code)
    yield "last_outside", "element 8, behind eight at once, at 9 of 9", tile, 9
    tile = huffman(36, bits("0" * 15 + "1" + "0" * 20), **gap_code)
    yield "between_outside", "element 35 at 36 of 36", tile, 36
    far = {"n_gaps": 63, "lengths": [1, *[0] * 61, 1]}
    tile = huffman(20, bits("1" * 20), **far)
    yield "far_outside", "gaps of 63 in an array of 1000", tile, 1000


def unusual() -> Iterator[Unusual]:
    # No code at all: one gap, one value, and what comes behind the elements is zero.
    yield "no_codes", huffman(3, b"", n_gaps=1), b"\5\5\5" + bytes(4)
    # Raw bits lead up to 255; 5 elements have them in 3 bytes of 4, or 2 of 2 bits.
    tile = huffman(5, b"\xf8", k=4, positive=(1, 240), value_bits=bytes.fromhex("40f108"))
    yield "last_bin", tile, bytes([240, 241, 248, 244, 255])
    tile = huffman(5, b"\xf8", k=2, positive=(1, 252), value_bits=bytes.fromhex("0e02"))
    yield "last_bins_of_2_bits", tile, bytes([254, 254, 255, 252, 252])
    # Codes of every length, and symbols without one between them: value s has s bits, 12 and 13
    # have 12; a gap of 2 has as many as one of 3.
    lengths = [*range(1, 13), 12]
    codes = {s: "1" * (s - 1) + "0" for s in range(1, 13)} | {13: "1" * 12}
    values = [13, 1, 12, 11, 2, 9, 8, 10, 13, 13, 12, 7, 6, 5, 4, 3, 1, 1, 1, 8, 9] * 4
    gaps = [1, 2, 2, 1, 3, 1, 2] * 12
    tile = huffman(
        len(values),
        bits("".join({1: "0", 2: "10", 3: "11"}[gap] for gap in gaps)),
        n_gaps=4,
        positive=(13, 1),
        lengths=[1, 2, 2, 0, *lengths],
        value_codes=bits("".join(codes[v] for v in values)),
    )
    positions = np.cumsum(gaps) - 1
    raw = sparse(sum(gaps) + 7, dict(zip(positions.tolist(), values, strict=True)))
    yield "all_lengths", tile, raw
    # Nothing but long codes, of which no lookup gives any: gaps of 2 take 9 bits, as those of 1 do.
    lengths = [9, 9, *range(1, 9)]
    tile = huffman(40, bits("1" * 9 * 40), n_gaps=10, lengths=lengths)
    yield "long_codes", tile, sparse(80, dict.fromkeys(range(1, 80, 2), 5))
    # Short descriptions. Ranks 2, 13, 1, 3, 3 of values, which is no code for the second of them,
    # and 1, 2, 2 of gaps.
    tile = huffman(
        5,
        bits("0 10 11 0 0"),
        n_gaps=3,
        positive=(5, 1),
        description=bits(
            "0 0010 1 " + "0" * 20 + "1 1 " + "0" * 23 + "1 1 001 010" + "0001 1 1 010"
        ),
        value_codes=bits("10 0 110 111 0"),
    )
    raw = sparse(9, {0: 1, 2: 3, 5: 4, 6: 5, 7: 3})
    yield "described", tile, raw
    # More negative values than positive ones, and 0, from one list of ranks: 3, 1, 2.
    tile = huffman(
        4,
        b"",
        n_gaps=1,
        has_zero=1,
        positive=(1, 7),
        negative=(2, 3),
        description=bits("1 0011 1 0001 1 1 1"),
        value_codes=bits("110 0 10 111"),
    )
    yield "described_once", tile, bytes([7, 252, 0, 253])
    # Sizes of 32 bits without need.
    tile = huffman(9, bits("0" * 8 + "1"), n_gaps=2, lengths=[1, 1], wide=True)
    yield "wide", tile, b"\5" * 8 + b"\0\5"
    # The longest gaps, and elements of value 0 at both ends.
    tile = huffman(
        20,
        bits("1" * 19 + "0"),
        n_gaps=63,
        has_zero=1,
        lengths=[1, *[0] * 61, 1, 1, 1],
        value_codes=bits("1" + "0" * 18 + "1"),
    )
    raw = sparse(19 * 63 + 1, {63 * i - 1: 5 for i in range(2, 20)})
    yield "longest_gaps", tile, raw
