# SPDX-License-Identifier: Apache-2.0
"""The constants of an ONNX model, and which nodes read them as what.

Quantised ONNX models come in two forms. In the QDQ form, DequantizeLinear reads a weight, its scale
and its zero point. In the QOperator form, an operator such as QLinearConv reads all three itself.
Both are here in one table, by the inputs of operators.
"""

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# Objects of the package onnx (NodeProto, GraphProto, ...), which is imported only where it is used
Proto = Any


class Slot(NamedTuple):
    """Inputs of an operator that belong together, by index.

    Attributes
    ----------
    values : int
    scale : int or None
        None where the operator does not read the scale.
    zero_point : int
    axis : int
        Of the channels, where there are several scales; -1 for the last axis.
    """

    values: int
    scale: int | None
    zero_point: int
    axis: int = 0


# https://onnx.ai/onnx/operators, and ContribOperators.md of onnxruntime for those of com.microsoft
_SLOTS: dict[str, tuple[Slot, ...]] = {
    "DequantizeLinear": (Slot(0, 1, 2, 1),),
    "ConvInteger": (Slot(0, None, 2), Slot(1, None, 3)),
    "MatMulInteger": (Slot(0, None, 2, -2), Slot(1, None, 3, -1)),
    "QLinearConv": (Slot(0, 1, 2), Slot(3, 4, 5)),
    "QLinearMatMul": (Slot(0, 1, 2, -2), Slot(3, 4, 5, -1)),
    "QGemm": (Slot(0, 1, 2), Slot(3, 4, 5, -1)),
    "QLinearAdd": (Slot(0, 1, 2), Slot(3, 4, 5)),
    "QLinearMul": (Slot(0, 1, 2), Slot(3, 4, 5)),
    "MatMulIntegerToFloat": (Slot(0, 2, 4, -2), Slot(1, 3, 5, -1)),
    "DynamicQuantizeMatMul": (Slot(1, 2, 3, -1),),
    "DynamicQuantizeLSTM": (Slot(1, 8, 9), Slot(2, 10, 11)),
    "QAttention": (Slot(0, 3, 6), Slot(1, 4, 7, -1)),
}
# Scales and zero points of what operators write
_OF_OUTPUTS = {
    "QuantizeLinear": (1, 2),
    "QLinearConv": (6, 7),
    "QLinearMatMul": (6, 7),
    "QGemm": (7, 8),
    "QLinearAdd": (6, 7),
    "QLinearMul": (6, 7),
}


@dataclass(eq=False)
class Constant:
    """A tensor whose values are in the model.

    Attributes
    ----------
    name : str
    tensor : TensorProto
    is_sparse : bool
        Whether these are only the non-zeros of a sparse tensor.
    reads : list of Read
        By which nodes, and as what.
    """

    name: str
    tensor: Proto
    is_sparse: bool = False
    reads: "list[Read]" = field(default_factory=list)


@dataclass(eq=False)
class Read:
    """One input of one node.

    Attributes
    ----------
    operator : str
        Such as QLinearConv.
    place : str
        Such as QLinearConv #3.
    is_parameter : bool
        Whether it is a scale or a zero point.
    scale, zero_point : Constant or None
        Of the same node, if they belong to this input and are constant.
    axis : int
        Of the channels, where there are several scales; may be negative.
    """

    operator: str
    place: str
    is_parameter: bool = False
    scale: Constant | None = None
    zero_point: Constant | None = None
    axis: int = 0


Scope = ChainMap[str, Constant]


def find_constants(model: Proto) -> list[Constant]:
    """Constants that nodes read, in the order in which they do, those of subgraphs included."""
    found: dict[int, Constant] = {}
    for graph in (model.graph, *model.functions):
        for constant in _walk(graph, ChainMap()):
            found.setdefault(id(constant), constant)
    return list(found.values())


def _walk(graph: Proto, scope: Scope) -> Iterator[Constant]:
    """The constants that the nodes of a graph or function read, one for each time they do."""
    for tensor in getattr(graph, "initializer", ()):  # a function has none
        scope[tensor.name] = Constant(tensor.name, tensor)
    for sparse in getattr(graph, "sparse_initializer", ()):
        scope[sparse.values.name] = Constant(sparse.values.name, sparse.values, is_sparse=True)
    for number, node in enumerate(graph.node):
        if node.op_type == "Identity" and node.input[:1] and node.input[0] in scope:
            for name in node.output:
                scope[name] = scope[node.input[0]]
            continue
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value" and attribute.HasField("t"):
                for name in node.output:
                    scope[name] = Constant(name, attribute.t)
            subgraphs = [attribute.g] if attribute.HasField("g") else attribute.graphs
            for subgraph in subgraphs:
                yield from _walk(subgraph, scope.new_child())
        for index, name in enumerate(node.input):
            if name and name in scope:
                scope[name].reads.append(_read(node, number, index, scope))
                yield scope[name]


def _read(node: Proto, number: int, index: int, scope: Scope) -> Read:
    slots = _SLOTS.get(node.op_type, ())
    parameters = {i for slot in slots for i in (slot.scale, slot.zero_point)}
    place = f"{node.op_type} #{number}"
    if index in parameters or index in _OF_OUTPUTS.get(node.op_type, ()):
        return Read(node.op_type, place, is_parameter=True)
    for slot in slots:
        if slot.values == index:
            scale, zero_point = (_input(node, i, scope) for i in (slot.scale, slot.zero_point))
            return Read(node.op_type, place, False, scale, zero_point, _axis(node, slot))
    return Read(node.op_type, place)


def _input(node: Proto, index: int | None, scope: Scope) -> Constant | None:
    return scope.get(node.input[index]) if index is not None and index < len(node.input) else None


def _axis(node: Proto, slot: Slot) -> int:
    """The axis of the channels: some operators have an attribute that changes it."""
    attributes = {a.name: int(a.i) for a in node.attribute}
    if node.op_type == "DequantizeLinear":
        return attributes.get("axis", slot.axis)
    return 0 if slot.values == 3 and attributes.get("transB") else slot.axis
