# SPDX-License-Identifier: Apache-2.0
"""What a reader must refuse (docs/format.md), the C decoders and the NumPy reference alike."""

import zlib

import numpy as np
import pytest
from arrays import SPARSITIES, random_array

import stridepack as sp
from stridepack import reference
from stridepack.reference.blob import Header, u32, write_header, write_streams

each_format = pytest.mark.parametrize("name", sp.formats())


def with_checksum(blob: bytes | bytearray) -> bytes:
    """The blob with the CRC-32 of what it holds."""
    return bytes(blob[:8]) + zlib.crc32(blob[:8] + blob[12:]).to_bytes(4, "little") + blob[12:]


def check_refused(blob: bytes) -> None:
    with pytest.raises(sp.CorruptDataError):
        sp.Packed.from_bytes(blob)
    with pytest.raises(sp.CorruptDataError):
        reference.decode(blob)


@pytest.mark.parametrize(
    ("offset", "field"),
    [
        pytest.param(0, b"S", id="magic"),
        pytest.param(1, b"\x22", id="version"),
        pytest.param(1, b"\x11", id="ndim below"),
        pytest.param(1, b"\x13", id="ndim above"),
        pytest.param(1, b"\x19", id="ndim above 8"),
        pytest.param(2, b"\x20", id="format 0"),
        pytest.param(2, b"\x3f", id="format 31"),
        pytest.param(2, b"\x61", id="flag LIVE"),
        pytest.param(2, b"\xa1", id="flag PREDICTED"),
        pytest.param(3, b"\3", id="header_size below"),
        pytest.param(3, b"\5", id="header_size above"),
        pytest.param(4, b"\0\0\0\0", id="payload_size"),
        pytest.param(12, b"\x0b", id="shape for more tiles"),
        pytest.param(14, b"\0", id="tile_size 0"),
        pytest.param(14, b"\x5a", id="tile_size of one tile"),
        pytest.param(14, b"\x5b", id="tile_size above n_elements"),
        pytest.param(14, b"\x0a", id="tile_size for more tiles"),
        pytest.param(14, b"\xb2\0", id="tile_size in more bytes than it needs"),
        pytest.param(14, b"\xb2\x80", id="tile_size that does not end"),
        pytest.param(16, b"\x08\0\0\0", id="tile 0 ends in the index"),
        pytest.param(16, b"\xff\xff\xff\xff", id="tile 0 ends behind the payload"),
        pytest.param(20, b"\0\0\0\0", id="tile 1 ends before it begins"),
    ],
)
@each_format
def test_wrong_header(name: str, offset: int, field: bytes) -> None:
    blob = sp.pack(random_array(90, 0.4).reshape(9, 10), name, tile=50).to_bytes()
    damaged = bytearray(blob)
    damaged[offset : offset + len(field)] = field
    check_refused(with_checksum(damaged))


@pytest.mark.parametrize("alignment", range(4))
def test_tile_that_ends_between_multiples_of_4(alignment: int) -> None:
    """A stream without bytes would begin after the end of the tile."""
    whole = b"\x34\1" + bytes(10)  # huffman, no elements, 3 bytes of alignment
    cut = bytes([alignment << 4 | 4]) + whole[1 : 9 + alignment]
    payload = (u32(8 + len(cut)) + u32(32) + cut + whole).ljust(32, b"\0")
    blob = with_checksum(write_header(Header("huffman", (40,), 20, 32)) + payload)
    if alignment == 3:
        assert not reference.decode(blob).any()
    else:
        check_refused(blob)


