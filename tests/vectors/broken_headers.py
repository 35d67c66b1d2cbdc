"""Blobs that are broken before their first tile: the header, the checksum, the tile index."""

from collections.abc import Iterator, Sequence

from broken import Broken
from layout import blob, patch, replace, seal, u32

DENSE = 1  # the wire id; which format it is does not matter here

GOOD = blob(DENSE, 24, [bytes(24)], shape=(4, 6))
EMPTY = blob(DENSE, 0, [])


def broken_headers(wire_ids: Sequence[int]) -> Iterator[Broken]:
    refused = {
        "truncated": _truncated(),
        "magic": _magic(),
        "version": _one_field("version", (0, 2, 255)),
        "format": _one_field("format", (0, max(wire_ids) + 1, 255)),
        "header": _header(),
    }
    for status, vectors in refused.items():
        for name, why, data in vectors:
            yield Broken(f"{name}.blob", why, data, status)
    for name, why, data in _checksum():
        yield Broken(f"checksum_{name}.blob", why, data, "ok", "checksum", "ok")
    for name, why, data, decoded in _tile_index():
        yield Broken(f"tile_index_{name}.blob", why, data, "ok", "stream", decoded)


def _one_field(field: str, values: Sequence[int]) -> Iterator[tuple[str, str, bytes]]:
    for value in values:
        yield f"{field}_{value}", f"{field} {value}", seal(patch(GOOD, **{field: value}))


def _truncated() -> Iterator[tuple[str, str, bytes]]:
    yield "cut_to_nothing", "no bytes at all", b""
    yield "cut_within_magic", "3 bytes", GOOD[:3]
    yield "cut_within_header", "31 bytes of a header of 32", GOOD[:31]
    data = blob(DENSE, 1, [b""], shape=[1] * 8)
    yield "cut_within_shape", "ends within its 8 extents", data[:60]
    yield "cut_by_4", "the last 4 bytes are missing", GOOD[:-4]
    yield "cut_by_1", "the last byte is missing", GOOD[:-1]
    yield "one_more", "one byte behind the end", GOOD + b"\0"
    for size in (20, 28, 2**32 - 4):
        data = seal(patch(GOOD, payload_size=size))
        yield f"payload_size_{size}", f"24 bytes, said to be {size}", data


def _magic() -> Iterator[tuple[str, str, bytes]]:
    yield "magic", "another magic", b"SPKC" + GOOD[4:]
    yield "magic_of_a_bundle", "a bundle's magic", b"SPKF" + GOOD[4:]
    yield "magic_and_no_more", "4 bytes of something else", b"RIFF"


def _header() -> Iterator[tuple[str, str, bytes]]:
    yield from _one_field("flags", (1, 128))
    yield "nine_dimensions", "9 dimensions", blob(DENSE, 1, [bytes(4)], shape=[1] * 9)
    yield "non_zero_25", "25 non-zeros in 24 elements", seal(patch(GOOD, n_non_zero=25))
    n = 2**30 + 1
    data = replace(patch(GOOD, n_elements=n, tile_size=n), 32, u32(n, 1))
    yield "elements_too_many", "2^30 + 1 elements", seal(data)

    yield "tile_size_0", "tiles of 0 elements", seal(patch(GOOD, tile_size=0))
    yield "tile_size_25", "tiles of 25 in 24 elements", seal(patch(GOOD, tile_size=25))
    yield "tile_size_0_of_empty", "tiles of 0 in 0 elements", seal(patch(EMPTY, tile_size=0))
    yield "tile_size_2_of_empty", "tiles of 2 in 0 elements", seal(patch(EMPTY, tile_size=2))
    yield "tiles_0", "0 tiles where there is 1", seal(patch(GOOD, n_tiles=0))
    yield "tiles_2", "2 tiles where there is 1", seal(patch(GOOD, n_tiles=2))
    yield "tiles_1_of_empty", "1 tile of an empty tensor", seal(patch(EMPTY, n_tiles=1))
    data = blob(DENSE, 24, [b""] * 3, tile_size=8)
    yield "tile_index_cut", "3 tiles, index of 2", seal(patch(data[:-4], payload_size=8))

    data = seal(patch(GOOD + bytes(2), payload_size=26))
    yield "payload_size_26", "a payload that is no multiple of 4", data
    data = seal(patch(EMPTY + bytes(4), payload_size=4))
    yield "payload_of_empty", "0 elements in 4 bytes", data

    for shape, name in {
        (4, 5): "too_small",
        (4, 7): "too_large",
        (): "of_none",
        (24, 0): "zero",
        (2**31, 2, 24): "wraps_32_bits",
        (2**31, 2**31, 4, 24): "wraps_64_bits",
    }.items():
        data = blob(DENSE, 24, [bytes(24)], shape=shape)
        yield f"product_{name}", f"24 elements in the shape {shape}", data
    for shape, name in {(2**16, 2**16): "wraps_to_empty", (): "of_none_empty"}.items():
        yield f"product_{name}", f"0 elements in the shape {shape}", blob(DENSE, 0, [], shape=shape)


def _checksum() -> Iterator[tuple[str, str, bytes]]:
    """Bytes that changed and still make sense: only spk_validate notices."""
    yield "itself", "another CRC-32", patch(GOOD, crc32=0x12345678)
    yield "header", "the number of non-zeros changed", patch(GOOD, n_non_zero=1)
    yield "shape", "two extents swapped", replace(GOOD, 32, u32(6, 4))
    yield "padding", "a byte between shape and payload changed", replace(GOOD, 47, b"\1")
    yield "payload", "the last byte of the payload changed", replace(GOOD, 71, b"\1")


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
        yield name, why, seal(replace(good, 48, u32(*ends))), "stream"
    # Each tile is whole; nobody owns the last 4 bytes.
    data = seal(patch(good + bytes(4), payload_size=36))
    yield "ends_early", "4 bytes behind the last tile", data, "ok"
