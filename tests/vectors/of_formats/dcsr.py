# SPDX-License-Identifier: Apache-2.0
"""dcsr: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

import struct
from collections.abc import Iterator

import numpy as np
from broken import Change, Vector
from example import ARRAY_VALUES, COUNT, Unusual
from layout import join, nibbles, u32
from tiles import at, sparse

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": u32(7, 6),
    "values": ARRAY_VALUES,
    "deltas": bytes.fromhex("20e0a05000505000").ljust(16, b"\0"),
    "bitmaps": nibbles(1),
    "bases": bytes([256 - 18]),
    "extensions": bytes.fromhex("4100"),
}


def dcsr(
    values: bytes,
    *,
    slope: int = 0,
    deltas: bytes = b"",
    bitmap: int = 0,
    base: int = 0,
    extensions: bytes = b"",
) -> bytes:
    """A dcsr tile of one group, or of none."""
    streams = {"header": u32(len(values), slope)}
    if values:
        streams |= {
            "values": values,
            "deltas": deltas.ljust(16, b"\0"),
            "bitmaps": nibbles(bitmap),
            "bases": struct.pack("b", base),
            "extensions": extensions,
        }
    return join(streams)


def dcsr_pair(first_base: int, second_base_delta: int) -> bytes:
    """Two whole groups of slope 0: lanes 0 to 14 at the base, all 1, lane 15 255 behind it, 2."""
    return join(
        {
            "header": u32(32, 0),
            "values": (b"\1" * 15 + b"\2") * 2,
            "deltas": bytes(15) + nibbles(15, 15),
            "bitmaps": nibbles(15, 15),
            "bases": bytes([first_base, second_base_delta]),
            "extensions": struct.pack("<8H", *[1 << 15] * 8),
        }
    )


def broken(change: Change) -> Iterator[Vector]:
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


def unusual() -> Iterator[Unusual]:
    # 15 * 17 + 3 is 258, which is lane offset 2: an encoder may not write it, a decoder wraps it.
    lanes = {17 * i: i + 1 for i in range(15)}
    tile = dcsr(COUNT, slope=17, deltas=bytes(15) + nibbles(3))
    yield "offset_wraps", tile, sparse(300, lanes | {2: 16})
    # The same through masks: 15 * 17 + 240 is 495, which is 239.
    tile = dcsr(COUNT, slope=17, bitmap=15, extensions=struct.pack("<4H", *[1 << 15] * 4))
    yield "masked_offset_wraps", tile, sparse(300, lanes | {239: 16})
    # A base that fits a byte may be stored long, and a mask may be zero.
    extensions = struct.pack("<iH", -2, 0)
    deltas = nibbles(4, 0, 3)
    tile = dcsr(b"\5\6", slope=2, deltas=deltas, bitmap=2, base=-128, extensions=extensions)
    yield "long_forms", tile, sparse(8, {2: 5, 3: 6})
    # Two slots for one position, both with its true value; the third one lies before them.
    tile = dcsr(b"\5\5\6", deltas=nibbles(7, 0, 7, 0, 2))
    yield "same_position_twice", tile, sparse(8, {7: 5, 2: 6})
    # The last base from which no lane can leave the array, and a lane that goes to its end.
    yield "last_position", dcsr_pair(44, 0), sparse(300, {44: 1, 299: 2})
    # A lane 256 behind the base pointer, which is at it again.
    tile = dcsr(
        COUNT[:15] + COUNT[:1],
        slope=15,
        deltas=bytes(15) + nibbles(15),
        bitmap=1,
        extensions=struct.pack("<H", 1 << 15),
    )
    yield "offset_256", tile, sparse(300, {15 * i: i + 1 for i in range(15)})
    # Last groups of three, far from the end of the array: of upper and lower nibbles, and extended.
    raw = sparse(300, {2 * i: i + 1 for i in range(3)})
    yield "three", dcsr(COUNT[:3], slope=2), raw
    tile = dcsr(COUNT[:3], slope=2, bitmap=2, extensions=struct.pack("<H", 1 << 2))
    yield "three_extended", tile, sparse(300, {0: 1, 2: 2, 36: 3})
    tile = join(
        {
            "header": u32(19, 2),
            "values": COUNT + b"\x20\x21\x22",
            "deltas": bytes(16),
            "bitmaps": bytes(1),
            "bases": bytes(2),
        }
    )
    elements = {2 * i: i + 1 for i in range(16)} | {32: 0x20, 34: 0x21, 36: 0x22}
    yield "sixteen_and_three", tile, sparse(300, elements)
    yield "bases_up_and_down", *_dcsr_up_and_down()


def _dcsr_up_and_down() -> tuple[bytes, bytes]:
    """37 groups, the last of 5 lanes, whose bases ascend for a while and then do not; masks for any
    bit; a bitmap for the group that would follow."""
    rng = np.random.RandomState(3)
    slope, n_groups, k = 3, 37, 36 * 16 + 5
    bases = np.where(np.arange(n_groups) % 18 < 12, rng.randint(-48, 60, n_groups), -90)
    deltas = rng.randint(0, 16, (n_groups + 1, 16))
    masks = rng.randint(0, 2**16, (n_groups, 4)) * (rng.randint(0, 4, (n_groups, 4)) == 0)
    deltas[n_groups] = 0
    deltas[n_groups - 1, 5:] = 0
    low = deltas.copy()
    for b in range(4):
        deltas[:n_groups] |= (masks[:, b, None] >> np.arange(16) & 1) << (4 + b)
    offsets = (np.arange(16) * slope + deltas[:n_groups]) % 256
    base = np.cumsum(bases + 16 * slope) - 16 * slope
    positions = (base[:, None] + offsets).reshape(-1)[:k]
    tile = join(
        {
            "header": u32(k, slope),
            "values": bytes(at(c) for c in positions),
            "deltas": (low[0::2] << 4 | low[1::2]).astype(np.uint8).tobytes(),
            "bitmaps": nibbles(*(masks != 0) @ [1, 2, 4, 8], 15),
            "bases": bases.astype(np.int8).tobytes(),
            "extensions": masks[masks != 0].astype("<u2").tobytes(),
        }
    )
    return tile, sparse(max(positions) + 1, {c: at(c) for c in positions})