@each_format
def test_wrong_checksum_and_size(name: str) -> None:
    blob = sp.pack(random_array(90, 0.4), name, tile=50).to_bytes()
    for size in range(len(blob)):
        check_refused(blob[:size])
    for extra in (b"\0", bytes(4)):
        check_refused(blob + extra)
        size = int.from_bytes(blob[4:8], "little") + len(extra)
        check_refused(with_checksum(blob[:4] + size.to_bytes(4, "little") + blob[8:] + extra))
    for bit in range(32):
        damaged = bytearray(blob)
        damaged[8 + bit // 8] ^= 1 << bit % 8
        check_refused(bytes(damaged))


def craft(format: str, n: int, streams: reference.blob.Streams) -> bytes:
    """A blob of one tile of n elements that holds these streams."""
    payload = write_streams(streams)
    return with_checksum(write_header(Header(format, (n,), None, len(payload))) + payload)


# A tile of 10 elements with a 7 at position 3 in every format, to be damaged one way at a time.
def rans_block(end: int, state: int = 256) -> bytes:
    """The record of a block of 10 that has one element: all lanes end behind it, without bytes."""
    from_even = [(end - (i + 1) * 10 // 8) % 256 for i in range(8)]
    return b"\1\0" + state.to_bytes(2, "little") * 8 + bytes(from_even) + bytes(8)


VALID = {
    "dense": {"values": b"\0\0\0\7\0\0\0\0\0\0"},
    "psr": {"header": u32(1), "counts": b"\1", "columns": b"\3", "values": b"\7"},
    "rle": {"header": u32(1), "distances": b"\x30", "values": b"\7"},
    "dcsr": {
        "header": u32(1) + b"\0\0\0\0",
        "values": b"\7",
        "deltas": b"\x30" + bytes(15),
        "bitmaps": b"\0",
        "bases": b"\0",
        "extensions": b"",
    },
    "hybrid": {
        "header": b"\1\1\4\0" + u32(1),
        "classes": b"\2\1\0\0",
        "values": b"\7\0",
        "strides": b"\0",
        "distances": b"\3",
        "remainder_header": bytes(8),
    },
    "bitmap": {"header": b"\4\7\1\0" + u32(1), "bitmap": b"\x10\0", "values_4": b"\0"},
    "rans": {
        "header": b"\x20\0\1\0\1\0\7\0",
        "frequencies": b"",
        "blocks": rans_block(4),
        "bytes": b"",
        "value_bits": b"",
        "gap_bits": b"\3\0",
    },
    "huffman": {
        "header": b"\x20\4\0\1\0\7\0" + b"\1\0\1\0",
        "lengths": b"\x22\x22",
        "positions": b"\xc0",
        "value_codes": b"",
        "value_bits": b"",
    },
}

WRONG = [
    ("psr", "a column that no block counts", {"header": u32(2), "columns": b"\3\4"}),
    ("psr", "a block of more columns than there are", {"counts": b"\2", "values": b"\7\7"}),
    ("psr", "a column behind the tensor", {"columns": b"\x0a"}),
    ("rle", "a distance that leads behind the tensor", {"distances": b"\xa0"}),
    ("dcsr", "slope 18", {"header": u32(1) + b"\x12\0\0\0"}),
    ("dcsr", "a position behind the tensor", {"deltas": b"\xa0" + bytes(15)}),
    ("dcsr", "a position before the tensor", {"deltas": bytes(16), "bases": b"\xff"}),
    ("dcsr", "a long base that is not there", {"bases": b"\x80"}),
    ("dcsr", "a mask that is not there", {"bitmaps": b"\x10"}),
    ("dcsr", "a mask too many", {"extensions": b"\1\0"}),
    ("hybrid", "smallest stride 0", {"header": b"\1\0\4\0" + u32(1)}),
    ("hybrid", "stride codes of 5 bits", {"header": b"\1\1\5\0" + u32(1)}),
    ("hybrid", "group size 0", {"classes": b"\0\1\0\0", "values": b""}),
    ("hybrid", "a group behind the tensor", {"strides": b"\x70"}),
    ("hybrid", "a group without a start", {"header": b"\1\1\4\0" + u32(0), "distances": b""}),
    ("hybrid", "a start too many", {"header": b"\1\1\4\0" + u32(2), "distances": b"\3\0"}),
    ("hybrid", "an unfinished start", {"header": b"\1\1\4\0" + u32(2), "distances": b"\3\xff"}),
    ("bitmap", "an unused bit", {"header": b"\4\7\1\0" + u32(2), "bitmap": b"\x10\x01"}),
    ("bitmap", "0 bits a value", {"header": b"\0\7\1\0" + u32(1), "values_4": b""}),
    ("bitmap", "9 bits a value", {"header": b"\x09\7\1\0" + u32(1)}),
    ("bitmap", "fields of fewer bits", {"header": b"\x08\7\0\0"}),
    ("bitmap", "an unknown flag", {"header": b"\4\7\1\x10" + u32(1)}),
    ("bitmap", "positive values behind 127", {"header": b"\4\x79\1\0" + u32(1)}),
    ("bitmap", "negative values behind -128", {"header": b"\4\7\x7a\0" + u32(1)}),
    ("bitmap", "negative values from 0 on", {"header": b"\4\7\0\0" + u32(1)}),
    ("bitmap", "a value that is not there", {"header": b"\4\7\1\0" + u32(2)}),
    ("bitmap", "no bitmap, and few values", {"header": b"\4\7\1\x08" + u32(1), "bitmap": b""}),
    ("bitmap", "patches of no bits", {"patches": b"\1"}),
    ("bitmap", "patches that are not there", {"header": b"\4\7\1\1" + u32(1) + u32(1)}),
    (
        "bitmap",
        "a patch behind the values",
        {"header": b"\4\7\1\1" + u32(1) + u32(1), "patches": b"\2"},
    ),
    (
        "bitmap",
        "zeros after the patches",
        {"header": b"\4\7\1\1" + u32(1) + u32(1), "patches": bytes(5)},
    ),
    ("rans", "raw bits", {"header": b"\x23\0\1\0\1\0\7\0"}),
    ("rans", "a lane that ends elsewhere", {"gap_bits": b"\2\0"}),
    ("rans", "no value", {"header": b"\x20\0\1\0\0\0\7\0"}),
    ("rans", "a lane that ends in another state", {"blocks": rans_block(4, state=257)}),
    (
        "rans",
        "a position behind the tensor",
        {"blocks": rans_block(11), "gap_bits": b"\x0a\0"},
    ),
    ("rans", "a description of nothing", {"header": b"\x20\0\1\1\1\0\7\0", "frequencies": b"\0"}),
    (
        "rans",
        "two gaps of 192 slots",
        {"header": b"\x20\0\2\1\1\0\7\0", "frequencies": b"\x02"},
    ),
    ("huffman", "raw bits", {"header": b"\x21\4\0\1\0\7\0\1\0\1\0"}),
    ("huffman", "an unknown flag", {"header": b"\xa0\4\0\1\0\7\0\1\0\1\0"}),
    ("huffman", "bins behind a byte", {"header": b"\x20\4\0\2\0\xff\0\1\0\1\0"}),
    ("huffman", "no value", {"header": b"\x20\4\0\0\0\7\0\1\0\1\0"}),
    ("huffman", "a code that is not full", {"lengths": b"\x22\x20"}),
    ("huffman", "a code that is too full", {"lengths": b"\x22\x21"}),
    (
        "huffman",
        "a description of a code that is too full",
        {"header": b"\x20\4\2\1\0\7\0\1\0\1\0", "lengths": b"\x12\0"},
    ),
    (
        "huffman",
        "a description that goes on",
        {"header": b"\x10\4\3\1\0\7\0\1\0\1\0", "lengths": b"\x22\0\0"},
    ),
    (
        "huffman",
        "gap codes that go on",
        {"header": b"\x10\4\0\1\0\7\0\1\0\2\0", "positions": b"\xc0\0"},
    ),
    (
        "huffman",
        "a position behind the tensor",
        {"header": b"\x20\4\0\1\0\7\0\3\0\1\0", "positions": b"\xfc"},
    ),
    (
        "huffman",
        "a bit too many",
        {"header": b"\x10\0\0\1\0\7\0\1\0", "lengths": b"", "positions": b"\x11\0"},
    ),
]


@pytest.mark.parametrize("name", VALID)
def test_crafted_blobs_are_valid(name: str) -> None:
    blob = craft(name, 10, VALID[name])
    for decoded in (reference.decode(blob), sp.Packed.from_bytes(blob).unpack()):
        assert decoded.tolist() == [0, 0, 0, 7, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("name", "what", "streams"), WRONG)
def test_wrong_streams(name: str, what: str, streams: reference.blob.Streams) -> None:
    check_refused(craft(name, 10, VALID[name] | streams))


def test_lane_offsets_are_modulo_256() -> None:
    """What no encoder writes still means the same to every decoder: 17 + 250 is 11 (section 6)."""
    streams = VALID["dcsr"] | {
        "header": u32(2) + b"\x11\0\0\0",
        "values": b"\7\7",
        "deltas": b"\0\xa0" + bytes(14),
        "bitmaps": b"\xf0",
        "extensions": b"\2\0" * 4,
    }
    blob = craft("dcsr", 20, streams)
    for decoded in (reference.decode(blob), sp.Packed.from_bytes(blob).unpack()):
        assert np.flatnonzero(decoded).tolist() == [0, 11]


@pytest.mark.parametrize(
    ("header", "streams"),
    [
        (Header("dense", (10,), tile_size=10, payload_size=12), VALID["dense"]),
        (Header("dense", (1,) * 8 + (10,), None, 12), VALID["dense"]),
        (Header("dense", (0,), None, payload_size=12), VALID["dense"]),
        (Header("rle", (2**30 + 1,), None, 4), {"header": u32(0)}),
    ],
)
def test_header_outside_its_limits(header: Header, streams: reference.blob.Streams) -> None:
    """Headers in which nothing else is wrong."""
    check_refused(with_checksum(write_header(header) + write_streams(streams)))


@each_format
@pytest.mark.parametrize("tile", [None, 100])
def test_damaged_blobs_are_refused_by_both_or_none(name: str, tile: int | None) -> None:
    accepted = refused = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = random_array(int(rng.integers(1, 300)), rng.choice(SPARSITIES), seed)
        damaged = bytearray(sp.pack(values, name, tile=tile).to_bytes())
        # The first bytes of the payload are the ones that other bytes depend on.
        last = len(damaged) if seed % 2 else min(len(damaged), 48)
        for _ in range(rng.integers(1, 3)):
            offset = rng.integers(16, max(last, 17)) % len(damaged)
            damaged[offset] = rng.choice([0, 1, 128, 255, int(rng.integers(256))])
        blob = with_checksum(damaged)
        try:
            decoded = sp.Packed.from_bytes(blob).unpack()
        except sp.CorruptDataError:
            check_refused(blob)
            refused += 1
            continue
        _, (c, v) = reference.decode_slots(blob)
        accepted += 1
        # Slots of one position may disagree now: then a decoder may write either value.
        for position in np.flatnonzero(reference.decode(blob) != decoded):
            assert decoded[position] in v[c == position]
    assert accepted
    assert refused or name == "dense"
