# SPDX-License-Identifier: Apache-2.0
"""bitmap of values with few bits: every width, patches of every kind, and how small it gets."""

import numpy as np
import pytest
from arrays import Int8Array, random_array
from compare import check
from hypothesis import given, settings
from hypothesis import strategies as st

import stridepack as sp
from stridepack.formats.bitmap import BitmapHeader

WIDTHS = range(1, 9)


def header_of(packed: sp.Packed) -> BitmapHeader:
    ((tile, n),) = packed.tiles()
    return BitmapHeader(tile, n)


def uniform(n: int, sparsity: float, largest: int, seed: int = 0) -> Int8Array:
    """Values of up to that magnitude, each equally often but 0."""
    rng = np.random.default_rng(seed)
    values = rng.integers(1, largest + 1, n) * rng.choice([-1, 1], n)
    values[rng.random(n) < sparsity] = 0
    return values.astype(np.int8)


def laplace(n: int, scale: float, seed: int = 0) -> Int8Array:
    """Most values near 0, few far from it."""
    values = np.random.default_rng(seed).laplace(0, scale, n)
    return np.clip(np.rint(values), -128, 127).astype(np.int8)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_width_holds_every_value(width: int) -> None:
    """Lengths around each group of 32, 64 and 128, and values that need several patches."""
    for n in (*range(18), 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 400):
        check(random_array(n, 0.0), "bitmap", width=width)
        check(random_array(n, 0.4), "bitmap", width=width)
        check(laplace(n, 2.0), "bitmap", width=width)


@settings(max_examples=200, deadline=None)
@given(
    n=st.integers(0, 700),
    low=st.integers(-128, 127),
    high=st.integers(-128, 127),
    far=st.integers(-128, 127),
    rare=st.integers(2, 300),
    sparsity=st.sampled_from([0.0, 0.3, 0.8]),
    width=st.none() | st.sampled_from(WIDTHS),
)
def test_ranges(
    *, n: int, low: int, high: int, far: int, rare: int, sparsity: float, width: int | None
) -> None:
    """Any range of values, with a rare one far from it."""
    rng = np.random.default_rng(n)
    values = rng.integers(min(low, high), max(low, high) + 1, n)
    values[rng.random(n) < sparsity] = 0
    values[rare::rare] = far
    check(values.astype(np.int8), "bitmap", **({} if width is None else {"width": width}))


def test_thousands_of_patches() -> None:
    """More than a decoder adds up at a time, close together and far apart."""
    values = laplace(30_000, 1.0)
    values[9000:15_000] = 1
    check(values, "bitmap", width=1)
    assert header_of(sp.pack(values, "bitmap", width=1)).sizes["patches"] > 5000


@pytest.mark.parametrize(
    ("values", "width", "has_bitmap"),
    [
        (uniform(9000, 0.7, 1), 1, True),
        (uniform(9000, 0.7, 2), 2, True),
        (uniform(9000, 0.7, 7), 4, True),
        (uniform(9000, 0.7, 32), 6, True),
        (uniform(9000, 0.7, 127), 8, True),
        (uniform(9000, 0.05, 7), 4, False),
        (uniform(9000, 0.0, 1), 1, False),
        (np.append(uniform(9000, 0.7, 7), np.int8(127)), 4, True),
    ],
)
def test_what_the_encoder_chooses(values: Int8Array, width: int, has_bitmap: bool) -> None:
    header = header_of(sp.pack(values, "bitmap"))
    assert (header.width, header.has_bitmap) == (width, has_bitmap)


def test_the_hole_that_pruning_leaves_takes_no_bits() -> None:
    values = uniform(9000, 0.5, 8)
    far = values + 90 * np.sign(values)
    sizes = [sp.pack(array.astype(np.int8), "bitmap").payload_nbytes for array in (values, far)]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("values", "bound"),
    [
        (uniform(73_728, 0.7, 7), 1.09),
        (laplace(73_728, 0.42), 1.17),
        (laplace(73_728, 1.0), 1.17),
    ],
)
def test_near_the_entropy(values: Int8Array, bound: float) -> None:
    entropy = sp.WeightTensor("w", values).entropy_nbytes
    packed = sp.pack(values, "bitmap")
    assert entropy < packed.payload_nbytes < bound * entropy
    assert packed.payload_nbytes < 0.75 * sp.pack(values, "bitmap", width=8).payload_nbytes


@pytest.mark.parametrize("width", [0, 9, -1, 2.5, "x", True])
def test_width_out_of_range(width: object) -> None:
    with pytest.raises(sp.InputError, match=rf"`width={width}` "):
        sp.pack(uniform(100, 0.5, 7), "bitmap", width=width)
