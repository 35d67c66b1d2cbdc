"""Blobs whose header is right and whose tile is not: every check of every decoder.

Most are the example of docs/format.md with one stream replaced. All have 40 elements, like it,
unless they say otherwise.
"""

import struct
from collections.abc import Callable, Iterator, Mapping

from broken import Broken
from example import EXAMPLE, EXAMPLE_TILES
from layout import blob, join, nibbles, u32, up_to
from tiles import code_stream, dcsr, dcsr_pair, huffman, hybrid, hybrid_of_one_size, rans_record

# Where the values come last and their end is known without them, decoding need not look for it.
DECODES = {"dense_goes_on", "bitmap_goes_on", "bitmap_values_too_many", "bitmap_unused_bit"}

# name, why, tile and, unless there are 40, the number of elements
Vector = tuple[str, str, bytes] | tuple[str, str, bytes, int]


def broken_streams(wire_ids: Mapping[str, int]) -> Iterator[Broken]:
    for fmt, wire_id in wire_ids.items():
        vectors = [*_cut(EXAMPLE_TILES[fmt]), *PARTICULAR[fmt](_changed(fmt))]
        for rule, why, tile, *n in vectors:
            name = f"{fmt}_{rule}"
            data = blob(wire_id, n[0] if n else EXAMPLE.size, [tile])
            decoded = "ok" if name in DECODES else "stream"
            yield Broken(f"{name}.blob", why, data, "ok", "stream", decoded)


def _cut(streams: Mapping[str, bytes]) -> Iterator[Vector]:
    """What every format has to refuse: a tile that ends between two streams, or goes on."""
    for last, content in streams.items():
        if content:
            yield f"{last}_missing", f"ends before {last}", join(up_to(streams, last))
    yield "goes_on", "4 bytes behind the last stream", join(streams) + bytes(4)


Change = Callable[..., bytes]


def _changed(fmt: str) -> Change:
    """The example with the given streams in place of its own."""
    return lambda **streams: join({**EXAMPLE_TILES[fmt], **streams})


def _dense(change: Change) -> Iterator[Vector]:
    yield "values_cut", "36 values of 40", change(values=bytes(36))


def _psr(change: Change) -> Iterator[Vector]:
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


def _rle(change: Change) -> Iterator[Vector]:
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


def _dcsr(change: Change) -> Iterator[Vector]:
    yield "slope_18", "slope 18", change(header=u32(7, 18))
    yield "slope_255", "slope 255", change(header=u32(7, 255))
    yield "elements_endless", "2^32 - 1 elements", change(header=u32(2**32 - 1, 6))
    yield "values_cut", "64 elements, values for 8", change(header=u32(64, 6))
    yield "mask_missing", "3 masks announced, 4 bytes there", change(bitmaps=nibbles(7))
    tile = change(bitmaps=nibbles(0), bases=b"\x80", extensions=b"")
    yield "long_base_missing", "a long base announced, no bytes there", tile
    tile = change(extensions=bytes.fromhex("41000000 0000"))
    yield "extensions_too_many", "6 bytes of extensions, 2 used", tile
    yield "position_before", "lane 3 at -1", change(bases=bytes([256 - 24]))
    yield "position_outside", "lane 6 at 40", change(bases=bytes([256 - 17]))
    tile = dcsr(b"\1", bitmap=0b1000, extensions=b"\1\0")
    yield "position_outside_by_mask", "lane 0 at 128", tile
    tile = dcsr(b"\1", base=-128, extensions=u32(2**31))
    yield "position_outside_by_long_base", "lane 0 at 2^31 of 1", tile, 1
    tile = dcsr(b"\1", deltas=nibbles(15, 0), base=-16)
    yield "position_just_before", "lane 0 at -1 of 1", tile, 1
    tile = dcsr(bytes(16), slope=17)
    yield "position_just_outside", "lane 15 at 255 of 255", tile, 255
    # On the far side of the last base from which no lane can leave the array.
    yield "first_of_pair_outside", "lane 15 of group 0 at 300 of 300", dcsr_pair(45, 0), 300
    yield "second_of_pair_outside", "lane 15 of group 1 at 300 of 300", dcsr_pair(44, 1), 300
    tile = join(
        {
            "header": u32(8 * 16, 0),
            "values": b"\1" * 8 * 16,
            "deltas": bytes(4 * 16),
            "bitmaps": bytes(4),
            "bases": struct.pack("8b", 0, 127, 127, 127, -127, -127, -127, 0),
        }
    )
    yield "group_between_outside", "group 3 at 381 of 300, groups 2 and 4 inside", tile, 300


