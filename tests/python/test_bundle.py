# SPDX-License-Identifier: Apache-2.0
"""Bundles: what is written is read, by Python and by the C runtime, and nothing else is."""

import contextlib

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.files.spk import build_bundle, parse_bundle

TENSORS = {
    "conv/kernel": sp.pack(random_array(600, 0.5).reshape(20, 30), "hybrid"),
    "": sp.pack(np.zeros(0, np.int8), "psr"),
    "Gewicht \u00e4\u00f6\u00fc \U0001f600": sp.pack(random_array(1000, 0.9), "rle", tile=100),
}


@pytest.mark.parametrize("tensors", [{}, TENSORS, dict(list(TENSORS.items())[:1])])
def test_round_trip(tensors: dict[str, sp.Packed]) -> None:
    assert parse_bundle(build_bundle(tensors)) == tensors


def test_blobs_are_aligned() -> None:
    data = build_bundle(TENSORS)
    for packed in TENSORS.values():
        assert data.index(packed.to_bytes()) % 4 == 0


@pytest.mark.parametrize(
    ("shape", "tile"),
    [
        ((64, 3, 3, 64), None),
        ((1, 3, 3, 512), None),
        ((256, 1, 1, 1024), None),
        ((1024, 3, 3, 512), 4096),
        ((10, 64), None),
    ],
)
@pytest.mark.parametrize("names", [True, False])
def test_what_a_tensor_takes_beside_its_streams_and_its_name(
    shape: tuple[int, ...], tile: int | None, names: bool
) -> None:
    """Entry of the table, header of the blob and alignment: at most 28 bytes."""
    packed = sp.pack(np.zeros(shape, np.int8), "rle", tile=tile)
    tensors = {f"layer{i}/kernel": packed for i in range(50)}
    stored = sum(len(name) + 1 for name in tensors) if names else 0
    size = len(build_bundle(tensors, names=names))
    assert size - 24 - stored - 50 * packed.payload_nbytes <= 28 * 50


def test_truncated_or_longer_bundles_are_errors() -> None:
    data = build_bundle(TENSORS)
    for end in range(len(data)):
        with pytest.raises(sp.CorruptDataError):
            parse_bundle(data[:end])
    with pytest.raises(sp.CorruptDataError):
        parse_bundle(data + b"\0")


def test_damaged_bundles_are_errors_or_right() -> None:
    data = build_bundle(TENSORS)
    rng = np.random.default_rng(3)
    for _ in range(2000):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        with contextlib.suppress(sp.CorruptDataError):
            assert parse_bundle(bytes(damaged)) == TENSORS


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a\0b", r"The name of tensor 'a\\x00b' has a zero byte"),
        ("x" * 65_536, r"The name of tensor 'x{80}' has 65,536 bytes\. .* at most 65,535 bytes"),
    ],
)
def test_bad_names(name: str, message: str) -> None:
    with pytest.raises(sp.InputError, match=message):
        build_bundle({name: TENSORS[""]})
