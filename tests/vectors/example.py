"""The worked example of docs/format.md in every format, stream by stream."""

import struct

import numpy as np
from layout import nibbles, u32

Streams = dict[str, bytes]

# The array that every section of docs/format.md ends with.
EXAMPLE = np.zeros(40, np.int8)
EXAMPLE[[0, 2, 4, 5, 6, 17, 39]] = 3, -1, 4, 9, -5, -128, 7
EXAMPLE_VALUES = bytes.fromhex("03ff0409fb8007")

EXAMPLE_TILES: dict[str, Streams] = {
    "dense": {"values": EXAMPLE.tobytes()},
    "psr": {
        "header": u32(7),
        "counts": bytes([7]),
        "columns": bytes([0, 2, 4, 5, 6, 17, 39]),
        "values": EXAMPLE_VALUES,
    },
    "rle": {
        "header": u32(8),
        "distances": nibbles(0, 1, 1, 0, 0, 10, 15, 5),
        "values": bytes.fromhex("03ff0409fb800007"),
    },
    "dcsr": {
        "header": u32(7, 6),
        "values": EXAMPLE_VALUES,
        "deltas": bytes.fromhex("20e0a05000505000").ljust(16, b"\0"),
        "bitmaps": nibbles(1),
        "bases": bytes([256 - 18]),
        "extensions": bytes.fromhex("4100"),
    },
    "hybrid": {
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
    },
    "bitmap": {"bitmap": bytes.fromhex("ae00400001"), "values": EXAMPLE_VALUES},
    "rans": {
        "header": bytes.fromhex("4400020001080301"),
        "frequencies": bytes.fromhex("db25 924900000000000025"),
        "blocks": bytes.fromhex("0700 9301 4b04 9301 9301 4b04 2508 fc09 0001")
        + struct.pack("<8b", -4, -7, -10, -14, -18, -12, 5, 0)
        + bytes(8),
        "bytes": b"",
        "value_bits": bytes.fromhex("000f01060b000400"),
        "gap_bits": bytes.fromhex("1001a005"),
    },
    "huffman": {
        "header": bytes.fromhex("07000000 05000000 04000002 01080301"),
        "lengths": nibbles(1, 2, 0, 0, 0, 0, 0, 0, 2),
        "value_bits": bytes.fromhex("b00f4106"),
        "positions": bytes.fromhex("ae00400001"),
        "value_codes": bytes.fromhex("4580"),
    },
}
