# SPDX-License-Identifier: Apache-2.0
"""Tensors that are worked on in parts: the same as if they were not, and without large copies."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.packed import dense_nbytes
from stridepack.tensor import byte_counts, equal_values

N = 2**20 + 2**18 + 5


def test_counts_and_comparison_across_parts() -> None:
    values = random_array(N, 0.4)
    np.testing.assert_array_equal(
        byte_counts(values), np.bincount(values.view(np.uint8), minlength=256)
    )
    assert equal_values(values, values.copy())
    for at in (0, 2**20 - 1, 2**20, N - 1):
        other = values.copy()
        other[at] ^= 1
        assert not equal_values(values, other)
    assert not equal_values(values, values.reshape(1, -1))


@pytest.mark.parametrize("tile", [None, 1, 2, 7, 100])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 7), (1, 1, 1, 1, 9)])
def test_the_size_of_dense_is_known(shape: tuple[int, ...], tile: int | None) -> None:
    assert dense_nbytes(shape, tile) == sp.pack(np.zeros(shape, np.int8), "dense", tile=tile).nbytes


@pytest.mark.parametrize("n_scales", [1, 5])
@pytest.mark.parametrize("n_values", [2, 5, 100])
def test_lut_across_parts(n_scales: int, n_values: int) -> None:
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    from tflite_models import ModelBuilder, schema

    from stridepack.tflite.types import decode_type

    build = ModelBuilder()
    values = np.random.default_rng(0).integers(0, n_values, (5, 2**17 + 3)).astype(np.int8)
    scales = {"scale": [0.1] * n_scales, "zero_point": [0] * n_scales}
    tensor: Any = build.graph.tensors[build.constant("w", values, **scales)]
    assert isinstance(tensor, schema.TensorT)
    lut = decode_type("tflm_lut")
    payload = lut.encode(values, tensor)
    contents = (np.frombuffer(b, np.uint8) for b in (payload.encoded, payload.ancillary))
    np.testing.assert_array_equal(lut.decode(tensor, *contents), values)
    assert len(payload.encoded) == -(-values.size * (n_values - 1).bit_length() // 8)


def test_prune_across_parts() -> None:
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    from tflite_models import ModelBuilder

    from stridepack.tflite.types import decode_type

    build = ModelBuilder()
    values = random_array(N, 0.4)
    tensor: Any = build.graph.tensors[build.constant("w", values)]
    prune = decode_type("tflm_prune")
    payload = prune.encode(values, tensor)
    contents = [np.frombuffer(b, np.uint8) for b in (payload.encoded, payload.ancillary)]
    np.testing.assert_array_equal(contents[0], np.packbits(values != 0))
    np.testing.assert_array_equal(contents[1][16:].view(np.int8), values[values != 0])
    np.testing.assert_array_equal(prune.decode(tensor, *contents), values)


def test_the_size_in_a_file_is_known_without_the_data() -> None:
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    import flatbuffers

    from stridepack.tflite.graph import _left_out, _short
    from stridepack.tflite.model import Buffer

    def offset(buffer: Buffer) -> int:
        builder = flatbuffers.Builder(0)
        builder.Prep(16, 0)
        buffer.Pack(builder)
        return int(builder.Offset())

    for n in (0, 1, 15, 16, 17, 31, 32, 33, 47, 1000, 4096, 4097):
        assert offset(_short(n)) + _left_out(n) == offset(Buffer(bytes(n)))


def test_of_several_blobs_the_smallest_is_kept() -> None:
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    from tflite_models import dense_layer, sparse

    from stridepack.tflite.pack import pack_tflite
    from stridepack.tflite.types.blob import Blob

    model = dense_layer(sparse(64, 64)).to_bytes()
    formats = ("bitmap", "rans", "rle", "huffman")
    alone = {f: next(iter(pack_tflite(model, [Blob(f)]).payloads.values())) for f in formats}
    best = min(alone.values(), key=lambda payload: payload.nbytes)
    for order in (formats, formats[::-1]):
        assert [*pack_tflite(model, map(Blob, order)).payloads.values()] == [best]


@pytest.mark.slow
def test_memory_of_one_large_tensor(tmp_path: Path) -> None:
    """At most three times its size, the tensor itself included."""
    n = 2**24
    rng = np.random.default_rng(0)
    values = rng.integers(-40, 41, n, np.int8)
    values[rng.random(n, np.float32) < 0.6] = 0
    np.save(tmp_path / "w.npy", values)
    assert n < peak_of_packing(tmp_path / "w.npy", tmp_path / "w.spk") <= 3 * n


@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["tflm", "stridepack"])
def test_memory_of_one_large_tensor_of_a_tflite(tmp_path: Path, decoder: str) -> None:
    """At most three times its size, beside the file, which is read twice."""
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    from tflite_models import dense_layer

    values = random_array(2**24, 0.6).reshape(2**12, 2**12)
    (tmp_path / "w.tflite").write_bytes(dense_layer(values).to_bytes())
    more = f"decoder={decoder!r}, objective='size'"
    peak = peak_of_packing(tmp_path / "w.tflite", tmp_path / "packed.tflite", more, "load_schema()")
    assert 2 * values.size < peak <= 5 * values.size


def peak_of_packing(model: Path, output: Path, more: str = "", first: str = "") -> int:
    """Bytes of memory that `pack_file` takes at most, in a process of its own.

    Without what it had at the start, after `first`, which may import what is needed.
    """
    code = (
        "import re, sys, stridepack as sp\n"
        "from stridepack.tflite.schema import load_schema\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status())[1]) * 1024\n"
        f"{first}\n"
        f"before = peak(); sp.pack_file(sys.argv[1], sys.argv[2], {more}); print(peak() - before)\n"
    )
    arguments = [model, output]
    said = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        check=True,
        # glibc gives back at once what is freed, as it does with tensors of hundreds of megabytes
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**20)},
    )
    return int(said.stdout)
