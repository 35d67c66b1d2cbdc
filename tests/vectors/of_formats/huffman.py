"""huffman: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator, Sequence

import numpy as np
from broken import Change, Vector
from example import Unusual
from layout import join, nibbles, u32, up_to
from tiles import sparse

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": bytes.fromhex("07000000 05000000 04000002 01080301"),
    "lengths": nibbles(1, 2, 0, 0, 0, 0, 0, 0, 2),
    "value_bits": bytes.fromhex("b00f4106"),
    "positions": bytes.fromhex("ae00400001"),
    "value_codes": bytes.fromhex("4580"),
}


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
    value_bits: bytes = b"",
    value_codes: bytes = b"",
) -> bytes:
    """A huffman tile of n elements. positive, negative: how many symbols, and the first magnitude.

    Without more arguments: a bitmap, and every value is 5.
    """
    counts, firsts = zip(positive, negative, strict=True)
    alignment = -len(value_codes) % 4
    header = bytes([k, has_zero, n_gaps, alignment, *counts, *firsts])
    streams = {
        "header": u32(n, len(positions)) + header,
        "lengths": nibbles(*lengths),
        "value_bits": value_bits,
        "positions": positions,
        "value_codes": value_codes,
    }
    return join(streams)


def code_stream(text: str) -> bytes:
    """Bits as text, most significant first, and zeros up to a whole byte."""
    text = text.replace(" ", "")
    return bytes(int(text[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(text), 8))


def broken(change: Change) -> Iterator[Vector]:
    def header(**fields: int) -> bytes:
        """The example's, with other fields."""
        names = ("k", "has_zero", "gaps", "alignment", "positive", "negative", "p", "q")
        example = EXAMPLE["header"]
        tail = (fields.get(name, old) for name, old in zip(names, example[8:], strict=True))
        return u32(fields.get("n", 7), fields.get("positions", 5)) + bytes(tail)

    for k in (1, 3, 8):
        yield f"raw_{k}", f"{k} raw bits", change(header=header(k=k))
    yield "has_zero_2", "2 symbols for 0", change(header=header(has_zero=2))
    lengths = nibbles(*[1, 1, *[0] * 62], 1, 2, 0, 0, 0, 0, 0, 0, 2)
    tile = change(header=header(gaps=64, positions=1), lengths=lengths, positions=b"\0")
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
    yield "elements_endless", "2^32 - 1 elements", huffman(2**32 - 1, b"", n_gaps=1)

    yield "lengths_13", "a code of 13 bits", change(lengths=nibbles(1, 2, 0, 0, 0, 0, 0, 13, 2))
    yield "code_not_full", "codes of 1 and 2 bits", change(lengths=nibbles(1, 2, *[0] * 7))
    yield (
        "code_too_full",
        "codes of 1, 2, 2 and 12 bits",
        change(lengths=nibbles(1, 2, 12, 0, 0, 0, 0, 0, 2)),
    )
    yield "code_overflows", "five codes of 1 bit", change(lengths=nibbles(*[1] * 5, *[0] * 4))
    yield "code_empty", "no code", change(lengths=nibbles(*[0] * 9))
    tile = huffman(1, b"\0", n_gaps=2, lengths=[1, 2])
    yield "gap_code_not_full", "gap codes of 1 and 2 bits", tile

    yield "bitmap_too_few", "6 bits set, 7 elements", change(positions=bytes.fromhex("ae00400000"))
    yield "bitmap_too_many", "8 bits set, 7 elements", change(positions=bytes.fromhex("af00400001"))
    yield "bitmap_unused_bit", "bit 4 of 3 elements", huffman(2, b"\xc8"), 3
    yield "bitmap_unused_value", "bit 4 of 3 elements, and a value for it", huffman(3, b"\xc8"), 3
    yield (
        "bitmap_short",
        "a bitmap of 4 bytes",
        change(header=header(positions=4), positions=bytes(4)),
    )
    yield (
        "bitmap_long",
        "a bitmap of 6 bytes",
        change(header=header(positions=6), positions=bytes.fromhex("ae0040000100")),
    )
    yield "positions_endless", "2^32 - 1 bytes", change(header=header(positions=2**32 - 1))
    yield "positions_without_code", "one gap symbol, and a byte", huffman(3, b"\0", n_gaps=1)

    for alignment in (1, 3):
        tile = change(header=header(alignment=alignment))
        yield f"alignment_{alignment}", f"{alignment} bytes of alignment, not 2", tile
    yield "alignment_4", "4 bytes of alignment", change(header=header(alignment=4))
    tile = join(up_to(EXAMPLE, "value_codes"))
    yield "alignment_endless", "2 bytes of alignment, none there", tile
    yield "value_codes_go_on", "4 bytes behind the last code", change(value_codes=bytes(6))
    tile = huffman(40, b"", n_gaps=1, positive=(2, 5), lengths=[1, 1], value_codes=bytes(4))
    yield "values_end_early", "40 codes of 1 bit in 4 bytes", tile
    tile = huffman(200, b"", n_gaps=1, positive=(2, 5), lengths=[1, 1], value_codes=bytes(24))
    yield "many_values_end_early", "200 codes of 1 bit in 24 bytes", tile, 200
    gap_code = {"n_gaps": 2, "lengths": [1, 1]}
    yield "gap_codes_end_early", "9 codes of 1 bit in a byte", huffman(9, b"\0", **gap_code)
    yield "gap_codes_go_on", "a byte behind the last code", huffman(8, bytes(2), **gap_code)
    tile = huffman(8, code_stream("00000001"), **gap_code)
    yield "outside", "element 7 at 8 of 8", tile, 8
    tile = huffman(9, code_stream("000000001"), **gap_code)
    yield "last_outside", "element 8, behind eight at once, at 9 of 9", tile, 9
    tile = huffman(36, code_stream("0" * 15 + "1" + "0" * 20), **gap_code)
    yield "between_outside", "element 35 at 36 of 36", tile, 36
    far = {"n_gaps": 63, "lengths": [1, *[0] * 61, 1]}
    tile = huffman(20, code_stream("1" * 20), **far)
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
        code_stream("".join({1: "0", 2: "10", 3: "11"}[gap] for gap in gaps)),
        n_gaps=4,
        positive=(13, 1),
        lengths=[1, 2, 2, 0, *lengths],
        value_codes=code_stream("".join(codes[v] for v in values)),
    )
    positions = np.cumsum(gaps) - 1
    raw = sparse(sum(gaps) + 7, dict(zip(positions.tolist(), values, strict=True)))
    yield "all_lengths", tile, raw
    # Nothing but long codes, of which no lookup gives any: gaps of 2 take 9 bits, as those of 1 do.
    lengths = [9, 9, *range(1, 9)]
    tile = huffman(40, code_stream("1" * 9 * 40), n_gaps=10, lengths=lengths)
    yield "long_codes", tile, sparse(80, dict.fromkeys(range(1, 80, 2), 5))
    # The longest gaps, and elements of value 0 at both ends.
    tile = huffman(
        20,
        code_stream("1" * 19 + "0"),
        n_gaps=63,
        has_zero=1,
        lengths=[1, *[0] * 61, 1, 1, 1],
        value_codes=code_stream("1" + "0" * 18 + "1"),
    )
    raw = sparse(19 * 63 + 1, {63 * i - 1: 5 for i in range(2, 20)})
    yield "longest_gaps", tile, raw
