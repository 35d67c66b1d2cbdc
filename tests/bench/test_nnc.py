# SPDX-License-Identifier: Apache-2.0
"""bench/nnc.py: the orders it tries hold all values, and NNCodec gives back what it was given."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from arrays import random_array

FILE = Path(__file__).resolve().parents[2] / "bench/nnc.py"


@pytest.fixture(scope="module")
def nnc() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_nnc", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("shape", [(8, 3, 3, 4), (16, 1, 1, 8), (5, 7), (11,), ()])
def test_orders_hold_all_values(nnc: ModuleType, shape: tuple[int, ...]) -> None:
    values = random_array(int(np.prod(shape)), 0.5).reshape(shape)
    matrices = list(nnc.orders(values))
    assert len(matrices) == (3 if shape == (8, 3, 3, 4) else 2)
    for matrix in matrices:
        assert matrix.ndim == 2
        assert matrix.flags.c_contiguous
        assert sorted(matrix.reshape(-1)) == sorted(values.reshape(-1))
    if shape == (8, 3, 3, 4):
        kernel = values[2, :, :, 1].reshape(-1)
        assert matrices[2][2, 9:18].tolist() == kernel.tolist()


def test_without_nncodec(nnc: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(nnc.importlib, "import_module", missing)
    assert nnc.encoder() is None


@pytest.mark.parametrize("sparsity", [0.0, 0.7, 1.0])
def test_round_trip(nnc: ModuleType, sparsity: float) -> None:
    codec = pytest.importorskip("nncodec.extensions.deepCABAC", reason=nnc.MISSING)
    values = random_array(32 * 36, sparsity).reshape(32, 3, 3, 4)
    values[3:6] = 0
    sizes = []
    for matrix in nnc.orders(values):
        for length in nnc.UNARY_LENGTHS:
            data = nnc.encode(codec, matrix, length)
            sizes.append(len(data))
            assert np.array_equal(nnc.decode(codec, data, matrix.shape, length), matrix)
    assert nnc.encoder()(values) == min(sizes)
