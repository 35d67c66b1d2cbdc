# SPDX-License-Identifier: Apache-2.0
"""The blob: its header, its accounts, and what it refuses."""

import zlib

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack import _spec
from stridepack._words import listed
from stridepack.formats import all_options


def test_paper_payload_costs() -> None:
    """Bytes for each non-zero, as Table I counts them."""
    values = random_array(65_536, 0.5)
    k = int(np.count_nonzero(values))
    psr = sp.pack(values, "psr").streams
    assert (psr["columns"], psr["values"], psr["counts"]) == (k, k, 256)
    rle = sp.pack(values, "rle").streams
    assert rle["values"] == pytest.approx(k, rel=0.001)  # padding is rare
    assert rle["distances"] == (rle["values"] + 1) // 2
    dcsr = sp.pack(values, "dcsr").streams
    assert (dcsr["values"], dcsr["bases"]) == (k, -(-k // 16))
    hybrid = sp.pack(values, "hybrid")
    groups = sp.find_groups(values)
    assert hybrid.streams["values"] == groups.size.sum()
    assert hybrid.streams["strides"] == pytest.approx(len(groups) / 2, abs=2)
    assert hybrid.streams["distances"] == pytest.approx(len(groups), rel=0.1)
    assert hybrid.streams["remainder_values"] == groups.remainder.sum()
    bitmap = sp.pack(values, "bitmap").streams
    assert (bitmap["bitmap"], bitmap["values_8"]) == (8192, k)


def test_tiles_cover_the_tensor() -> None:
    packed = sp.pack(random_array(1000, 0.5), "psr", tile=300)
    assert (packed.n_tiles, packed.tile_size) == (4, 300)
    assert [packed.tile_elements(t) for t in range(4)] == [300, 300, 300, 100]
    assert packed.streams["tile_index"] == 16
    with pytest.raises(sp.InputError, match=r"no tile 4\. This blob has tiles 0 to 3\."):
        packed.unpack_tile(4)


def test_a_tile_larger_than_the_tensor_is_one_tile() -> None:
    values = random_array(1000, 0.5)
    assert sp.pack(values, "rle", tile=5000) == sp.pack(values, "rle")


@pytest.mark.parametrize("tile", [0, -1, 1.5, True])
def test_bad_tile(tile: object) -> None:
    with pytest.raises(sp.InputError, match=f"`tile={tile}` is not possible. .* at least 1"):
        sp.pack(np.ones(10, np.int8), "rle", tile=tile)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16, bool, object])
def test_only_int8(dtype: type) -> None:
    with pytest.raises(sp.InputError, match=rf"values are {np.dtype(dtype)}\. They must be int8"):
        sp.pack(np.ones(10, dtype))


def test_unknown_format_and_options() -> None:
    values = np.ones(10, np.int8)
    with pytest.raises(sp.InputError, match=r"`format=zip` is unknown\. Choose auto, dense, psr"):
        sp.pack(values, "zip")
    owners = listed(all_options()["strides"][1], "and")
    with pytest.raises(
        sp.InputError, match=rf"`strides=\(1, 2\)` is not an option of rle\. .* {owners}\."
    ):
        sp.pack(values, "rle", strides=(1, 2))
    with pytest.raises(
        sp.InputError, match=r"`stride=\(1, 2\)` is not an option of dense, psr, .*\. No format"
    ):
        sp.pack(values, "auto", stride=(1, 2))


def test_too_many_dimensions() -> None:
    with pytest.raises(sp.InputError, match=r"has 9 dimensions\. At most 8 are"):
        sp.pack(np.ones((1,) * 9, np.int8))


def test_too_many_elements() -> None:
    # np.zeros does not touch the memory, and nothing is encoded.
    with pytest.raises(sp.InputError, match=r"1,073,741,825 elements\. At most 1,073,741,824 are"):
        sp.pack(np.zeros(_spec.MAX_ELEMENTS + 1, np.int8), "dense")


def test_auto_takes_the_smallest() -> None:
    for sparsity in (0, 0.2, 0.5, 0.8, 0.95, 0.999):
        values = random_array(4000, sparsity)
        sizes = {name: sp.pack(values, name).nbytes for name in sp.formats()}
        assert sp.pack(values).nbytes == min(sizes.values())
    assert sp.pack(random_array(4000, 0)).format == "dense"


def test_options_reach_hybrid_also_under_auto() -> None:
    values = np.zeros(4000, np.int8)
    # Equally frequent, which no code shortens.
    values[::9] = (np.arange(445) % 255 + 1).astype(np.uint8).view(np.int8)
    plain, tuned = sp.pack(values, "hybrid"), sp.pack(values, sizes=(89,), strides=(9,))
    assert tuned.format == "hybrid"
    assert tuned.nbytes < plain.nbytes


def edit(blob: bytes, offset: int, value: int, size: int = 1) -> bytes:
    """The blob with one field changed and the checksum made right."""
    data = bytearray(blob)
    data[offset : offset + size] = value.to_bytes(size, "little")
    data[8:12] = zlib.crc32(data[12:], zlib.crc32(data[:8])).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize(
    ("offset", "size", "value", "status"),
    [
        (0, 1, 0xAA, "magic"),
        (1, 1, 0x22, "version"),
        (1, 1, 0x19, "header"),
        (1, 1, 0x13, "header"),
        (2, 1, 0x20, "format"),
        (2, 1, 0x3F, "format"),
        (2, 1, 0x42, "header"),
        (2, 1, 0x82, "header"),
        (3, 1, 5, "truncated"),
        (4, 4, 4, "truncated"),
        (4, 4, 5, "header"),
        (12, 1, 0, "header"),
        (13, 1, 0x99, "header"),
        (14, 2, 0x0080, "header"),
        (14, 2, 0x07E8, "header"),
        (14, 2, 0x7FFF, "header"),
    ],
)
def test_header_fields_are_checked(offset: int, size: int, value: int, status: str) -> None:
    blob = sp.pack(random_array(1000, 0.5).reshape(40, 25), "psr", tile=500).to_bytes()
    with pytest.raises(sp.CorruptDataError, match=rf"status \d+, {status}\)"):
        sp.Packed.from_bytes(edit(blob, offset, value, size))


def test_the_checksum_is_checked() -> None:
    blob = bytearray(sp.pack(random_array(100, 0.5), "dense").to_bytes())
    blob[-1] ^= 1
    with pytest.raises(sp.CorruptDataError, match="CRC-32"):
        sp.Packed.from_bytes(blob)


def test_packed_is_a_value() -> None:
    a, b = (sp.pack(random_array(100, s), "psr") for s in (0.5, 0.6))
    assert a == sp.Packed.from_bytes(a.to_bytes()) != b
    assert len({a, b, sp.Packed.from_bytes(bytearray(a.to_bytes()))}) == 2
    assert "psr int8[100]" in repr(a)
