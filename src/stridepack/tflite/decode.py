"""DECODE operators: how TensorFlow Lite Micro stores encoded tensors.

A DECODE operator stands before the operator that needs the tensor. For each tensor that it decodes
it has one output and two constant inputs: the encoded tensor, and the ancillary tensor, whose
header names the type of the encoding. What the two hold is the matter of `stridepack.tflite.types`.
"""

import math
from typing import Any, NamedTuple

import numpy.typing as npt

from stridepack._words import counted
from stridepack.tflite.model import (
    Model,
    Operator,
    SubGraph,
    Tensor,
    as_text,
    shape_of,
    stored_shape,
)
from stridepack.tflite.types import (
    FIRST_CUSTOM_NUMBER,
    DecodeType,
    UndecodableError,
    type_of_header,
)

OPERATOR_NAME = "TFLM_DECODE"


class Encoded(NamedTuple):
    """Indices of the two tensors that a decoded tensor is made from."""

    encoded: int
    ancillary: int


def is_decode(model: Model, operator: Operator) -> bool:
    """Whether an operator is a DECODE, of any type."""
    return model.operator_name(operator) == OPERATOR_NAME


def decode_operators(model: Model, graph: SubGraph) -> list[int]:
    """The DECODE operators of a subgraph, by index."""
    return [o for o, operator in enumerate(graph.operators) if is_decode(model, operator)]


def in_use(model: Model, graph: SubGraph) -> set[int]:
    """The operators from a DECODE to the last one that reads what it decodes, that one included.

    Another DECODE before any of these might use the same memory.
    """
    found: set[int] = set()
    for d in decode_operators(model, graph):
        outputs = set(graph.operators[d].outputs)
        readers = [o for o, operator in enumerate(graph.operators) if outputs & {*operator.inputs}]
        found.update(range(d + 1, max(readers, default=d) + 1))
    return found


def decoded_tensors(model: Model, subgraph: int) -> dict[int, Encoded]:
    """Index of every tensor that a DECODE operator of a subgraph writes, and what it is made from.

    Raises
    ------
    ModelError
        For a DECODE operator of an unknown type or version, or with other inputs.
    """
    graph = model.subgraphs[subgraph]
    found: dict[int, Encoded] = {}
    for o, operator in enumerate(graph.operators):
        if not is_decode(model, operator):
            continue
        if not operator.outputs or len(operator.inputs) != 2 * len(operator.outputs):
            raise model.error(
                f"{OPERATOR_NAME} #{o} of subgraph {subgraph} has "
                f"{counted(len(operator.inputs), 'input')} and "
                f"{counted(len(operator.outputs), 'output')}. It needs two inputs for each output."
            )
        pairs = zip(operator.inputs[::2], operator.inputs[1::2], strict=True)
        for output, pair in zip(operator.outputs, pairs, strict=True):
            if -1 in pair or output in found:
                raise model.error(
                    f"{OPERATOR_NAME} #{o} of subgraph {subgraph} lacks an input, or it writes a "
                    "tensor that is written already."
                )
            found[output] = Encoded(*pair)
            _type_of(model, graph, found[output])
    return found


def decode(model: Model, graph: SubGraph, tensor: Tensor, pair: Encoded) -> npt.NDArray[Any]:
    """Decode one tensor.

    Parameters
    ----------
    model : Model
    graph : SubGraph
    tensor : Tensor
        The output of the DECODE operator: type, shape, quantisation.
    pair : Encoded
        What it is made from, as `decoded_tensors` found it.

    Returns
    -------
    ndarray
        Integers of the tensor's element size (for float32: its bits), in its `stored_shape`.

    Raises
    ------
    ModelError
        Where TensorFlow Lite Micro refuses to decode it or would read outside its inputs.
    """
    decode_type = _type_of(model, graph, pair)
    shape = shape_of(tensor)
    try:
        if min(shape, default=1) < 1:
            raise UndecodableError(f"its shape {list(shape)} has no elements")
        model.add_decoded(math.prod(stored_shape(tensor)) * decode_type.element(tensor).itemsize)
        return decode_type.decode(tensor, *(model.data(graph.tensors[t]) for t in pair))
    except UndecodableError as error:
        raise model.error(f"{_name(graph, pair)}: {error}") from error


def custom_types(model: Model) -> set[int]:
    """Numbers of the DECODE types that the unmodified TensorFlow Lite Micro does not decode."""
    return {
        number
        for s, graph in enumerate(model.subgraphs)
        for pair in decoded_tensors(model, s).values()
        if (number := _type_of(model, graph, pair).number) >= FIRST_CUSTOM_NUMBER
    }


def _name(graph: SubGraph, pair: Encoded) -> str:
    return f"encoded tensor {as_text(graph.tensors[pair.encoded].name) or pair.encoded}"


def _type_of(model: Model, graph: SubGraph, pair: Encoded) -> DecodeType:
    try:
        if model.data(graph.tensors[pair.encoded]).size == 0:
            raise UndecodableError("its data are missing")
        return type_of_header(model.data(graph.tensors[pair.ancillary]))
    except UndecodableError as error:
        raise model.error(f"{_name(graph, pair)}: {error}") from error
