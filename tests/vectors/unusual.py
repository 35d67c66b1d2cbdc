"""Valid tiles that no encoder writes, stream by stream.

A decoder is written from the document, not from what our encoder happens to choose.
"""

import struct
from collections.abc import Iterator

import numpy as np
from example import EXAMPLE, EXAMPLE_TILES
from layout import join, nibbles, u32
from tiles import (
    at,
    code_stream,
    dcsr,
    dcsr_pair,
    huffman,
    hybrid,
    hybrid_of_one_size,
    rans_record,
    sparse,
)


def unusual() -> Iterator[tuple[str, str, bytes, bytes]]:
    """Format, name, tile, and what it decodes to."""
    yield from _unusual_of_one_stream()
    yield from _unusual_dcsr()
    yield from _unusual_hybrid()
    yield from _unusual_rans()
    yield from _unusual_huffman()


COUNT = bytes(range(1, 17))


def _unusual_of_one_stream() -> Iterator[tuple[str, str, bytes, bytes]]:
    # rle: padding is allowed anywhere, here at every zero.
    raw = EXAMPLE.tobytes()
    tile = join({"header": u32(40), "distances": bytes(20), "values": raw})
    yield "rle", "padded_everywhere", tile, raw
    # psr: 255 means "the whole block", and the last block may be short.
    tile = join({"header": u32(0), "counts": b"\xff", "values": COUNT})
    yield "psr", "short_full_block", tile, COUNT
    # bitmap: a stored value may be zero.
    tile = join({"bitmap": b"\xe0", "values": b"\1\0\2"})
    yield "bitmap", "stored_zero", tile, b"\1\0\2"


def _unusual_dcsr() -> Iterator[tuple[str, str, bytes, bytes]]:
    # 15 * 17 + 3 is 258, which is lane offset 2: an encoder may not write it, a decoder wraps it.
    lanes = {17 * i: i + 1 for i in range(15)}
    tile = dcsr(COUNT, slope=17, deltas=bytes(15) + nibbles(3))
    yield "dcsr", "offset_wraps", tile, sparse(300, lanes | {2: 16})
    # The same through masks: 15 * 17 + 240 is 495, which is 239.
    tile = dcsr(COUNT, slope=17, bitmap=15, extensions=struct.pack("<4H", *[1 << 15] * 4))
    yield "dcsr", "masked_offset_wraps", tile, sparse(300, lanes | {239: 16})
    # A base that fits a byte may be stored long, and a mask may be zero.
    extensions = struct.pack("<iH", -2, 0)
    deltas = nibbles(4, 0, 3)
    tile = dcsr(b"\5\6", slope=2, deltas=deltas, bitmap=2, base=-128, extensions=extensions)
    yield "dcsr", "long_forms", tile, sparse(8, {2: 5, 3: 6})
    # Two slots for one position, both with its true value; the third one lies before them.
    tile = dcsr(b"\5\5\6", deltas=nibbles(7, 0, 7, 0, 2))
    yield "dcsr", "same_position_twice", tile, sparse(8, {7: 5, 2: 6})
    # The last base from which no lane can leave the array, and a lane that goes to its end.
    yield "dcsr", "last_position", dcsr_pair(44, 0), sparse(300, {44: 1, 299: 2})
    # A lane 256 behind the base pointer, which is at it again.
    tile = dcsr(
        COUNT[:15] + COUNT[:1],
        slope=15,
        deltas=bytes(15) + nibbles(15),
        bitmap=1,
        extensions=struct.pack("<H", 1 << 15),
    )
    yield "dcsr", "offset_256", tile, sparse(300, {15 * i: i + 1 for i in range(15)})
    # Last groups of three, far from the end of the array: of upper and lower nibbles, and extended.
    raw = sparse(300, {2 * i: i + 1 for i in range(3)})
    yield "dcsr", "three", dcsr(COUNT[:3], slope=2), raw
    tile = dcsr(COUNT[:3], slope=2, bitmap=2, extensions=struct.pack("<H", 1 << 2))
    yield "dcsr", "three_extended", tile, sparse(300, {0: 1, 2: 2, 36: 3})
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
    yield "dcsr", "sixteen_and_three", tile, sparse(300, elements)
    yield "dcsr", "bases_up_and_down", *_dcsr_up_and_down()


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


