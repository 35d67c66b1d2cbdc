# SPDX-License-Identifier: Apache-2.0
"""hybrid: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from broken import Change, Vector
from example import ARRAY, COUNT, Unusual
from layout import join, nibbles, u32
from tiles import at, sparse

from of_formats.dcsr import EXAMPLE as DCSR_EXAMPLE
from of_formats.dcsr import dcsr

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": bytes([1, 1, 4, 0]) + u32(1),
    "classes": u32(1 << 8 | 4),
    "values": bytes.fromhex("03ff04fb"),
    "strides": nibbles(1),
    "distances": bytes([0]),
    "remainder_header": u32(3, 13),
    "remainder_values": bytes.fromhex("098007"),
    "remainder_deltas": bytes.fromhex("100090").ljust(16, b"\0"),
    "remainder_bitmaps": nibbles(0),
    "remainder_bases": bytes([4]),
    "remainder_extensions": b"",
}


def hybrid(
    first_stride_and_code_bits: tuple[int, int],
    *,
    classes: Sequence[tuple[int, int]],
    values: bytes,
    strides: bytes,
    distances: bytes,
    remainder: bytes | None = None,
) -> bytes:
    """A hybrid tile. classes: (size, number of groups)."""
    streams = {
        "header": bytes([len(classes), *first_stride_and_code_bits, 0]) + u32(len(distances)),
        "classes": u32(*(n_groups << 8 | size for size, n_groups in classes)),
        "values": values,
        "strides": strides,
        "distances": distances,
    }
    return join(streams) + (dcsr(b"") if remainder is None else remainder)


def hybrid_of_one_size(
    size: int, starts: Sequence[int], strides: Sequence[int]
) -> tuple[bytes, bytes]:
    """A hybrid tile of groups of one size, and what it decodes to: it ends with the last slot."""
    groups = [
        range(start, start + size * stride, stride)
        for start, stride in zip(starts, strides, strict=True)
    ]
    distances = [after - before for before, after in pairwise([0, *starts])]
    tile = hybrid(
        (1, 4),
        classes=[(size, len(groups))],
        values=bytes(at(c) for group in groups for c in group),
        strides=nibbles(*(stride - 1 for stride in strides)),
        distances=b"".join(b"\xff" * (d // 255) + bytes([d % 255]) for d in distances),
    )
    elements = {c: at(c) for group in groups for c in group}
    return tile, sparse(max(elements) + 1, elements)


def broken(change: Change) -> Iterator[Vector]:
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


def unusual() -> Iterator[Unusual]:
    tile = hybrid(
        (1, 4),
        classes=[],
        values=b"",
        strides=b"",
        distances=b"",
        remainder=join(DCSR_EXAMPLE),
    )
    yield "remainder_only", tile, ARRAY.tobytes()
    # A class without groups, two classes of one size, groups of one element.
    tile = hybrid(
        (1, 4),
        classes=[(9, 0), (2, 1), (2, 1), (1, 3)],
        values=bytes([1, 2, 3, 4, 5, 6, 7]),
        strides=nibbles(0) + nibbles(2) + nibbles(0, 0, 0),
        distances=bytes([0, 3, 2, 5, 1]),
    )
    yield "classes", tile, sparse(9, {0: 1, 1: 2, 3: 3, 6: 4, 2: 5, 7: 6, 8: 7})
    tile = hybrid(
        (1, 8),
        classes=[(255, 1), (2, 1)],
        values=b"\7" * 255 + b"\x08\x09",
        strides=b"\x00\xff",
        distances=b"\x01\xff\x2d",
    )
    raw = b"\0" + b"\7" * 255 + sparse(344, {44: 8, 300: 9})
    yield "largest_group", tile, raw
    # Stride 255 + 255.
    tile = hybrid(
        (255, 8), classes=[(2, 1)], values=b"\x08\x09", strides=b"\xff", distances=b"\x59"
    )
    yield "widest_stride", tile, sparse(600, {89: 8, 599: 9})
    # A group over another one's elements, and the remainder over both; all slots agree.
    tile = hybrid(
        (1, 4),
        classes=[(16, 1), (4, 2)],
        values=COUNT + COUNT[0:16:4] + COUNT[4:8],
        strides=nibbles(0) + nibbles(3, 0),
        distances=bytes([0, 0, 4]),
        remainder=dcsr(COUNT, slope=1),
    )
    yield "overlap", tile, COUNT + bytes(4)
    # Four groups of four whose starts lie 207, 208 and many more apart; distances that continue.
    distances = [
        *(0, 2, 3, 4, 9, 100, 7, 100, 0, 100, 8, 100, 254, 254, 254, 254),
        *(1, 70, 250, 3, 5, 60, 70, 80, 254, 255, 1, 2, 3, 4, 5, 600),
        *(1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 3, 2, 1),
        *(0, 0, 7, 40),
    ]
    strides = [(3 * g + 15) % 16 + 1 for g in range(len(distances))]
    strides[7] = strides[11] = 16
    starts = [sum(distances[: g + 1]) for g in range(len(distances))]
    yield "fours", *hybrid_of_one_size(4, starts, strides)
    # The last of 16 starts where a larger stride would lead outside.
    strides[15] = 1
    yield "fours_to_the_end", *hybrid_of_one_size(4, range(0, 64, 4), strides[:16])
    tile = hybrid((1, 4), classes=[(16, 1)], values=COUNT, strides=nibbles(15), distances=b"\0")
    yield "last_position", tile, sparse(241, {16 * i: i + 1 for i in range(16)})
    # The last slot 255 behind the first one, and further than a byte says.
    tile = hybrid((2, 4), classes=[(16, 1)], values=COUNT, strides=nibbles(15), distances=b"\0")
    yield "reach_255", tile, sparse(256, {17 * i: i + 1 for i in range(16)})
    tile = hybrid((3, 4), classes=[(16, 1)], values=COUNT, strides=nibbles(15), distances=b"\0")
    yield "reach_270", tile, sparse(271, {18 * i: i + 1 for i in range(16)})
    tile = hybrid((71, 4), classes=[(4, 1)], values=COUNT[:4], strides=nibbles(15), distances=b"\0")
    yield "fours_reach_258", tile, sparse(259, {86 * i: i + 1 for i in range(4)})
