# SPDX-License-Identifier: Apache-2.0
"""Operators that decode tensors: TensorFlow Lite Micro's DECODE, and the custom operator of ours.

Such an operator stands before those that read the tensor. For each tensor that DECODE decodes it
has one output and two constant inputs: the encoded tensor, and the ancillary tensor, whose header
names the type of the encoding. Our operator has one output, and one constant input: a blob. What
these tensors hold is the matter of `stridepack.tflite.types`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack._words import counted
from stridepack.packed import Packed
from stridepack.tflite.model import (
    Bytes,
    Model,
    Operator,
    SubGraph,
    Tensor,
    as_text,
    shape_of,
    stored_shape,
)
from stridepack.tflite.types import DecodeType, Payload, UndecodableError, type_of_header
from stridepack.tflite.types.blob import Blob

DECODE = "TFLM_DECODE"
OWN = _spec.TFLM_OPERATOR

# Operators that run other subgraphs.
CALLS = ("CALL_ONCE", "IF", "WHILE")

_BLOB = Blob()


class Encoded(NamedTuple):
    """Indices of the tensors that a decoded tensor is made from; our operator needs only one."""

    encoded: int
    ancillary: int | None


def is_decode(model: Model, operator: Operator) -> bool:
    """Whether an operator decodes tensors: a DECODE of any type, or ours."""
    return model.operator_name(operator) in (DECODE, OWN)


def is_own(model: Model, operator: Operator) -> bool:
    """Whether an operator is the one of ours, which TensorFlow Lite Micro does not have."""
    return model.operator_name(operator) == OWN


def decode_operators(model: Model, graph: SubGraph) -> list[int]:
    """The DECODE operators of a subgraph, by index."""
    return [o for o, operator in enumerate(graph.operators) if is_decode(model, operator)]


def barriers(model: Model, graph: SubGraph) -> list[int]:
    """The operators of a subgraph, by index, that may write anew to what is decoded before them.

    These are its DECODE operators, and those that run another subgraph, which may have its own.
    """
    return [
        o
        for o, operator in enumerate(graph.operators)
        if is_decode(model, operator) or model.operator_name(operator) in CALLS
    ]


def in_use(model: Model) -> list[set[int]]:
    """For each subgraph, the operators before which another DECODE might use memory in use.

    These are all from a DECODE to the last operator that reads what it decodes, that one included,
    or to the end for an output of the subgraph.
    Where one of them runs another subgraph, those of all subgraphs but the main one count as well.
    """
    found: list[set[int]] = []
    calls = False
    for graph in model.subgraphs:
        taken: set[int] = set()
        for d in decode_operators(model, graph):
            outputs = set(graph.operators[d].outputs)
            readers = [o for o, op in enumerate(graph.operators) if outputs & {*op.inputs}]
            if outputs & {*graph.outputs}:
                readers.append(len(graph.operators) - 1)
            taken.update(range(d + 1, max(readers, default=d) + 1))
        calls = calls or any(model.operator_name(graph.operators[o]) in CALLS for o in taken)
        found.append(taken)
    if calls:
        found[1:] = [set(range(len(graph.operators))) for graph in model.subgraphs[1:]]
    return found


def decoded_tensors(model: Model, subgraph: int) -> dict[int, Encoded]:
    """Index of every tensor that is decoded in a subgraph, and what it is made from.

    Raises
    ------
    ModelError
        For a DECODE operator of an unknown type or version, or one of ours with other inputs.
    """
    graph = model.subgraphs[subgraph]
    found: dict[int, Encoded] = {}
    for o, operator in enumerate(graph.operators):
        if not is_decode(model, operator):
            continue
        name = f"{model.operator_name(operator)} #{o} of subgraph {subgraph}"
        for output, pair in zip(operator.outputs, _pairs(model, operator, name), strict=True):
            if -1 in pair or output in found:
                raise model.error(
                    f"{name} lacks an input, or it writes a tensor that is written already."
                )
            found[output] = pair
            _type_of(model, graph, pair)
    return found


def _pairs(model: Model, operator: Operator, name: str) -> list[Encoded]:
    """What each output is made from, in their order."""
    inputs, n_outputs = operator.inputs, len(operator.outputs)
    has = f"{counted(len(inputs), 'input')} and {counted(n_outputs, 'output')}"
    if is_own(model, operator):
        if (len(inputs), n_outputs) != (1, 1):
            raise model.error(f"{name} has {has}. It needs one of each.")
        return [Encoded(inputs[0], None)]
    if not n_outputs or len(inputs) != 2 * n_outputs:
        raise model.error(f"{name} has {has}. It needs two inputs for each output.")
    return [Encoded(*pair) for pair in zip(inputs[::2], inputs[1::2], strict=True)]


def decode(model: Model, graph: SubGraph, tensor: Tensor, pair: Encoded) -> npt.NDArray[Any]:
    """Decode one tensor.

    Parameters
    ----------
    model : Model
    graph : SubGraph
    tensor : Tensor
        The output of the operator: type, shape, quantisation.
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
        ancillary = _ancillary(model, graph, pair)
        return decode_type.decode(tensor, model.data(graph.tensors[pair.encoded]), ancillary)
    except UndecodableError as error:
        raise model.error(f"{_name(graph, pair)}: {error}") from error


def payload_of(model: Model, graph: SubGraph, pair: Encoded) -> Payload:
    """How a tensor is encoded in a model that is packed already.

    Raises
    ------
    ModelError
        For a damaged blob, or a header of another type or version.
    """
    encoded = model.data(graph.tensors[pair.encoded])
    try:
        format = _type_of(model, graph, pair).format_of(encoded)
    except UndecodableError as error:
        raise model.error(f"{_name(graph, pair)}: {error}") from error
    return Payload(format, encoded.tobytes(), _ancillary(model, graph, pair).tobytes())


def n_own_operators(model: Model) -> int:
    """How many operators of ours a model has, which TensorFlow Lite Micro has not by itself."""
    return sum(is_own(model, o) for graph in model.subgraphs for o in graph.operators)


def own_blobs(model: Model) -> list[Packed]:
    """The blobs that operators of ours decode in a model, in the order of these operators.

    Raises
    ------
    ModelError
        For a damaged blob, or an operator that `decoded_tensors` refuses.
    """
    return [
        Packed.from_bytes(payload_of(model, graph, pair).encoded)
        for s, graph in enumerate(model.subgraphs)
        for pair in decoded_tensors(model, s).values()
        if pair.ancillary is None
    ]


def _name(graph: SubGraph, pair: Encoded) -> str:
    return f"encoded tensor {as_text(graph.tensors[pair.encoded].name) or pair.encoded}"


def _ancillary(model: Model, graph: SubGraph, pair: Encoded) -> Bytes:
    if pair.ancillary is None:
        return np.empty(0, np.uint8)
    return model.data(graph.tensors[pair.ancillary])


def _type_of(model: Model, graph: SubGraph, pair: Encoded) -> DecodeType:
    try:
        if model.data(graph.tensors[pair.encoded]).size == 0:
            raise UndecodableError("its data are missing")
        if pair.ancillary is None:
            return _BLOB
        return type_of_header(_ancillary(model, graph, pair))
    except UndecodableError as error:
        raise model.error(f"{_name(graph, pair)}: {error}") from error
