# SPDX-License-Identifier: Apache-2.0
"""The ways in which an encoder of groups or of dCSR can silently destroy weights. One test each."""

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.formats import formats


def round_trip(values: np.ndarray, name: str, **options: object) -> sp.Packed:
    packed = sp.pack(values, name, **options)
    np.testing.assert_array_equal(packed.unpack(), values)
    return packed


def test_a_gap_over_a_weight_of_an_earlier_group() -> None:
    """The gap of a later group lies on a position that another group owns."""
    values = np.zeros(64, np.int8)
    values[0:8] = np.arange(1, 9)  # a full group of 8, stride 1
    values[[9, 12, 15]] = (20, 30, 40)  # with position 6, three of four at stride 3
    groups = sp.find_groups(values, sizes=(8, 4), occupancy=0.75)
    assert groups.size.tolist() == [8, 4]
    second = int(groups.start[1]) + int(groups.stride[1]) * np.arange(4)
    assert 6 in second  # the gap is a non-zero of the first group
    round_trip(values, "hybrid", sizes=(8, 4), occupancy=0.75)


def test_many_gaps_over_weights_of_other_groups() -> None:
    """With a low threshold groups cross each other everywhere."""
    for seed in range(40):
        values = random_array(2000, 0.4, seed)
        groups = sp.find_groups(values, occupancy=0.5)
        slots = np.concatenate(
            [
                int(n) + int(d) * np.arange(s)
                for s, d, n in zip(groups.size, groups.stride, groups.start, strict=True)
            ]
        )
        positions, uses = np.unique(slots, return_counts=True)
        assert np.count_nonzero(values[positions[uses > 1]]) > 100
        round_trip(values, "hybrid", occupancy=0.5)


def test_a_padding_element_of_the_remainder_over_a_weight_of_a_group() -> None:
    """dCSR pads the remainder at positions that groups own."""
    values = np.zeros(4000, np.int8)
    values[100:116] = 50  # a group
    values[0:60:20] = 60  # remainder, with a long way to
    values[220:3000:230] = 70  # elements so far apart that groups of 16 need padding
    groups = sp.find_groups(values, sizes=(16,), strides=(1,))
    assert groups.start.tolist() == [100]
    packed = round_trip(values, "hybrid", sizes=(16,), strides=(1,))
    n_padding = packed.streams["remainder_values"] - int(groups.remainder.sum())
    assert n_padding > 0
    # Every possible phase of padding against the group.
    for shift in range(64):
        round_trip(np.roll(values, shift), "hybrid", sizes=(16,), strides=(1,))


def test_padding_at_the_end_of_the_array() -> None:
    for tail in range(1, 20):
        values = np.zeros(600 + tail, np.int8)
        values[0] = 1
        values[300] = 2
        values[600:] = 3
        round_trip(values, "dcsr")
        round_trip(values, "hybrid")


def test_long_empty_stretches_are_cheap() -> None:
    """Distances beyond 8 bits must not cost a padding group each, nor quadratic time."""
    values = random_array(3_000_000, 0.5)
    values.reshape(-1, 1000)[::2] = 0  # every second channel is dead
    dense_half = sp.pack(values.reshape(-1, 1000)[1::2], "dcsr").payload_nbytes
    packed = round_trip(values, "dcsr")
    # 1500 boundaries, each at most 15 padding elements of 1.6 bytes and a long base
    assert packed.payload_nbytes < dense_half + 1500 * (15 * 1.7 + 4)
    round_trip(values, "hybrid")
    round_trip(values, "rle")


def test_slope_fits_a_byte() -> None:
    """15 * m + delta must not overflow: at high sparsity the mean distance exceeds 17."""
    for distance in (16, 17, 18, 19, 40, 100):
        values = np.zeros(20_000, np.int8)
        values[::distance] = 1
        packed = round_trip(values, "dcsr")
        header = packed.nbytes - packed.payload_nbytes
        assert packed.to_bytes()[header + 4] <= 17


