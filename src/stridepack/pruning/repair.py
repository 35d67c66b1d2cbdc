# SPDX-License-Identifier: Apache-2.0
"""Repairs of what ai-edge-quantizer 0.10.0 leaves wrong, or in float, in an int8 model."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from stridepack.tflite.model import (
    Buffer,
    Model,
    Operator,
    Tensor,
    shape_of,
    type_name,
)
from stridepack.tflite.schema import load_schema

_KEEPS_ORDER = ("REDUCE_MAX", "REDUCE_MIN")  # they pick values, in int8 as well as in float


def weighted_operators(model: Model) -> list[Operator]:
    """The operators with inputs (activation, weights, bias), in order of execution."""
    return [op for op in model.subgraphs[0].operators if len(op.inputs) == 3 and op.inputs[2] >= 0]


def _channels_first(model: Model, tensor: Tensor) -> npt.NDArray[np.int8]:
    """The values of a constant int8 tensor, a view with the output channels first."""
    values = model.data(tensor).view(np.int8).reshape(shape_of(tensor))
    return np.moveaxis(values, tensor.quantization.quantizedDimension, 0)


def revive_dead_channels(float_model: Model, int8_model: Model) -> None:
    """Give output channels whose weights are all zero a usable scale, and requantise their bias.

    The quantizer derives such a scale from a range of zero, about 1e-11, with which the bias
    overflows int32 and the channel, a constant, gets a wrong value. Any scale describes zeros:
    take the median of the other channels, or more where the bias would leave 24 bits.
    """
    float_graph, graph = float_model.subgraphs[0], int8_model.subgraphs[0]
    pairs = zip(weighted_operators(float_model), weighted_operators(int8_model), strict=True)
    for float_op, op in pairs:
        source, weight, bias = (graph.tensors[i] for i in op.inputs)
        if int8_model.data(weight).size == 0 or len(shape_of(weight)) < 2:
            continue  # not a layer: both factors are computed
        if type_name(weight) != "int8":
            continue  # it stays in float
        channels = _channels_first(int8_model, weight)
        dead = ~channels.reshape(len(channels), -1).any(axis=1)
        if not dead.any():
            continue
        float_bias = float_model.data(float_graph.tensors[float_op.inputs[2]]).view(np.float32)
        source_scale = np.float32(source.quantization.scale[0])
        wanted = float_bias[dead] / source_scale
        scale = np.array(weight.quantization.scale, np.float32)
        usual = np.float32(1e-3) if dead.all() else np.median(scale[~dead])
        scale[dead] = np.maximum(usual, np.abs(wanted) / 2**24)
        values = int8_model.data(bias).view(np.int32).copy()
        values[dead] = np.rint(wanted / scale[dead])
        int8_model.root.buffers[bias.buffer] = Buffer(values.tobytes())
        weight.quantization.scale = scale
        bias.quantization.scale = scale * source_scale


def quantise_reductions(model: Model) -> None:
    """Let REDUCE_MAX and REDUCE_MIN work on int8, where the quantizer leaves them in float.

    DEQUANTIZE, REDUCE_MAX, QUANTIZE becomes REDUCE_MAX with the scale of its input, then QUANTIZE
    from int8 to int8.
    """
    graph = model.subgraphs[0]
    made_by = {output: op for op in graph.operators for output in op.outputs}
    readers: dict[int, list[Operator]] = {}
    for op in graph.operators:
        for index in op.inputs:
            readers.setdefault(int(index), []).append(op)
    for op in graph.operators:
        if model.operator_name(op) not in _KEEPS_ORDER:
            continue
        before, after = made_by.get(op.inputs[0]), readers.get(int(op.outputs[0]), [])
        if before is None or model.operator_name(before) != "DEQUANTIZE":
            continue
        if {model.operator_name(reader) for reader in after} != {"QUANTIZE"}:
            continue
        source, result = graph.tensors[before.inputs[0]], graph.tensors[op.outputs[0]]
        if type_name(source) != "int8":
            continue
        op.inputs = [before.inputs[0], *op.inputs[1:]]
        result.type, result.quantization = source.type, copy.deepcopy(source.quantization)
        for user in (op, *after):  # version 2 is the first for int8 to int8
            code = model.root.operatorCodes[user.opcodeIndex]
            code.version = max(code.version, 2)
    used = {int(index) for op in graph.operators for index in op.inputs} | set(graph.outputs)
    graph.operators = [
        op
        for op in graph.operators
        if model.operator_name(op) != "DEQUANTIZE" or used & set(op.outputs)
    ]


def quantise_embeddings(model: Model) -> None:
    """Make int8 of the tables of EMBEDDING_LOOKUP, which the quantizer leaves in float.

    The lookup in a float table becomes GATHER from an int8 table with one symmetric scale; the
    QUANTIZE after it then goes from int8 to int8.
    """
    graph, schema = model.subgraphs[0], load_schema()
    for op in graph.operators:
        if model.operator_name(op) != "EMBEDDING_LOOKUP":
            continue
        ids, index = op.inputs
        table, result = graph.tensors[index], graph.tensors[op.outputs[0]]
        readers = [reader for reader in graph.operators if op.outputs[0] in reader.inputs]
        if type_name(table) != "float32" or not model.data(table).size or not readers:
            continue
        if {model.operator_name(reader) for reader in readers} != {"QUANTIZE"}:
            continue
        values = model.data(table).view(np.float32)
        scale = max(np.abs(values).max(initial=0) / np.float32(127), np.float32(1e-10))
        shape = table.shape
        table = copy.copy(table)  # the float table may have other readers
        table.shape, table.type = shape, schema.TensorType.INT8
        table.quantization = schema.QuantizationParametersT()
        table.quantization.scale = np.array([scale], np.float32)
        table.quantization.zeroPoint = np.array([0], np.int64)
        table.buffer = len(model.root.buffers)
        model.root.buffers.append(Buffer(np.rint(values / scale).astype(np.int8).tobytes()))
        graph.tensors.append(table)
        result.type, result.quantization = table.type, copy.deepcopy(table.quantization)
        op.inputs = [len(graph.tensors) - 1, ids]
        op.opcodeIndex = _operator_code(model, schema.BuiltinOperator.GATHER, 2)
        op.builtinOptionsType = schema.BuiltinOptions.GatherOptions
        op.builtinOptions = schema.GatherOptionsT()
        for reader in readers:
            code = model.root.operatorCodes[reader.opcodeIndex]
            code.version = max(code.version, 2)
    used = {int(index) for op in graph.operators for index in op.inputs}
    for i, tensor in enumerate(graph.tensors):  # nobody reads a float table any more
        if i not in used and model.data(tensor).size:
            tensor.buffer = 0


def _operator_code(model: Model, builtin: int, version: int) -> int:
    """The index of an operator code, which is added where it is missing."""
    codes = model.root.operatorCodes
    for index, code in enumerate(codes):
        if code.builtinCode == builtin:
            code.version = max(code.version, version)
            return index
    code = copy.copy(codes[0])
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version, code.customCode = version, None
    codes.append(code)
    return len(codes) - 1


def warn_of_float(model: Model) -> None:
    """Say which operators the quantizer left in float."""
    graph = model.subgraphs[0]
    inexact = {
        model.operator_name(op)
        for op in graph.operators
        for index in op.outputs
        if type_name(graph.tensors[index]) == "float32"
    } - {"DEQUANTIZE"}
    if inexact:
        warnings.warn(
            f"The .tflite file is not all int8: {', '.join(sorted(inexact))} stays in float32, "
            "because the quantizer has no int8 version. Firmware needs the float kernel of it, or "
            "replace it in the model.",
            stacklevel=3,
        )


def shorten_names(model: Model, weights: Iterable[bytes]) -> None:
    """Name biases after their weights, and number the rest; inputs and outputs keep their names.

    The converter's names are paths of modules: 10 kB in a ResNet8 of 78 kB.
    """
    graph, weights = model.subgraphs[0], set(weights)
    named = {*graph.inputs, *graph.outputs}
    named |= {i for i, tensor in enumerate(graph.tensors) if tensor.name in weights}
    for op in weighted_operators(model):
        _, weight, bias = op.inputs
        if graph.tensors[weight].name in weights and bias not in named:
            start, _, end = graph.tensors[weight].name.rpartition(b"weight")
            graph.tensors[bias].name = start + b"bias" + end
            named.add(bias)
    for i, tensor in enumerate(graph.tensors):
        if i not in named:
            tensor.name = f"tensor_{i}".encode()
