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


@pytest.mark.slow
def test_memory_of_one_large_tensor(tmp_path: Path) -> None:
    """At most three times its size, the tensor itself included."""
    n = 2**24
    rng = np.random.default_rng(0)
    values = rng.integers(-40, 41, n, np.int8)
    values[rng.random(n, np.float32) < 0.6] = 0
    np.save(tmp_path / "w.npy", values)
    code = (
        "import re, sys, stridepack as sp\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status())[1]) * 1024\n"
        "before = peak(); sp.pack_file(sys.argv[1], sys.argv[2]); print(peak() - before)\n"
    )
    arguments = [tmp_path / "w.npy", tmp_path / "w.spk"]
    said = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        check=True,
        # glibc gives back at once what is freed, as it does with tensors of hundreds of megabytes
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**20)},
    )
    assert n < int(said.stdout) <= 3 * n
