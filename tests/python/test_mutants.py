# SPDX-License-Identifier: Apache-2.0
"""What tests/fuzz/fuzz_tflite.py found in mutants of .tflite files, each by its kind."""

import math
from collections.abc import Callable

import pytest

pytest.importorskip("tflite_micro")

from tflite_models import ModelBuilder, conv_layer, dense_layer, schema, sparse

import stridepack as sp
from stridepack.shrink.layers import find_layers
from stridepack.tflite.arena.lifetimes import find_lifetimes
from stridepack.tflite.arena.scratch import _KERNELS
from stridepack.tflite.model import load_model


def test_subgraphs_that_call_themselves() -> None:
    """Deeper than Python goes."""
    build = dense_layer(sparse(32, 32))
    again = schema.WhileOptionsT(condSubgraphIndex=0, bodySubgraphIndex=0)
    build.operator("WHILE", [0], [0], again)
    with pytest.raises(sp.ModelError, match="call each other without an end"):
        find_lifetimes(load_model(build.to_bytes(), "model"))


@pytest.mark.parametrize("kernel", _KERNELS)
def test_operators_without_their_operands(kernel: str) -> None:
    """The arena of what no interpreter runs is estimated."""
    for n_inputs in (0, 1, 2, 3, 20):
        build = dense_layer(sparse(32, 32))
        scalar = build.tensor("scalar", [])
        build.operator(kernel, [scalar] * n_inputs, [scalar] * (n_inputs != 3))
        find_lifetimes(load_model(build.to_bytes(), "model"))


def _without_outputs(build: ModelBuilder) -> None:
    build.graph.operators[0].outputs = []


def _without_input(build: ModelBuilder) -> None:
    build.graph.operators[0].inputs[0] = -1


def _without_options(build: ModelBuilder) -> None:
    build.graph.operators[0].builtinOptionsType = schema.BuiltinOptions.NONE
    build.graph.operators[0].builtinOptions = None


def _flat_weights(build: ModelBuilder) -> None:
    weights = build.graph.tensors[1]
    weights.shape = [math.prod(weights.shape)]
    weights.quantization.scale = [0.1]
    weights.quantization.zeroPoint = [0]
    weights.quantization.quantizedDimension = 0


def _scalar_input(build: ModelBuilder) -> None:
    build.graph.tensors[0].shape = []


def _no_zero_point(build: ModelBuilder) -> None:
    build.graph.tensors[0].quantization.zeroPoint = None


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_without_outputs, "has no input or no output"),
        (_without_input, "has no input or no output"),
        (_without_options, "has no options"),
        (_flat_weights, "is not that of weights of"),
        (_scalar_input, "has not 4 dimensions"),
        (_no_zero_point, "has not one zero point"),
    ],
)
def test_layers_that_nothing_runs_are_not_rounded(
    damage: Callable[[ModelBuilder], None], why: str, kind: str
) -> None:
    shape = (1, 3, 3, 72) if kind == "DEPTHWISE_CONV_2D" else (8, 3, 3, 8)
    build = conv_layer(sparse(*shape), kind=kind)
    damage(build)
    layers, obstacles = find_layers(load_model(build.to_bytes(), "model"))
    assert not layers
    assert why in obstacles["conv/w"]
