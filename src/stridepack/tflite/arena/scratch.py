# SPDX-License-Identifier: Apache-2.0
"""Scratch memory that kernels of TensorFlow Lite Micro ask for while one operator runs.

Those of its reference kernels, which the interpreter of the wheel has. Kernels for special
hardware, such as CMSIS-NN's, ask for more, and only they know how much.
"""

import math
from collections.abc import Callable

from stridepack.tflite.model import Model, Operator, SubGraph, shape_of, type_name

_INTEGERS = {"int8": 4, "int16": 8}


def scratch_nbytes(model: Model, graph: SubGraph, operator: Operator) -> list[int]:
    """Bytes of each scratch buffer of an operator, in the order in which it asks for them."""
    ask = _KERNELS.get(model.operator_name(operator))
    try:
        return ask(graph, operator) if ask else []
    except (IndexError, ValueError):  # no kernel starts without its operands and their dimensions
        return []


def _elements(graph: SubGraph, index: int) -> int:
    return math.prod(shape_of(graph.tensors[index]))


def _int4_filter(graph: SubGraph, operator: Operator) -> list[int]:
    """4-bit weights are unpacked first."""
    weights = operator.inputs[1] if len(operator.inputs) > 1 else -1
    if weights == -1 or type_name(graph.tensors[weights]) != "int4":
        return []
    return [_elements(graph, weights)]


def _mean(graph: SubGraph, operator: Operator) -> list[int]:
    data, axis = operator.inputs[:2]
    integers = type_name(graph.tensors[data]) in _INTEGERS
    sums = [4 * _elements(graph, operator.outputs[0])] if integers else []
    return [*sums, 4 * len(shape_of(graph.tensors[data])), 4 * _elements(graph, axis)]


def _maximum(graph: SubGraph, operator: Operator) -> list[int]:
    data, axis = operator.inputs[:2]
    return [4 * len(shape_of(graph.tensors[data])), 4 * _elements(graph, axis)]


def _transpose_conv(graph: SubGraph, operator: Operator) -> list[int]:
    size = _INTEGERS.get(type_name(graph.tensors[operator.inputs[2]]), 0)
    buffers = [size * _elements(graph, operator.outputs[0])] if size else []
    bias = operator.inputs[3] if len(operator.inputs) > 3 else -1
    if size == 8 and bias != -1 and type_name(graph.tensors[bias]) == "int16":
        buffers.append(8 * _elements(graph, bias))
    return buffers


def _svdf(graph: SubGraph, operator: Operator) -> list[int]:
    batch = shape_of(graph.tensors[operator.inputs[0]])[0]
    filters = shape_of(graph.tensors[operator.inputs[1]])[0]
    units = _elements(graph, operator.outputs[0])
    integers = type_name(graph.tensors[operator.inputs[0]]) in _INTEGERS
    return [4 * batch * filters, *([4 * units] if integers else [])]


def _lstm(graph: SubGraph, operator: Operator) -> list[int]:
    cell_state = operator.inputs[19]
    size = 4 if type_name(graph.tensors[cell_state]) == "float32" else 2
    return [size * _elements(graph, cell_state)] * 4


def _mirror_pad(graph: SubGraph, operator: Operator) -> list[int]:
    return [4 * len(shape_of(graph.tensors[operator.inputs[0]]))] * 2


_KERNELS: dict[str, Callable[[SubGraph, Operator], list[int]]] = {
    "ADD_N": lambda _, operator: [8 * len(operator.inputs)],
    "CONV_2D": _int4_filter,
    "DEPTHWISE_CONV_2D": _int4_filter,
    "FULLY_CONNECTED": _int4_filter,
    "MEAN": _mean,
    "MIRROR_PAD": _mirror_pad,
    "REDUCE_MAX": _maximum,
    "REDUCE_MIN": _maximum,
    "SUM": _mean,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
