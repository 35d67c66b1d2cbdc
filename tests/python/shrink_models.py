# SPDX-License-Identifier: Apache-2.0
"""Tiny models for the tests of shrink: layers of every kind, with bias, on int8 or int16."""

from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_models import ModelBuilder, schema

Array = npt.NDArray[Any]


def random_weights(*shape: int, zeros: float = 0.0, seed: int = 0) -> npt.NDArray[np.int8]:
    """Bell-shaped weights of which each is 0 with a probability."""
    rng = np.random.default_rng([seed, *shape])
    values = np.clip(np.rint(rng.normal(0, 40, shape)), -127, 127).astype(np.int8)
    values[rng.random(shape) < zeros] = 0
    return values


def correlated_inputs(n: int, *shape: int, dtype: str = "int8", seed: int = 0) -> Array:
    """Samples whose elements are mixtures of a few random numbers; the same for each seed."""
    size = int(np.prod(shape))
    mixture = np.random.default_rng(size).normal(size=(max(2, size // 8), size))
    rng = np.random.default_rng([seed, n, *shape])
    values = rng.normal(size=(n, len(mixture))) @ mixture / len(mixture) ** 0.5
    values += 0.1 * rng.normal(size=values.shape) + 0.5
    largest = np.iinfo(dtype).max
    return (
        np.clip(np.rint(values * largest / 4), -largest, largest).astype(dtype).reshape(n, *shape)
    )


def add_layer(
    build: ModelBuilder,
    kind: str,
    source: int,
    weights: Array,
    sink_shape: tuple[int, ...],
    *,
    options: Any = None,
    bias: bool = True,
    per_channel: bool = True,
    sink_scale: float = 0.05,
    dtype: str = "int8",
) -> int:
    """Add a layer with constants of its own. Returns its output."""
    axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
    n_rows = weights.shape[axis]
    source_scale = float(build.graph.tensors[source].quantization.scale[0])
    scales = np.linspace(0.002, 0.004, n_rows) if per_channel else np.array([0.003])
    number = len(build.graph.operators)
    w = build.constant(
        f"w{number}", weights, scale=scales.tolist(), zero_point=[0] * len(scales), axis=axis
    )
    inputs = [source, w]
    if bias:
        values = np.arange(n_rows) * 50 - 25 * n_rows
        stored = values.astype(np.int64 if dtype == "int16" else np.int32)
        units = (scales * source_scale).tolist()
        inputs.append(
            build.constant(f"bias{number}", stored, scale=units, zero_point=[0] * len(units))
        )
    zero_point = 0 if dtype == "int16" else 4
    sink = build.tensor(
        f"y{number}", sink_shape, dtype, scale=[sink_scale], zero_point=[zero_point]
    )
    if kind == "TRANSPOSE_CONV":
        shape = build.constant(f"shape{number}", np.array(sink_shape, np.int32), scale=[])
        inputs = [shape, w, source, *inputs[2:]]
    versions = {"FULLY_CONNECTED": 4, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 3}
    build.operator(kind, inputs, [sink], options or default_options(kind), versions[kind])
    return sink


def default_options(kind: str) -> Any:
    """Stride 1, padding SAME."""
    if kind == "FULLY_CONNECTED":
        return schema.FullyConnectedOptionsT()
    if kind == "DEPTHWISE_CONV_2D":
        return schema.DepthwiseConv2DOptionsT(strideW=1, strideH=1, depthMultiplier=1)
    if kind == "TRANSPOSE_CONV":
        return schema.TransposeConvOptionsT(strideW=1, strideH=1)
    return schema.Conv2DOptionsT(strideW=1, strideH=1)


def start(
    shape: tuple[int, ...], dtype: str = "int8", zero_point: int = -3
) -> tuple[ModelBuilder, int]:
    """A model with an input and nothing else yet."""
    build = ModelBuilder()
    scale = 4 / np.iinfo(dtype).max
    x = build.tensor("x", shape, dtype, scale=[scale], zero_point=[zero_point])
    return build, x


def one_layer(
    kind: str, weights: Array, shape: tuple[int, ...], sink_shape: tuple[int, ...], **more: Any
) -> bytes:
    """x -> one layer."""
    dtype = more.get("dtype", "int8")
    build, x = start(shape, dtype, 0 if dtype == "int16" else -3)
    y = add_layer(build, kind, x, weights, sink_shape, **more)
    return build.ends([x], [y]).to_bytes()


def convolutions(zeros: float = 0.0, dtype: str = "int8") -> bytes:
    """Convolutions only: 8x8x2 -> 4x4x10."""
    build, x = start((1, 8, 8, 2), dtype, 0 if dtype == "int16" else -3)
    more = {"dtype": dtype, "sink_scale": 0.05 if dtype == "int8" else 0.05 / 256}
    stride2 = schema.Conv2DOptionsT(strideW=2, strideH=2)
    first = random_weights(128, 3, 3, 2, zeros=zeros)
    y = add_layer(build, "CONV_2D", x, first, (1, 4, 4, 128), options=stride2, **more)
    depthwise = random_weights(1, 5, 5, 128, zeros=zeros)
    y = add_layer(build, "DEPTHWISE_CONV_2D", y, depthwise, (1, 4, 4, 128), **more)
    last = random_weights(10, 3, 3, 128, zeros=zeros, seed=1)
    y = add_layer(build, "CONV_2D", y, last, (1, 4, 4, 10), **more | {"per_channel": False})
    return build.ends([x], [y]).to_bytes()


def classifier(zeros: float = 0.0, dtype: str = "int8") -> bytes:
    """A convolution, a depthwise one, and two fully connected layers: 8x8x2 -> 10 classes."""
    build, x = start((1, 8, 8, 2), dtype, 0 if dtype == "int16" else -3)
    fine = 0.05 if dtype == "int8" else 0.05 / 256
    more = {"dtype": dtype, "sink_scale": fine}
    stride2 = schema.Conv2DOptionsT(strideW=2, strideH=2)
    first = random_weights(16, 3, 3, 2, zeros=zeros)
    y = add_layer(build, "CONV_2D", x, first, (1, 4, 4, 16), options=stride2, **more)
    depthwise = random_weights(1, 3, 3, 16, zeros=zeros)
    y = add_layer(build, "DEPTHWISE_CONV_2D", y, depthwise, (1, 4, 4, 16), **more)
    shape = build.constant("shape", np.array([-1, 256], np.int32), scale=[])
    zero_point = 0 if dtype == "int16" else 4
    flat = build.tensor("flat", (1, 256), dtype, scale=[fine], zero_point=[zero_point])
    build.operator("RESHAPE", [y, shape], [flat], schema.ReshapeOptionsT())
    hidden = random_weights(32, 256, zeros=zeros)
    y = add_layer(build, "FULLY_CONNECTED", flat, hidden, (1, 32), **more | {"per_channel": False})
    last = random_weights(10, 32, zeros=zeros, seed=1)
    y = add_layer(build, "FULLY_CONNECTED", y, last, (1, 10), **more | {"per_channel": False})
    return build.ends([x], [y]).to_bytes()
