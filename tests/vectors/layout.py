"""Blobs and bundles put together by hand: docs/format.md, sections 2 and 11.

Uses none of stridepack's code and checks nothing it is given: breaking rules is what it is for.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence

# Where the fields of a blob's header lie, and how wide they are.
BLOB_FIELDS = {
    "magic": (0, 4),
    "version": (4, 1),
    "format": (5, 1),
    "n_dims": (6, 1),
    "flags": (7, 1),
    "n_elements": (8, 4),
    "n_non_zero": (12, 4),
    "tile_size": (16, 4),
    "payload_size": (20, 4),
    "n_tiles": (24, 4),
    "crc32": (28, 4),
    "shape": (32, 4),  # its first extent
}
BUNDLE_FIELDS = {
    "magic": (0, 4),
    "version": (4, 1),
    "n_tensors": (8, 4),
    "file_size": (12, 4),
    "crc32": (16, 4),
    "table_size": (20, 4),
    "name_offset": (32, 4),  # of the first tensor, like the three below
    "name_size": (36, 4),
    "blob_offset": (40, 4),
    "blob_size": (44, 4),
}


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def align(data: bytes, multiple: int = 4) -> bytes:
    return data + bytes(-len(data) % multiple)


def nibbles(*fields: int) -> bytes:
    """4-bit fields, two in a byte, the first in the upper half."""
    return bytes.fromhex("".join(f"{field:x}" for field in fields) + "0" * (len(fields) % 2))


def join(streams: Mapping[str, bytes]) -> bytes:
    """A tile: its streams in order, each at a multiple of 4 bytes."""
    return b"".join(align(stream) for stream in streams.values())


def up_to(streams: Mapping[str, bytes], last: str) -> dict[str, bytes]:
    """The streams in front of the one named `last`."""
    names = list(streams)
    return {name: streams[name] for name in names[: names.index(last)]}


def blob(
    wire_id: int,
    n: int,
    tiles: Sequence[bytes],
    *,
    shape: Sequence[int] | None = None,
    tile_size: int | None = None,
    n_non_zero: int = 0,
) -> bytes:
    shape = (n,) if shape is None else shape
    size = max(n, 1) if tile_size is None else tile_size
    index = b""
    if len(tiles) > 1:
        ends, end = [], 4 * len(tiles)
        for tile in tiles:
            end += len(tile)
            ends.append(end)
        index = u32(*ends)
    payload = index + b"".join(tiles)
    fields = struct.pack("<4s4B", b"SPKB", 1, wire_id, len(shape), 0)
    fields += u32(n, n_non_zero, size, len(payload), -(-n // size), 0)
    return seal(fields + align(u32(*shape), 16) + payload)


def seal(data: bytes) -> bytes:
    """The blob with the CRC-32 that its bytes demand."""
    crc = zlib.crc32(data[32:], zlib.crc32(data[:28]))
    return data[:28] + u32(crc) + data[32:]


def bundle(tensors: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A bundle of (name, blob)."""
    names_begin = 32 + 16 * len(tensors)
    names = b"".join(name + b"\0" for name, _ in tensors)
    table, blobs = b"", b""
    offset = names_begin
    table_size = 16 * len(tensors) + len(names)
    begin = len(align(bytes(32 + table_size), 16)) if tensors else 32
    for name, data in tensors:
        blobs = align(blobs, 16)
        table += u32(offset, len(name), begin + len(blobs), len(data))
        offset += len(name) + 1
        blobs += data
    head = b"SPKF\1\0\0\0" + u32(len(tensors), begin + len(blobs), 0, table_size, 0, 0)
    return seal_bundle((head + table + names).ljust(begin, b"\0") + blobs)


def seal_bundle(data: bytes) -> bytes:
    """The bundle with the CRC-32 that its header and table demand."""
    (table_size,) = struct.unpack_from("<I", data, 20)
    crc = zlib.crc32(data[20 : 32 + table_size], zlib.crc32(data[:16]))
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
