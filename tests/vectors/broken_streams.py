"""Blobs whose header is right and whose tile is not: every check of every decoder.

Most are the example of docs/format.md with one stream replaced. All have 40 elements, like it,
unless they say otherwise.
"""

from collections.abc import Callable, Iterator, Mapping

from broken import Broken
from handmade import EXAMPLE, EXAMPLE_TILES, dcsr, dcsr_pair, hybrid
from layout import blob, join, nibbles, u32, up_to

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

    yield "distances_endless", "2^32 - 1 bytes", change(header=header(1, 1, 4, 2**32 - 1))
    tile = change(header=header(1, 1, 4, 0), distances=b"")
    yield "distances_too_few", "no distance for a group", tile
    tile = change(header=header(1, 1, 4, 2), distances=bytes(2))
    yield "distances_too_many", "two distances for a group", tile
    yield "distance_unfinished", "255 without a next byte", change(distances=b"\xff")

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

    yield "remainder_slope_18", "slope 18", change(remainder_header=u32(3, 18))
    yield "remainder_outside", "lane 2 of the remainder at 40", change(remainder_bases=b"\5")


def _bitmap(change: Change) -> Iterator[Vector]:
    yield "values_cut", "4 values of 7", change(values=bytes(4))
    yield "values_too_many", "12 values where 7 belong", change(values=bytes(12))
    tile = join({"bitmap": b"\xff" * 8, "values": bytes(60)})
    yield "last_values_missing", "60 values of 64", tile, 64
    tile = join({"bitmap": b"\xf0", "values": bytes(4)})
    yield "unused_bit", "bit 3 of 3 elements", tile, 3


# What is particular to each format.
PARTICULAR = {
    "dense": _dense,
    "psr": _psr,
    "rle": _rle,
    "dcsr": _dcsr,
    "hybrid": _hybrid,
    "bitmap": _bitmap,
}
