"""What tests/fuzz/fuzz_tflite.py found in mutants of .tflite files, each by its kind."""

import pytest

pytest.importorskip("tflite_micro")

from tflite_models import dense_layer, sparse

from stridepack.tflite.arena.lifetimes import find_lifetimes
from stridepack.tflite.arena.scratch import _KERNELS
from stridepack.tflite.model import load_model


@pytest.mark.parametrize("kernel", _KERNELS)
def test_operators_without_their_operands(kernel: str) -> None:
    """The arena of what no interpreter runs is estimated."""
    for n_inputs in (0, 1, 2, 3, 20):
        build = dense_layer(sparse(32, 32))
        scalar = build.tensor("scalar", [])
        build.operator(kernel, [scalar] * n_inputs, [scalar] * (n_inputs != 3))
        find_lifetimes(load_model(build.to_bytes(), "model"))