def _hybrid(change: Change) -> Iterator[Vector]:
    def header(classes: int, first_stride: int, code_bits: int, distances: int) -> bytes:
        return bytes([classes, first_stride, code_bits, 0]) + u32(distances)

    def classes(*records: tuple[int, int]) -> bytes:
        return u32(*(n_groups << 8 | size for size, n_groups in records))

    yield "stride_0", "smallest stride 0", change(header=header(1, 0, 4, 1))
    for bits in (0, 5, 16):
        yield f"code_bits_{bits}", f"codes of {bits} bits", change(header=header(1, 1, bits, 1))
    yield "size_0", "a group of 0 elements", change(classes=classes((0, 1)), values=b"")
    yield "size_0_without_groups", "no group of 0 elements", change(classes=classes((0, 0)))

    groups = 2**24 - 1
    yield "groups_endless", "2^24 - 1 groups of 255", change(classes=classes((255, groups)))
    tile = change(header=header(255, 1, 4, 1), classes=classes(*[(255, groups)] * 255))
    yield "classes_endless", "255 classes of 2^24 - 1 groups", tile
    tile = hybrid(
        (1, 8), classes=[(1, 200)], values=bytes(200), strides=b"", distances=b"", remainder=b""
    )
    yield "codes_cut", "200 groups, no codes", tile
    tile = hybrid(
        (1, 4),
        classes=[(1, 200)],
        values=bytes(200),
        strides=bytes(100),
        distances=b"",
        remainder=b"",
    )
    yield "distances_cut", "200 groups, no distances", tile

    yield "distances_endless", "2^32 - 1 bytes", change(header=header(1, 1, 4, 2**32 - 1))
    tile = change(header=header(1, 1, 4, 0), distances=b"")
    yield "distances_too_few", "no distance for a group", tile
    tile = change(header=header(1, 1, 4, 2), distances=bytes(2))
    yield "distances_too_many", "two distances for a group", tile
    yield "distance_unfinished", "255 without a next byte", change(distances=b"\xff")
    tile = hybrid(
        (1, 4),
        classes=[(4, 1)],
        values=bytes(4),
        strides=b"\0",
        distances=b"\xff" * 12,
        remainder=b"\xff" * 8,
    )
    yield "distance_goes_on", "255 to the end of the tile", tile, 6000

    yield "start_outside", "start 40 of 40", change(distances=b"\x28")
    yield "start_far_outside", "start 254 of 40", change(distances=b"\xfe")
    yield "end_outside", "last slot at 40", change(distances=b"\x22")
    tile = hybrid((1, 8), classes=[(2, 1)], values=b"\1\2", strides=b"\xff", distances=b"\0")
    yield "stride_outside", "stride 256 in 256 elements", tile, 256
    tile = hybrid((1, 4), classes=[(1, 2)], values=bytes(2), strides=b"\0", distances=b"\x14\x14")
    yield "second_outside", "second group at 20 + 20", tile
    tile = hybrid(
        (1, 4), classes=[(1, 1)] * 2, values=bytes(2), strides=bytes(2), distances=b"\0\x28"
    )
    yield "second_class_outside", "second class starts at 40", tile
    tile = hybrid((1, 4), classes=[(16, 1)], values=bytes(16), strides=nibbles(15), distances=b"\0")
    yield "last_of_16_outside", "16 slots, the last at 240 of 240", tile, 240

    tile, raw = hybrid_of_one_size(4, range(0, 64, 4), [1] * 15 + [16])
    yield "last_of_16_fours_outside", "16th group's last slot at 108 of 108", tile, len(raw) - 1

    yield "remainder_slope_18", "slope 18", change(remainder_header=u32(3, 18))
    yield "remainder_outside", "lane 2 of the remainder at 40", change(remainder_bases=b"\5")


def _bitmap(change: Change) -> Iterator[Vector]:
    yield "values_cut", "4 values of 7", change(values=bytes(4))
    yield "values_too_many", "12 values where 7 belong", change(values=bytes(12))
    tile = join({"bitmap": b"\xff" * 8, "values": bytes(60)})
    yield "last_values_missing", "60 values of 64", tile, 64
    tile = join({"bitmap": b"\xf0", "values": bytes(4)})
    yield "unused_bit", "bit 3 of 3 elements", tile, 3


