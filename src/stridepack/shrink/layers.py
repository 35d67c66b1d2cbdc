# SPDX-License-Identifier: Apache-2.0
"""The weights of a model that can be rounded, as matrices, and why the others cannot.

A layer is an operator that multiplies a constant int8 tensor with its input: CONV_2D,
DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV. All of them are matrix products: a row of
weights for each output channel, and a column for each weight of it. Rows that read the same
inputs are a group: a depthwise convolution has a group for each input channel, a fully connected
layer has one.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.tensor import Int8Array
from stridepack.tflite.constants import Constant, find_constants, named_weights, read_values
from stridepack.tflite.graph import buffer_users
from stridepack.tflite.model import Model, Operator, SubGraph, Tensor, shape_of, type_name

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# For each operator the inputs that hold data, weights and bias.
_OPERANDS = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}

# Live columns for which the statistics of a layer are kept: two matrices of 128 MiB, and copies.
MOST_COLUMNS = 4096

LARGEST_LEVEL = 127  # of a weight that was rounded: as much below 0

BIAS_TYPES: dict[str, Any] = {"int32": np.dtype("<i4"), "int64": np.dtype("<i8")}


@dataclass(frozen=True, eq=False)
class Layer:
    """An operator with weights that can be rounded.

    Attributes
    ----------
    name : str
        Of the weights, as `read_tflite` has it.
    kind : str
        Such as CONV_2D.
    position : int
        Where it stands among the layers, in the order in which they run.
    subgraph : int
    source, weight, sink : int
        Indices of the input, the weights and the output among the tensors of the subgraph.
    bias : int
        Index of the bias; -1 where there is none.
    values : ndarray of int8
        The weights as they are stored.
    scales : ndarray of float64
        One for each row, in the order of `to_rows`; they are all equal where the tensor has one.
    per_channel : bool
        Whether the tensor has a scale for each row.
    source_scale : float
    source_zero_point : int
        Of the input.
    sink_shape : tuple of int
        Of the output, for one sample.
    bias_values : ndarray of int64
        One for each row; zeros where there is no bias.
    options : object
        The operator's options, of the schema: strides, padding, dilation.
    """

    name: str
    kind: str
    position: int
    subgraph: int
    source: int
    weight: int
    bias: int
    sink: int
    values: Int8Array
    scales: Float64
    per_channel: bool
    source_scale: float
    source_zero_point: int
    sink_shape: tuple[int, ...]
    bias_values: Int64
    options: Any

    @property
    def n_groups(self) -> int:
        """Groups of rows that read the same inputs."""
        if self.kind != "DEPTHWISE_CONV_2D":
            return 1
        multiplier = max(1, int(self.options.depthMultiplier))
        return int(self.values.shape[3]) // multiplier

    @property
    def n_columns(self) -> int:
        """Weights of a row."""
        return self.values.size // len(self.scales)

    @cached_property
    def live(self) -> Int64:
        """The columns that are not 0 in all rows; all of them where there are several groups.

        There is at least one.
        """
        if self.n_groups > 1:
            return np.arange(self.n_columns)
        found = np.flatnonzero(self.to_rows(self.values).any(axis=0))
        return found if found.size else np.arange(1)

    def to_rows(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of the shape of the weights as (rows, columns)."""
        if self.kind == "DEPTHWISE_CONV_2D":
            return values.reshape(-1, values.shape[3]).T
        return values.reshape(len(values), -1)

    def from_rows(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The inverse of `to_rows`."""
        if self.kind == "DEPTHWISE_CONV_2D":
            rows = rows.T
        return np.ascontiguousarray(rows).reshape(self.values.shape)

    def weights(self) -> Float64:
        """The real weights, (rows, columns + 1): the bias is the last column."""
        real = self.to_rows(self.values) * self.scales[:, np.newaxis]
        bias = self.bias_values * self.scales * self.source_scale
        return np.column_stack([real, bias])


def find_layers(model: Model) -> tuple[list[Layer], dict[str, str]]:
    """The layers of a model in the order in which they run, and by name why others are none."""
    constants = find_constants(model)
    users = buffer_users(model)
    layers: list[Layer] = []
    obstacles: dict[str, str] = {}
    for name, weight in named_weights(model, constants).items():
        obstacle = _obstacle(model, weight, users)
        layer = None if obstacle else _layer(model, name, weight, len(layers))
        if layer and len(layer.live) > MOST_COLUMNS:
            layer, obstacle = None, f"its rows have more than {MOST_COLUMNS:,} weights"
        if layer:
            layers.append(layer)
        else:
            obstacles[name] = obstacle
    return layers, obstacles


def _obstacle(model: Model, weight: Constant, users: Any) -> str:
    """Why a constant cannot be rounded; empty where it can be."""
    if type_name(weight.tensor) != "int8":
        return f"its elements are {type_name(weight.tensor)}, not int8"
    graph = model.subgraphs[weight.subgraph]
    names = sorted({model.operator_name(graph.operators[o]) for o in weight.readers})
    if not set(names) <= set(_OPERANDS):
        return f"{' and '.join(names)} reads it, which is not a layer that can be rounded"
    if len(weight.readers) != 1:
        return f"{len(weight.readers)} operators read it"
    if weight.encoded:
        return "it is encoded for a DECODE operator: unpack the model first"
    if users[weight.tensor.buffer] != 1:
        return "another tensor shares its data"
    if weight.index in (*graph.inputs, *graph.outputs):
        return f"it is an input or output of subgraph {weight.subgraph}"
    operator = graph.operators[weight.readers[0]]
    data, weights, bias = _operands(operator, names[0])
    if weights != weight.index:
        return f"{names[0]} reads it as another input than its weights"
    return (
        _operator_obstacle(graph, operator, weight, names[0])
        or _quantisation_obstacle(weight, names[0])
        or _source_obstacle(model, graph.tensors[data])
        or _bias_obstacle(model, weight.subgraph, bias, _n_rows(weight, names[0]), users)
        or _group_obstacle(graph, weight, names[0], data)
    )


def _operands(operator: Operator, kind: str) -> list[int]:
    """Indices of the data, the weights and the bias; -1 where there is none."""
    inputs = operator.inputs
    return [inputs[i] if i < len(inputs) else -1 for i in _OPERANDS[kind]]


def _operator_obstacle(graph: SubGraph, operator: Operator, weight: Constant, kind: str) -> str:
    """Why no interpreter runs the layer."""
    shape, n_dims = shape_of(weight.tensor), 2 if kind == "FULLY_CONNECTED" else 4
    if len(shape) != n_dims or 0 in shape:
        return f"its shape {shape} is not that of weights of {kind}"
    data = _operands(operator, kind)[0]
    if data == -1 or len(operator.outputs) != 1:
        return f"its {kind} has no input or no output"
    if kind == "FULLY_CONNECTED":
        return ""
    if len(shape_of(graph.tensors[data])) != n_dims:
        return f"the input of its {kind} has not {n_dims} dimensions"
    return "" if operator.builtinOptions is not None else f"its {kind} has no options"


def _quantisation_obstacle(weight: Constant, kind: str) -> str:
    scale = _scale(weight.tensor)
    n_rows = _n_rows(weight, kind)
    if scale.size not in (1, n_rows):
        return f"it has {scale.size} scales for {n_rows} output channels"
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        return "it has a scale that is not a positive number"
    zero_points = weight.tensor.quantization.zeroPoint
    if zero_points is not None and np.any(zero_points):
        return "its zero point is not 0"
    return ""


def _source_obstacle(model: Model, source: Tensor) -> str:
    if model.data(source).size:
        return "the input of its layer is a constant"
    if type_name(source) not in ("int8", "int16"):
        return f"the input of its layer is {type_name(source)}, not int8 or int16"
    if _scale(source).size != 1:
        return "the input of its layer has not one scale"
    zero_point = source.quantization.zeroPoint
    if zero_point is None or len(zero_point) != 1:
        return "the input of its layer has not one zero point"
    return ""


def _bias_obstacle(model: Model, subgraph: int, bias: int, n_rows: int, users: Any) -> str:
    if bias == -1:
        return ""
    graph = model.subgraphs[subgraph]
    tensor = graph.tensors[bias]
    if type_name(tensor) not in BIAS_TYPES:
        return f"the bias of its layer is {type_name(tensor)}, not int32 or int64"
    if model.data(tensor).size != n_rows * BIAS_TYPES[type_name(tensor)].itemsize:
        return f"the bias of its layer is not a constant of {n_rows} elements"
    if sum(bias in operator.inputs for operator in graph.operators) > 1 or (
        users[tensor.buffer] != 1
    ):
        return "another layer shares its bias"
    return ""


def _group_obstacle(graph: Any, weight: Constant, kind: str, data: int) -> str:
    shape, source = shape_of(weight.tensor), shape_of(graph.tensors[data])
    if kind == "CONV_2D" and source[-1] != shape[3]:
        return "a grouped convolution reads it"
    return ""


def _layer(model: Model, name: str, weight: Constant, position: int) -> Layer:
    graph = model.subgraphs[weight.subgraph]
    operator = graph.operators[weight.readers[0]]
    kind = model.operator_name(operator)
    data, _, bias = _operands(operator, kind)
    values = read_values(model, weight)
    n_rows = _n_rows(weight, kind)
    scale = _scale(weight.tensor)
    bias_values = np.zeros(n_rows, np.int64)
    if bias != -1:
        tensor = graph.tensors[bias]
        bias_values[:] = model.data(tensor).view(BIAS_TYPES[type_name(tensor)])
    return Layer(
        name=name,
        kind=kind,
        position=position,
        subgraph=weight.subgraph,
        source=data,
        weight=weight.index,
        bias=bias,
        sink=operator.outputs[0],
        values=values,
        scales=np.broadcast_to(scale, n_rows),
        per_channel=scale.size > 1,
        source_scale=float(_scale(graph.tensors[data])[0]),
        source_zero_point=int(graph.tensors[data].quantization.zeroPoint[0]),
        sink_shape=shape_of(graph.tensors[operator.outputs[0]]),
        bias_values=bias_values,
        options=operator.builtinOptions,
    )


def _n_rows(weight: Constant, kind: str) -> int:
    return shape_of(weight.tensor)[3 if kind == "DEPTHWISE_CONV_2D" else 0]


def _scale(tensor: Tensor) -> Float64:
    quantization = tensor.quantization
    scale = None if quantization is None else quantization.scale
    return np.zeros(0) if scale is None else np.asarray(scale, np.float64)
