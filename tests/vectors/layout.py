# SPDX-License-Identifier: Apache-2.0
"""Blobs and bundles put together by hand: docs/format.md, sections 2 and 11.

Uses none of stridepack's code and checks nothing it is given: breaking rules is what it is for.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence

# Where the fields of fixed width lie, and how wide they are.
BLOB_FIELDS = {
    "magic": (0, 1),
    "version_n_dims": (1, 1),
    "format": (2, 1),  # and flags
    "header_words": (3, 1),
    "payload_size": (4, 4),
    "crc32": (8, 4),
}
BUNDLE_FIELDS = {
    "magic": (0, 4),
    "version": (4, 1),
    "flags": (5, 1),
    "n_tensors": (8, 4),
    "file_size": (12, 4),
    "crc32": (16, 4),
    "names_size": (20, 4),
    "blob_offset": (24, 4),  # of the first tensor, like the next
    "hash": (28, 4),
}
TILED = 0x20  # a flag


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def align(data: bytes, multiple: int = 4) -> bytes:
    return data + bytes(-len(data) % multiple)


def nibbles(*fields: int) -> bytes:
    """4-bit fields, two in a byte, the first in the upper half."""
    return bytes.fromhex("".join(f"{field:x}" for field in fields) + "0" * (len(fields) % 2))


# Streams that the next one follows without alignment.
CLOSE = ("header", "frequencies", "blocks", "lengths", "positions")


def join(streams: Mapping[str, bytes]) -> bytes:
    """A tile: its streams in order, each at a multiple of 4 bytes but after those in CLOSE."""
    tile = b""
    for name, stream in streams.items():
        tile += stream
        tile = tile if name in CLOSE else align(tile)
    return tile


def up_to(streams: Mapping[str, bytes], last: str) -> dict[str, bytes]:
    """The streams in front of the one named `last`."""
    names = list(streams)
    return {name: streams[name] for name in names[: names.index(last)]}


def varint(value: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first; the upper bit says that more follow."""
    data = []
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])


def blob(
    wire_id: int,
    n: int,
    tiles: Sequence[bytes],
    *,
    shape: Sequence[int] | None = None,
    tile_size: int | None = None,
) -> bytes:
    """A blob of n elements; tile_size: None where there is one tile, or none."""
    shape = (n,) if shape is None else shape
    varints = b"".join(map(varint, shape))
    if tile_size is not None:
        varints += varint(tile_size)
        wire_id |= TILED
    index = b""
    if len(tiles) > 1:
        ends, end = [], 4 * len(tiles)
        for tile in tiles:
            end += len(tile)
            ends.append(end)
        index = u32(*ends)
    return with_varints(wire_id, len(shape), varints, index + b"".join(tiles))


def with_varints(format: int, n_dims: int, varints: bytes, payload: bytes) -> bytes:
    """A blob of these varints; format: wire id and flags."""
    varints = align(varints)
    fields = bytes([0xAB, 1 << 4 | n_dims, format, 3 + len(varints) // 4])
    return seal(fields + u32(len(payload), 0) + varints + payload)


def seal(data: bytes) -> bytes:
    """The blob with the CRC-32 that its bytes demand."""
    crc = zlib.crc32(data[12:], zlib.crc32(data[:8]))
    return data[:8] + u32(crc) + data[12:]


def bundle(tensors: Sequence[tuple[bytes, bytes]], *, names: bool = True) -> bytes:
    """A bundle of (name, blob)."""
    stored = b"".join(name + b"\0" for name, _ in tensors) if names else b""
    begin = 24 + 8 * len(tensors) + len(align(stored))
    table, blobs = b"", b""
    for name, data in tensors:
        table += u32(begin + len(blobs), zlib.crc32(name))
        blobs += data
    head = b"SPKF\1" + bytes([names, 0, 0])
    head += u32(len(tensors), begin + len(blobs), 0, len(stored))
    return seal_bundle(head + table + align(stored) + blobs)


def seal_bundle(data: bytes) -> bytes:
    """The bundle with the CRC-32 that its header, table and names demand."""
    (n_tensors,), (names_size,) = (struct.unpack_from("<I", data, at) for at in (8, 20))
    begin = 24 + 8 * n_tensors + names_size
    crc = zlib.crc32(data[20 : begin + -begin % 4], zlib.crc32(data[:16]))
    return data[:16] + u32(crc) + data[20:]


def replace(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def patch(data: bytes, **fields: int) -> bytes:
    """The blob or bundle with other header fields and no new CRC-32."""
    table = BUNDLE_FIELDS if data.startswith(b"SPKF") else BLOB_FIELDS
    for name, value in fields.items():
        offset, width = table[name]
        data = replace(data, offset, value.to_bytes(width, "little"))
    return data