def _unusual_hybrid() -> Iterator[tuple[str, str, bytes, bytes]]:
    tile = hybrid(
        (1, 4),
        classes=[],
        values=b"",
        strides=b"",
        distances=b"",
        remainder=join(EXAMPLE_TILES["dcsr"]),
    )
    yield "hybrid", "remainder_only", tile, EXAMPLE.tobytes()
    # A class without groups, two classes of one size, groups of one element.
    tile = hybrid(
        (1, 4),
        classes=[(9, 0), (2, 1), (2, 1), (1, 3)],
        values=bytes([1, 2, 3, 4, 5, 6, 7]),
        strides=nibbles(0) + nibbles(2) + nibbles(0, 0, 0),
        distances=bytes([0, 3, 2, 5, 1]),
    )
    yield "hybrid", "classes", tile, sparse(9, {0: 1, 1: 2, 3: 3, 6: 4, 2: 5, 7: 6, 8: 7})
    tile = hybrid(
        (1, 8),
        classes=[(255, 1), (2, 1)],
        values=b"\7" * 255 + b"\x08\x09",
        strides=b"\x00\xff",
        distances=b"\x01\xff\x2d",
    )
    raw = b"\0" + b"\7" * 255 + sparse(344, {44: 8, 300: 9})
    yield "hybrid", "largest_group", tile, raw
    # Stride 255 + 255.
    tile = hybrid(
        (255, 8), classes=[(2, 1)], values=b"\x08\x09", strides=b"\xff", distances=b"\x59"
    )
    yield "hybrid", "widest_stride", tile, sparse(600, {89: 8, 599: 9})
    # A group over another one's elements, and the remainder over both; all slots agree.
    tile = hybrid(
        (1, 4),
        classes=[(16, 1), (4, 2)],
        values=COUNT + COUNT[0:16:4] + COUNT[4:8],
        strides=nibbles(0) + nibbles(3, 0),
        distances=bytes([0, 0, 4]),
        remainder=dcsr(COUNT, slope=1),
    )
    yield "hybrid", "overlap", tile, COUNT + bytes(4)
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
    yield "hybrid", "fours", *hybrid_of_one_size(4, starts, strides)
    # The last of 16 starts where a larger stride would lead outside.
    strides[15] = 1
    yield "hybrid", "fours_to_the_end", *hybrid_of_one_size(4, range(0, 64, 4), strides[:16])
    tile = hybrid((1, 4), classes=[(16, 1)], values=COUNT, strides=nibbles(15), distances=b"\0")
    yield "hybrid", "last_position", tile, sparse(241, {16 * i: i + 1 for i in range(16)})
    # The last slot 255 behind the first one, and further than a byte says.
    tile = hybrid((2, 4), classes=[(16, 1)], values=COUNT, strides=nibbles(15), distances=b"\0")
    yield "hybrid", "reach_255", tile, sparse(256, {17 * i: i + 1 for i in range(16)})
    tile = hybrid((3, 4), classes=[(16, 1)], values=COUNT, strides=nibbles(15), distances=b"\0")
    yield "hybrid", "reach_270", tile, sparse(271, {18 * i: i + 1 for i in range(16)})
    tile = hybrid((71, 4), classes=[(4, 1)], values=COUNT[:4], strides=nibbles(15), distances=b"\0")
    yield "hybrid", "fours_reach_258", tile, sparse(259, {86 * i: i + 1 for i in range(4)})


def _unusual_rans() -> Iterator[tuple[str, str, bytes, bytes]]:
    # One gap and one value: no frequencies, no steps, no bytes. Raw bits may lead beyond 127.
    tile = join(
        {
            "header": bytes([2, 0, 1, 1, 1, 0, 127, 0]),
            "blocks": rans_record(7, 3, [2, 4, 6] + [6] * 5),
            "value_bits": bytes([0, 1, 3, 0, 0, 0, 0, 0]),
        }
    )
    yield "rans", "no_steps", tile, sparse(7, {1: 127, 3: 128, 5: 130})
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
    yield "rans", "wide_and_half", tile, bytes(32761)
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
    yield "rans", "frequency_0", tile, bytes([5, 247])


def _unusual_huffman() -> Iterator[tuple[str, str, bytes, bytes]]:
    # No code at all: one gap, one value, and what comes behind the elements is zero.
    yield "huffman", "no_codes", huffman(3, b"", n_gaps=1), b"\5\5\5" + bytes(4)
    # Raw bits lead up to 255; 5 elements have them in 3 bytes of 4, or 2 of 2 bits.
    tile = huffman(5, b"\xf8", k=4, positive=(1, 240), value_bits=bytes.fromhex("40f108"))
    yield "huffman", "last_bin", tile, bytes([240, 241, 248, 244, 255])
    tile = huffman(5, b"\xf8", k=2, positive=(1, 252), value_bits=bytes.fromhex("0e02"))
    yield "huffman", "last_bins_of_2_bits", tile, bytes([254, 254, 255, 252, 252])
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
    yield "huffman", "all_lengths", tile, raw
    # Nothing but long codes, of which no lookup gives any: gaps of 2 take 9 bits, as those of 1 do.
    lengths = [9, 9, *range(1, 9)]
    tile = huffman(40, code_stream("1" * 9 * 40), n_gaps=10, lengths=lengths)
    yield "huffman", "long_codes", tile, sparse(80, dict.fromkeys(range(1, 80, 2), 5))
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
    yield "huffman", "longest_gaps", tile, raw
