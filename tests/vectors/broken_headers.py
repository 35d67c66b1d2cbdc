# SPDX-License-Identifier: Apache-2.0
"""Blobs that are broken before their first tile: the header, the checksum, the tile index."""

from collections.abc import Iterator, Sequence

from broken import Broken
from layout import TILED, blob, patch, replace, seal, u32, varint, with_varints

DENSE = 1  # the wire id; which format it is does not matter here

GOOD = blob(DENSE, 24, [bytes(24)], shape=(4, 6))
EMPTY = blob(DENSE, 0, [])


def broken_headers(wire_ids: Sequence[int]) -> Iterator[Broken]:
    refused = {
        "truncated": _truncated(),
        "magic": _magic(),
        "version": _version(),
        "format": _format((0, max(wire_ids) + 1, 31)),
        "header": [*_header(), *_varints()],
    }
    for status, vectors in refused.items():
        for name, why, data in vectors:
            yield Broken(f"{name}.blob", why, data, status)
    for name, why, data in _checksum():
        yield Broken(f"checksum_{name}.blob", why, data, "ok", "checksum", "ok")
    for name, why, data, decoded in _tile_index():
        yield Broken(f"tile_index_{name}.blob", why, data, "ok", "stream", decoded)


def _truncated() -> Iterator[tuple[str, str, bytes]]:
    yield "cut_to_nothing", "no bytes at all", b""
    yield "cut_after_magic", "1 byte", GOOD[:1]
    yield "cut_within_header", "11 bytes of a header of 16", GOOD[:11]
    yield "cut_within_shape", "13 bytes of a header of 16", GOOD[:13]
    yield "cut_by_4", "the last 4 bytes are missing", GOOD[:-4]
    yield "cut_by_1", "the last byte is missing", GOOD[:-1]
    yield "one_more", "one byte behind the end", GOOD + b"\0"
    for size in (20, 28, 2**32 - 4):
        data = seal(patch(GOOD, payload_size=size))
        yield f"payload_size_{size}", f"24 bytes, said to be {size}", data
    for words in (3, 5, 255):
        data = seal(patch(GOOD, header_words=words))
        yield f"header_words_{words}", f"a header of 4 words, said to have {words}", data


def _magic() -> Iterator[tuple[str, str, bytes]]:
    yield "magic", "another magic", b"\xaa" + GOOD[1:]
    yield "magic_of_a_bundle", "a bundle's magic", b"SPKF" + GOOD[4:]
    yield "magic_and_no_more", "1 byte of something else", b"R"


def _version() -> Iterator[tuple[str, str, bytes]]:
    for version in (0, 2, 15):
        data = seal(patch(GOOD, version_n_dims=version << 4 | 2))
        yield f"version_{version}", f"version {version}", data


def _format(ids: Sequence[int]) -> Iterator[tuple[str, str, bytes]]:
    for wire_id in ids:
        yield f"format_{wire_id}", f"format {wire_id}", seal(patch(GOOD, format=wire_id))


def _header() -> Iterator[tuple[str, str, bytes]]:
    for n_dims in (9, 15):
        data = blob(DENSE, 1, [bytes(4)], shape=[1] * n_dims)
        yield f"dimensions_{n_dims}", f"{n_dims} dimensions", data

    for words in (0, 2):
        data = seal(patch(GOOD, header_words=words, payload_size=len(GOOD) - 4 * words))
        yield f"header_words_{words}_of_12_bytes", f"a header of {words} words", data
    data = seal(patch(GOOD, header_words=3, payload_size=28))
    yield "header_without_shape", "the shape lies in the payload", data
    data = seal(patch(GOOD, header_words=5, payload_size=20))
    yield "header_goes_on", "4 bytes more than the shape needs", data

    for shape, name in {
        (2**30 + 1,): "too_many",
        (2**32 - 1,): "endless",
        (2**16, 2**16): "wrap_to_empty",
        (2**31, 2, 24): "wrap_32_bits",
        (2**31, 2**31, 4, 24): "wrap_64_bits",
        (2**32 - 1,) * 8: "eight_times",
    }.items():
        data = blob(DENSE, 24, [bytes(24)], shape=shape)
        yield f"elements_{name}", f"the shape {shape}", data

    for size in (0, 24, 25, 2**32 - 1):
        data = blob(DENSE, 24, [bytes(24)], tile_size=size)
        yield f"tile_size_{size}", f"tiles of {size} in 24 elements", data
    for size in (0, 1):
        data = blob(DENSE, 0, [], tile_size=size)
        yield f"tile_size_{size}_of_empty", f"tiles of {size} in 0 elements", data
    data = blob(DENSE, 24, [b""] * 3, tile_size=8)
    yield "tile_index_cut", "3 tiles, index of 2", seal(patch(data[:-4], payload_size=8))

    data = seal(patch(GOOD + bytes(2), payload_size=26))
    yield "payload_size_26", "a payload that is no multiple of 4", data
    data = seal(patch(EMPTY + bytes(4), payload_size=4))
    yield "payload_of_empty", "0 elements in 4 bytes", data
    data = blob(DENSE, 0, [bytes(4)], shape=(2**32 - 1, 0))
    yield "payload_of_empty_in_two_dimensions", "an extent of 0 in 4 bytes", data


