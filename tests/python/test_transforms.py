# SPDX-License-Identifier: Apache-2.0
"""Transforms: encoder, C decoder and reference agree, and what is tried makes blobs smaller."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from arrays import Int8Array, random_array
from hypothesis import given, settings
from hypothesis import strategies as st

import stridepack as sp
from stridepack import reference
from stridepack.reference import transforms as described
from stridepack.transforms import Transforms, choose_transforms
from stridepack.transforms.apply import Live, Prediction

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/format.md"


def check(
    values: Int8Array, format: str, transforms: Transforms, tile: int | None = None
) -> sp.Packed:
    """Encode with C++ and the reference, decode with C and the reference: all must agree."""
    packed = sp.Packed.encode(values, format, tile, transforms=transforms)
    live, prediction = transforms.live, transforms.prediction
    parts = None
    if live is not None:
        parts = described.Parts(live.row, live.rows, live.columns, live.unit, live.classes)
    predicted = None
    if prediction is not None:
        predicted = described.Prediction(prediction.kind, prediction.distance, prediction.second)
    blob = packed.to_bytes()
    assert blob.hex() == reference.encode(values, format, tile, parts, predicted).hex()
    np.testing.assert_array_equal(reference.decode(blob), values)
    again = sp.Packed.from_bytes(blob)
    np.testing.assert_array_equal(again.unpack(), values)
    tiles = [again.unpack_tile(t) for t in range(again.n_tiles)]
    np.testing.assert_array_equal(np.concatenate(tiles), values.reshape(-1))
    assert sum(packed.streams.values()) == packed.payload_nbytes
    assert again.transforms.header() == transforms.header()
    return packed


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, Live | None]:
    """Live parts, and the elements of the tensor."""

    def bits(n: int) -> np.ndarray:
        return np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)

    columns, repeats = draw(st.integers(2, 40)), draw(st.integers(1, 3))
    row, n_rows = columns * repeats, draw(st.integers(2, 9))
    n = row * n_rows
    kinds = draw(st.integers(0, 7))
    if kinds == 0:
        return n, None
    unit = draw(st.integers(1, 5))
    return n, Live(
        *((row, bits(n_rows)) if kinds & 1 else (0, None)),
        bits(columns) if kinds & 2 else None,
        *(
            (unit, bits(draw(st.integers(2, n // unit))))
            if kinds & 4 and n >= 2 * unit
            else (0, None)
        ),
    )


@st.composite
def transformed(draw: st.DrawFn) -> tuple[Int8Array, Transforms]:
    """An array, and transforms that fit it."""
    n, live = draw(lives())
    if live is not None and live.rows is None and live.columns is None and live.classes is None:
        live = None
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    values = rng.integers(-128, 128, n).astype(np.int8)
    if draw(st.booleans()):
        values = np.where(rng.random(n) < 0.3, -128, values).astype(np.int8)
    values[rng.random(n) < draw(st.sampled_from([0, 0.5, 0.95, 1]))] = 0
    if live is not None:
        values[~live.mask(0, n)] = 0
    prediction = None
    if draw(st.booleans()):
        distance = st.integers(1, n - 1) | st.integers(1, min(20, n - 1))
        prediction = Prediction(draw(st.integers(0, 4)), draw(distance), draw(distance))
    return values, Transforms(live, prediction)


@settings(max_examples=300, deadline=None)
@given(
    case=transformed(),
    format=st.sampled_from(sp.formats()),
    tile=st.none() | st.integers(1, 200),
)
def test_any_transforms(case: tuple[Int8Array, Transforms], format: str, tile: int | None) -> None:
    values, transforms = case
    if transforms and (tile is None or values.size // tile < 40):
        check(values, format, transforms, tile)


def test_example_of_the_document() -> None:
    match = re.search(r"^```\nexample transforms\n(.*?)^```", DOCUMENT.read_text(), re.S | re.M)
    assert match
    lines = re.findall(r"^\w+ +((?:[0-9a-f]{2}(?: |$))+)", match[1], re.M)
    values = np.zeros((6, 4), np.int8)
    values[0], values[2], values[3], values[5] = (
        (3, -1, 0, 4),
        (9, 0, 0, -5),
        (0, 7, 0, 0),
        (-128, 2, 0, 1),
    )
    classes = np.array([True, False, True])
    live = Live(4, values.any(axis=1), values.any(axis=0), 1, classes)
    packed = check(values, "bitmap", Transforms(live, Prediction(1, 4, 8)))
    assert packed.to_bytes().hex(" ") == bytes.fromhex("".join(lines)).hex(" ")
    assert {name: size for name, size in packed.streams.items() if size} == {
        "bitmaps": 3,
        "part_sizes": 4,
        "header": 8,
        "bitmap": 2,
        "values_8": 9,
        "alignment": 10,
    }


# What the encoder tries ---------------------------------------------------------------------------


def with_dead_columns() -> Int8Array:
    values = random_array(64 * 96, 0.3, seed=1).reshape(64, 96)
    values[:, np.random.default_rng(2).random(96) < 0.5] = 0
    values[::3] = 0
    return values


def with_two_classes() -> Int8Array:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 30, (64, 400)).clip(-128, 127).astype(np.int8)
    sparse = rng.random(400) < 0.5
    values[:, sparse] = np.where(rng.random((64, int(sparse.sum()))) < 0.1, 1, 0)
    return values


def with_neighbours_alike() -> Int8Array:
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 10, (100, 128))
    for i in range(1, 100):
        noise[i] += 0.8 * noise[i - 1]
    return noise.clip(-128, 127).astype(np.int8)


@pytest.mark.parametrize("format", ["rans", "huffman"])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (with_dead_columns(), ["dead rows and columns"]),
        (with_two_classes(), ["two classes"]),
        (with_neighbours_alike(), ["predicted"]),
    ],
)
def test_structure_is_used(format: str, values: Int8Array, words: list[str]) -> None:
    plain = sp.pack(values, format, transforms=False)
    packed = sp.pack(values, format)
    assert packed.nbytes < 0.97 * plain.nbytes
    assert set(words) <= set(packed.transforms.words())
    assert words[0] in repr(packed)
    assert not plain.transforms
    np.testing.assert_array_equal(packed.unpack(), values)


def test_bitmap_leaves_out_what_is_dead_and_no_more() -> None:
    values = with_dead_columns()
    packed = sp.pack(values, "bitmap")
    assert packed.transforms.words() == ["dead rows and columns"]
    assert packed.nbytes < sp.pack(values, "bitmap", transforms=False).nbytes
    assert not sp.pack(with_neighbours_alike(), "bitmap").transforms


@pytest.mark.parametrize("format", ["dense", "psr", "rle", "dcsr", "hybrid"])
def test_formats_of_the_paper_stay_plain(format: str) -> None:
    assert not sp.pack(with_dead_columns(), format).transforms


def test_nothing_gets_larger() -> None:
    for n in (0, 1, 2, 63, 64, 1000, 5000):
        for sparsity in (0, 0.5, 0.9, 1):
            values = random_array(n, sparsity)
            for tile in (None, 100):
                packed = sp.pack(values, tile=tile)
                assert packed.nbytes <= sp.pack(values, tile=tile, transforms=False).nbytes
                np.testing.assert_array_equal(packed.unpack(), values)


def test_plan_and_tiles() -> None:
    tensors = [
        sp.WeightTensor("dead", with_dead_columns()),
        sp.WeightTensor("alike", with_neighbours_alike()),
    ]
    for tile in (None, 1000):
        for choice in sp.plan(tensors, "rans", tile=tile):
            assert choice.packed.transforms
            assert choice.packed.tile_size == (tile or choice.tensor.size)
            assert not sp.plan([choice.tensor], "rans", tile=tile, transforms=False)[
                0
            ].packed.transforms


def test_search_takes_no_time() -> None:
    """A million weights in well under a second: this machine may be slow, and busy."""
    values = np.tile(with_neighbours_alike(), (80, 1)).reshape(1000, 1024)
    begin = time.process_time()
    assert choose_transforms(values, None)
    assert time.process_time() - begin < 3