def _rans(change: Change) -> Iterator[Vector]:
    def header(**fields: int) -> bytes:
        """The example's, with other fields."""
        names = ("raw", "flags", "gaps", "jump", "positive", "negative", "p", "q")
        return bytes(
            fields.get(name, old)
            for name, old in zip(names, EXAMPLE_TILES["rans"]["header"], strict=True)
        )

    for raw, what in ((0x43, "3 raw bits of a value"), (0x48, "8 raw bits of a value")):
        yield f"raw_{raw:x}", what, change(header=header(raw=raw))
    for raw, what in ((0x34, "3 raw bits of a gap"), (0x84, "8 raw bits of a gap")):
        yield f"raw_{raw:x}", what, change(header=header(raw=raw))
    yield "flags_16", "unknown flag", change(header=header(flags=16))
    yield "jump_16", "a jump of 2^16", change(header=header(jump=16))
    tile = change(header=header(gaps=0), frequencies=bytes.fromhex("924900000000000025"))
    yield "no_gaps", "no gap symbol", tile
    tile = change(header=header(positive=200, negative=57), frequencies=b"\xdb\x25" + b"\1" * 257)
    yield "values_too_many", "257 value symbols", tile
    tile = change(header=header(positive=0, negative=0), frequencies=b"\xdb\x25")
    yield "elements_without_value", "7 elements, no value symbol", tile
    for name, first in (("less", 0xDA), ("more", 0xDC)):
        frequencies = bytes([first]) + EXAMPLE_TILES["rans"]["frequencies"][1:]
        why = f"gap frequencies of {name} than 256"
        yield f"gap_frequencies_{name}", why, change(frequencies=frequencies)
        frequencies = bytes.fromhex(f"db25 {first - 0xDB + 0x92:x} 4900000000000025")
        why = f"value frequencies of {name} than 256"
        yield f"value_frequencies_{name}", why, change(frequencies=frequencies)

    blocks = EXAMPLE_TILES["rans"]["blocks"]
    states = list(struct.unpack_from("<8H", blocks, 2))
    ends = [1, 3, 5, 6, 7, 18, 40, 40]

    def record(n: int, ends: list[int], states: list[int], *sizes: int) -> bytes:
        return rans_record(40, n, ends, states, sizes or (0,) * 8)

    yield "outside", "the last element at 39 of 39", join(EXAMPLE_TILES["rans"]), 39
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
    header_of_steps = bytes([0, 0, 1, 15, 1, 0, 5, 0])
    # Steps of 2^15: positions that would come back after 2^16.
    far = rans_record(1000, 16, [0] * 8, wide=True)
    tile = join({"header": header_of_steps[:1] + b"\x0c" + header_of_steps[2:], "blocks": far})
    yield "positions_wrap", "2 steps of 2^15 in each lane", tile, 1000
    tile = join({"header": header_of_steps, "blocks": rans_record(8, 0, [-1, *range(2, 9)])})
    yield "end_before", "lane 0 ends at -1", tile, 8
    # Lanes without bytes, in front of all that a reader may not touch.
    tile = join(
        {
            "header": bytes([0, 0, 1, 0, 2, 0, 5, 0]),
            "frequencies": bytes([128, 128]),
            "blocks": rans_record(400, 400, [*range(50, 401, 50)], [300] * 8),
        }
    )
    yield "bytes_missing", "50 steps in each lane, no bytes", tile, 400


def _huffman(change: Change) -> Iterator[Vector]:
    def header(**fields: int) -> bytes:
        """The example's, with other fields."""
        names = ("k", "has_zero", "gaps", "alignment", "positive", "negative", "p", "q")
        example = EXAMPLE_TILES["huffman"]["header"]
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
    tile = join(up_to(EXAMPLE_TILES["huffman"], "value_codes"))
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


# What is particular to each format.
PARTICULAR = {
    "dense": _dense,
    "psr": _psr,
    "rle": _rle,
    "dcsr": _dcsr,
    "hybrid": _hybrid,
    "bitmap": _bitmap,
    "rans": _rans,
    "huffman": _huffman,
}