def _varints() -> Iterator[tuple[str, str, bytes]]:
    payload = bytes(24)
    for varints, name, why in (
        (b"\x98\0", "of_two_bytes", "24 in two bytes"),
        (b"\x98\x80\0", "of_three_bytes", "24 in three bytes"),
        (b"\x98\x80\x80\x80\0", "of_five_bytes", "24 in five bytes"),
        (b"\x98\x80\x80\x80\x10", "of_33_bits", "2^32 + 24"),
        (b"\x98\x80\x80\x80\x80\0", "of_six_bytes", "24 in six bytes"),
        (b"\x98\x80\x80\x80", "unfinished", "a varint that the header cuts"),
        (b"\x98\x80\x80\x80" + b"\xff" * 4, "endless", "a varint without a last byte"),
    ):
        yield f"varint_{name}", why, with_varints(DENSE, 1, varints, payload)
    data = with_varints(DENSE | TILED, 1, b"\x18\x88\0", payload)
    yield "varint_tile_size", "a tile size of 8 in two bytes", data
    data = with_varints(DENSE | TILED, 4, b"".join(map(varint, (4, 3, 2, 1))), payload)
    yield "tile_size_missing", "no bytes for the tile size", data
    data = with_varints(DENSE, 5, b"".join(map(varint, (4, 3, 2, 1))), payload)
    yield "shape_cut", "no bytes for the fifth extent", data


def _checksum() -> Iterator[tuple[str, str, bytes]]:
    """Bytes that changed and still make sense: only spk_validate notices."""
    yield "itself", "another CRC-32", patch(GOOD, crc32=0x12345678)
    three = blob(DENSE, 24, [bytes(24)], shape=(4, 6, 1))
    yield "header", "one dimension fewer", patch(three, version_n_dims=1 << 4 | 2)
    yield "shape", "two extents swapped", replace(GOOD, 12, bytes([6, 4]))
    yield "padding", "a byte between shape and payload changed", replace(GOOD, 15, b"\1")
    yield "payload", "the last byte of the payload changed", replace(GOOD, 39, b"\1")


def _tile_index() -> Iterator[tuple[str, str, bytes, str]]:
    """Three tiles of 8, 8 and 4 elements: the index has 12 bytes, the tiles end at 20, 28, 32."""
    good = blob(DENSE, 20, [bytes(8), bytes(8), bytes(4)], tile_size=8)
    for ends, name, why in (
        ((28, 20, 32), "descending", "a tile that ends before it begins"),
        ((20, 28, 36), "beyond", "the last tile ends behind the payload"),
        ((20, 2**32 - 4, 32), "far_beyond", "a tile ends 4 GiB behind the payload"),
        ((21, 29, 32), "odd", "tiles end between multiples of 4"),
        ((8, 28, 32), "within_index", "tile 0 ends within the index"),
        ((0, 0, 0), "zero", "all tiles end at 0"),
    ):
        yield name, why, seal(replace(good, 16, u32(*ends))), "stream"
    # Each tile is whole; nobody owns the last 4 bytes.
    data = seal(patch(good + bytes(4), payload_size=36))
    yield "ends_early", "4 bytes behind the last tile", data, "ok"