def test_delta_uses_all_eight_bits() -> None:
    values = np.zeros(2000, np.int8)
    values[:40] = 1  # a dense start pulls the slope down,
    values[40:900:61] = 2  # wide gaps need deltas beyond four bits
    packed = round_trip(values, "dcsr")
    offset = packed.nbytes - packed.payload_nbytes
    k = int.from_bytes(packed.to_bytes()[offset : offset + 4], "little")
    n_groups = -(-k // 16)
    start = offset + 8 + -(-k // 4) * 4 + 16 * -(-n_groups // 2)
    bitmaps = packed.to_bytes()[start : start + -(-n_groups // 2)]
    assert any(byte & 0x88 for byte in bitmaps)  # bit 3 of a tracking bitmap is delta bit 7


@pytest.mark.parametrize("n", [255, 256, 257, 511, 512])
@pytest.mark.parametrize("n_zeros", [0, 1, 2])
def test_psr_blocks_that_are_full(n: int, n_zeros: int) -> None:
    """256 non-zeros do not fit a count byte."""
    values = np.full(n, 9, np.int8)
    values[:n_zeros] = 0
    round_trip(values, "psr")


def test_interleaved_groups_come_back_in_order() -> None:
    """The even group of a pair is in the upper nibbles, and pairs may be incomplete."""
    for k in range(1, 70):
        values = np.zeros(k * 5, np.int8)
        values[::5] = np.arange(1, k + 1)
        values[3::35] = -7
        round_trip(values, "dcsr")


@pytest.mark.parametrize("name", formats())
def test_minus_128_and_tiles(name: str) -> None:
    values = random_array(1000, 0.5)
    values[values > 0] = -128
    for tile in (1, 3, 16, 255, 999):
        round_trip(values, name, tile=tile)


def test_zero_point() -> None:
    """A weight of 0 is not a zero where the zero point is another value."""
    # The zero of the model may be rare or absent, and what is frequent may be another value.
    sparse = random_array(4096, 0.5)
    shifted = np.where(sparse == 0, 3, np.where(sparse == 3, 0, sparse)).astype(np.int8)
    tensors = [
        sp.WeightTensor("conv1", sparse, zero_point=3),
        sp.WeightTensor("conv2", shifted, zero_point=3, operators=("CONV_2D",)),
        sp.WeightTensor("mul", random_array(9000, 0.5), zero_point=-50, operators=("MUL",)),
        sp.WeightTensor("full", np.full(5000, -50, np.int8), zero_point=-50),
    ]
    for name in ("auto", *formats()):
        for tensor, choice in zip(tensors, sp.plan(tensors, name), strict=True):
            assert choice.note == ""
            assert name in ("auto", choice.packed.format)
            np.testing.assert_array_equal(choice.packed.unpack(), tensor.values)
            # Nothing but the values counts.
            assert choice.packed == sp.pack(tensor.values, name)
    assert "dense" not in {choice.packed.format for choice in sp.plan(tensors)}
    small = sp.WeightTensor("conv", random_array(64, 0.5), zero_point=3, operators=("CONV_2D",))
    (choice,) = sp.plan([small])
    assert (choice.packed.format, choice.note) == ("bitmap", "")


def test_rans_block_of_more_bytes_than_16_bits_count() -> None:
    """A dense block of rare values among sparse ones of others: 9 bits an element."""
    rng = np.random.default_rng(1)
    values = np.zeros(17 * 65_520, np.int8)
    values[::2] = rng.integers(1, 17, values[::2].size)
    block = values[3 * 65_520 : 4 * 65_520]
    block[:] = rng.integers(100, 116, block.size) * rng.choice([1, -1], block.size)
    packed = round_trip(values, "rans")
    header = packed.nbytes - packed.payload_nbytes
    assert packed.to_bytes()[header + 1] & 2  # blocks are half as long
    assert packed.streams["blocks"] == 34 * 42


def test_huffman_in_every_form() -> None:
    """Positions by a bitmap, none at all, or coded gaps (2 stands for more), and any raw bits."""
    forms = set()
    for sparsity in (0.0, 0.5, 0.8):
        for deviation in (2, 8, 20, 35):
            rng = np.random.default_rng(4)
            values = np.clip(np.rint(rng.normal(0, deviation, 6000)), -128, 127).astype(np.int8)
            values[values == 0] = 1
            values[rng.random(values.size) < sparsity] = 0
            packed = round_trip(values, "huffman")
            header = packed.to_bytes()[-packed.payload_nbytes :]
            forms.add((min(header[1], 2), header[0] & 7))
    assert forms == {(positions, raw_bits) for positions in (0, 1, 2) for raw_bits in (0, 2, 4)}
