"""What every format has to do, for every format there is."""

import contextlib
import zlib

import numpy as np
import pytest
from arrays import SPARSITIES, Int8Array, random_array, special_arrays
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import stridepack as sp

SPECIAL = dict(special_arrays())

each_format = pytest.mark.parametrize("name", sp.formats())


def check(values: Int8Array, name: str, tile: int | None = None, **options: object) -> sp.Packed:
    """Pack, go through bytes, unpack whole and by tiles; everything must be as before."""
    packed = sp.Packed.from_bytes(sp.pack(values, name, tile=tile, **options).to_bytes())
    assert packed.format == name
    assert packed.shape == values.shape
    assert packed.n_non_zero == np.count_nonzero(values)
    assert sum(packed.streams.values()) == packed.payload_nbytes
    unpacked = packed.unpack()
    assert unpacked.dtype == np.int8
    np.testing.assert_array_equal(unpacked, values)
    tiles = [packed.unpack_tile(t) for t in range(packed.n_tiles)]
    np.testing.assert_array_equal(np.concatenate([np.empty(0, np.int8), *tiles]), values.ravel())
    return packed


@each_format
@pytest.mark.parametrize("tile", [None, 1, 16, 17, 256])
def test_every_length_and_sparsity(name: str, tile: int | None) -> None:
    for n in (*range(41), 255, 256, 257, 511, 512, 513):
        for sparsity in SPARSITIES:
            check(random_array(n, sparsity), name, tile)


@each_format
@pytest.mark.parametrize("case", SPECIAL)
def test_special(name: str, case: str) -> None:
    check(SPECIAL[case], name)
    check(SPECIAL[case], name, tile=1000)


@each_format
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3, 4), (1, 2, 1, 2, 1, 2, 1, 2)])
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    check(np.arange(int(np.prod(shape)), dtype=np.int8).reshape(shape), name)


@each_format
def test_order_and_stride_of_the_array_do_not_matter(name: str) -> None:
    values = random_array(600, 0.5).reshape(20, 30)
    for view in (values.T, values[::2, ::-3], np.asfortranarray(values)):
        np.testing.assert_array_equal(sp.pack(view, name).unpack(), view)


@each_format
@settings(max_examples=150, deadline=None)
@given(
    values=st_numpy.arrays(
        np.int8, st.integers(0, 700), elements=st.sampled_from([0, 0, 0, 1, -1, 127, -128])
    ),
    tile=st.none() | st.integers(1, 300),
)
def test_any_array(name: str, values: Int8Array, tile: int | None) -> None:
    check(values, name, tile)


@each_format
def test_the_input_is_not_changed_and_the_result_is_the_same_each_time(name: str) -> None:
    values = random_array(5000, 0.6)
    before = values.copy()
    assert sp.pack(values, name).to_bytes() == sp.pack(values, name).to_bytes()
    np.testing.assert_array_equal(values, before)


@each_format
def test_corrupted_blobs_are_errors_or_right(name: str) -> None:
    values = random_array(900, 0.6).reshape(30, 30)
    for tile in (None, 128):
        blob = sp.pack(values, name, tile=tile).to_bytes()
        rng = np.random.default_rng(7)
        for _ in range(300):
            damaged = bytearray(blob)
            for _ in range(rng.integers(1, 4)):
                damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
            with contextlib.suppress(sp.CorruptDataError):
                np.testing.assert_array_equal(sp.Packed.from_bytes(damaged).unpack(), values)


@each_format
def test_hostile_blobs_with_a_right_checksum_do_no_harm(name: str) -> None:
    """What the checksum does not catch, the decoder has to: see tests/fuzz for the long version."""
    values = random_array(700, 0.5)
    blob = sp.pack(values, name, tile=300).to_bytes()
    rng = np.random.default_rng(8)
    accepted = 0
    for _ in range(2000):
        damaged = bytearray(blob)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(32, len(damaged))] = rng.integers(256)
        crc = zlib.crc32(damaged[32:], zlib.crc32(damaged[:28]))
        damaged[28:32] = crc.to_bytes(4, "little")
        try:
            packed = sp.Packed.from_bytes(damaged)
        except sp.CorruptDataError:
            continue
        packed.unpack()  # what validates decodes
        accepted += 1
    assert accepted  # some damage only changes values


@each_format
def test_truncated_or_longer_blobs_are_errors(name: str) -> None:
    blob = sp.pack(random_array(200, 0.5), name).to_bytes()
    for end in range(len(blob)):
        with pytest.raises(sp.CorruptDataError):
            sp.Packed.from_bytes(blob[:end])
    with pytest.raises(sp.CorruptDataError):
        sp.Packed.from_bytes(blob + b"\0")


@each_format
def test_encoding_is_near_linear(name: str) -> None:
    """Bytes of work, not seconds: long empty stretches must not blow a blob up."""
    values = np.zeros(1_000_000, np.int8)
    values[[0, 500_000, 999_999]] = 1
    packed = check(values, name)
    bound = {"rle": 95_000, "bitmap": 126_000}
    bound |= dict.fromkeys(("psr", "dcsr", "hybrid", "rans", "huffman"), 4500)
    assert packed.payload_nbytes <= bound.get(name, 1_000_000)
