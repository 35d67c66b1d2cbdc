# SPDX-License-Identifier: Apache-2.0
"""Layers as matrices: what the patches say must be what the interpreter computes."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from shrink_models import add_layer, correlated_inputs, one_layer, random_weights, start
from tflite_cases import shared_buffer, two_weights_in_one_operator
from tflite_models import conv_layer, dense_layer, schema, sparse

from stridepack.shrink.draft import Draft
from stridepack.shrink.network import Network, real
from stridepack.shrink.patches import patches

SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


def conv(stride: int, padding: int, dilation: int = 1) -> Any:
    return schema.Conv2DOptionsT(
        strideW=stride,
        strideH=stride,
        padding=padding,
        dilationWFactor=dilation,
        dilationHFactor=dilation,
    )


def depthwise(stride: int, padding: int, multiplier: int = 1) -> Any:
    return schema.DepthwiseConv2DOptionsT(
        strideW=stride, strideH=stride, padding=padding, depthMultiplier=multiplier
    )


def transposed(stride: int, padding: int) -> Any:
    return schema.TransposeConvOptionsT(strideW=stride, strideH=stride, padding=padding)


# kind, shape of the weights, of the input and of the output, options
LAYERS: dict[str, tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...], Any]] = {
    "fully connected": ("FULLY_CONNECTED", (5, 12), (1, 12), (1, 5), None),
    "conv": ("CONV_2D", (4, 3, 3, 2), (1, 6, 7, 2), (1, 6, 7, 4), conv(1, SAME)),
    "conv, valid": ("CONV_2D", (4, 3, 2, 2), (1, 6, 7, 2), (1, 4, 6, 4), conv(1, VALID)),
    "conv, stride": ("CONV_2D", (4, 3, 3, 2), (1, 7, 8, 2), (1, 4, 4, 4), conv(2, SAME)),
    "conv, even kernel": ("CONV_2D", (4, 4, 4, 2), (1, 7, 8, 2), (1, 4, 4, 4), conv(2, SAME)),
    "conv, dilation": ("CONV_2D", (4, 3, 3, 2), (1, 9, 8, 2), (1, 9, 8, 4), conv(1, SAME, 2)),
    "conv, valid, stride": ("CONV_2D", (4, 3, 3, 2), (1, 8, 9, 2), (1, 3, 4, 4), conv(2, VALID)),
    "depthwise": (
        "DEPTHWISE_CONV_2D",
        (1, 3, 3, 4),
        (1, 6, 7, 4),
        (1, 6, 7, 4),
        depthwise(1, SAME),
    ),
    "depthwise, multiplier": (
        "DEPTHWISE_CONV_2D",
        (1, 3, 3, 6),
        (1, 6, 7, 2),
        (1, 3, 4, 6),
        depthwise(2, SAME, 3),
    ),
    "transposed": (
        "TRANSPOSE_CONV",
        (4, 3, 3, 2),
        (1, 4, 5, 2),
        (1, 8, 10, 4),
        transposed(2, SAME),
    ),
    "transposed, valid": (
        "TRANSPOSE_CONV",
        (4, 3, 3, 2),
        (1, 4, 5, 2),
        (1, 9, 11, 4),
        transposed(2, VALID),
    ),
    "transposed, large kernel": (
        "TRANSPOSE_CONV",
        (4, 5, 4, 2),
        (1, 4, 5, 2),
        (1, 4, 5, 4),
        transposed(1, SAME),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_patches_times_weights_are_what_the_interpreter_computes(name: str) -> None:
    kind, weights, shape, sink_shape, options = LAYERS[name]
    model = one_layer(kind, random_weights(*weights), shape, sink_shape, options=options)
    (layer,) = Draft(model, "model").layers
    inputs = correlated_inputs(40, *shape[1:])
    expected = Network(model).outputs(inputs)[0]
    x = real(inputs, layer.source_scale, layer.source_zero_point)
    seen = np.concatenate(list(patches(layer, x)), axis=1)
    rows = layer.weights()
    by_group = rows.reshape(layer.n_groups, -1, rows.shape[1])
    products = seen @ by_group[:, :, :-1].transpose(0, 2, 1) + by_group[:, :, -1][:, np.newaxis]
    computed = products.transpose(1, 0, 2).reshape(expected.shape)
    inside = np.abs(expected) < 5  # others may be clipped to the range of int8
    assert inside.mean() > 0.5
    np.testing.assert_allclose(computed[inside], expected[inside], atol=0.06)  # a step is 0.05


@pytest.mark.parametrize("name", LAYERS)
def test_rows_go_there_and_back(name: str) -> None:
    kind, weights, shape, sink_shape, options = LAYERS[name]
    model = one_layer(kind, random_weights(*weights), shape, sink_shape, options=options)
    (layer,) = Draft(model, "model").layers
    rows = layer.to_rows(layer.values)
    assert rows.shape == (len(layer.scales), layer.n_columns)
    np.testing.assert_array_equal(layer.from_rows(rows), layer.values)


def obstacle(model: bytes) -> str:
    draft = Draft(model, "model")
    assert not draft.layers
    return "; ".join(draft.obstacles.values())


def float_input() -> bytes:
    build = dense_layer(sparse(64, 64))
    build.graph.tensors[0].type = schema.TensorType.FLOAT32
    return build.to_bytes()


def float_bias() -> bytes:
    build = dense_layer(sparse(64, 64))
    build.graph.tensors[2].type = schema.TensorType.FLOAT32
    return build.to_bytes()


def constant_input() -> bytes:
    build = dense_layer(sparse(64, 64))
    build.graph.tensors[0].buffer = build.buffer(bytes(64))
    return build.to_bytes()


def grouped() -> bytes:
    build = conv_layer(sparse(32, 3, 3, 16))
    build.graph.tensors[0].shape = [1, 6, 6, 32]
    return build.to_bytes()


def shared_bias() -> bytes:
    build, x = start((1, 64))
    y = add_layer(build, "FULLY_CONNECTED", x, random_weights(64, 64), (1, 64))
    z = add_layer(build, "FULLY_CONNECTED", y, random_weights(64, 64, seed=1), (1, 64))
    first, second = build.graph.operators
    second.inputs[2] = first.inputs[2]
    return build.ends([x], [z]).to_bytes()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (dense_layer(sparse(64, 64), n_readers=2).to_bytes, "2 operators read it"),
        (dense_layer(sparse(64, 64), zero_point=[3]).to_bytes, "zero point is not 0"),
        (two_weights_in_one_operator().to_bytes, "ADD reads it"),
        (shared_buffer().to_bytes, "shares its data"),
        (float_input, "is float32, not int8 or int16"),
        (constant_input, "the input of its layer is a constant"),
        (float_bias, "bias of its layer is float32"),
        (grouped, "grouped convolution"),
        (shared_bias, "shares its bias"),
    ],
)
def test_what_cannot_be_rounded_is_named_with_the_reason(model: Any, reason: str) -> None:
    assert reason in obstacle(model())
