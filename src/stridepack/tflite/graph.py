# SPDX-License-Identifier: Apache-2.0
"""Operators that decode tensors put into a graph, and taken out of it.

An operator that decodes stands right before the first one that reads what it decodes; `schedule`
says which operators share it. Operators of ours stand in the same places, one for each tensor. The
encoded tensor keeps its place, name and buffer. New tensors follow the others and have no names,
which would only take space.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stridepack.tflite.decode import (
    DECODE,
    OWN,
    Encoded,
    barriers,
    decode,
    decoded_tensors,
    is_decode,
)
from stridepack.tflite.model import (
    Buffer,
    Model,
    Operator,
    SubGraph,
    Tensor,
    as_text,
    code_name,
    shape_of,
)
from stridepack.tflite.schedule import decode_groups
from stridepack.tflite.schema import load_schema
from stridepack.tflite.types import Payload


@dataclass(frozen=True)
class Encoding:
    """Replacement for a tensor: its place, and the encoded data.

    readers: the operators that have a DECODE of it right before them.
    """

    subgraph: int
    index: int
    readers: Sequence[int]
    payload: Payload


def buffer_users(model: Model) -> Counter[int]:
    """How many tensors and metadata entries refer to each buffer."""
    users = Counter(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    users.update(entry.buffer for entry in model.root.metadata or ())
    return users


def nbytes_in_file(model: Model, encodings: Sequence[Encoding]) -> tuple[int, int]:
    """Bytes that tensors with one common buffer take in a file, encoded and dense.

    All of it counts: data, tensors with their quantisation, operators. What alignment adds depends
    on the rest of the file, so both numbers may be off by some bytes.
    """
    tensors = [model.subgraphs[e.subgraph].tensors[e.index] for e in encodings]
    payload = encodings[0].payload
    dense_data = (model.data(tensors[0]).size,)
    encoded_data = tuple(len(data) for data in (payload.encoded, payload.ancillary) if data)
    dense: list[Any] = [*map(_short, dense_data), *tensors]
    encoded: list[Any] = [*map(_short, encoded_data)]
    for encoding, tensor in zip(encodings, tensors, strict=True):
        encoded.append(_encoded_tensor(tensor, len(payload.encoded)))
        if payload.ancillary:
            encoded.append(bytes_tensor(len(payload.ancillary), tensor.buffer, None))
        inputs = [0, 0] if payload.ancillary else [0]
        for _ in encoding.readers:
            encoded += [_decoded_tensor(tensor), _operator(0, inputs, [0])]
    return (
        _packed_nbytes(encoded) + sum(map(_left_out, encoded_data)),
        _packed_nbytes(dense) + sum(map(_left_out, dense_data)),
    )


def insert_decode(model: Model, encodings: Iterable[Encoding]) -> None:
    """Replace tensors with encoded ones, and put operators that decode them before their readers.

    Of a buffer that several tensors share, all must be replaced, with the same payload.
    """
    buffers = model.root.buffers
    ancillary_buffers: dict[int, int] = {}
    by_subgraph: dict[int, dict[int, Encoding]] = {}
    for encoding in encodings:
        by_subgraph.setdefault(encoding.subgraph, {})[encoding.index] = encoding
        slot = model.subgraphs[encoding.subgraph].tensors[encoding.index].buffer
        if slot not in ancillary_buffers:
            buffers[slot] = Buffer(encoding.payload.encoded)
            ancillary_buffers[slot] = len(buffers)
            if encoding.payload.ancillary:
                buffers.append(Buffer(encoding.payload.ancillary))
    for s, in_subgraph in by_subgraph.items():
        graph = model.subgraphs[s]
        dense = {index: graph.tensors[index] for index in in_subgraph}
        ancillary: dict[int, int] = {}
        for index, encoding in in_subgraph.items():
            graph.tensors[index] = _encoded_tensor(dense[index], len(encoding.payload.encoded))
            if n := len(encoding.payload.ancillary):
                ancillary[index] = len(graph.tensors)
                graph.tensors.append(bytes_tensor(n, ancillary_buffers[dense[index].buffer], None))
        before: dict[int, list[Operator]] = {}
        for group in decode_groups(graph.operators, dense, barriers(model, graph)):
            first = len(graph.tensors)
            decoded = {t: first + i for i, t in enumerate(group.tensors)}
            graph.tensors += [_decoded_tensor(dense[t]) for t in group.tensors]
            before[group.operators[0]] = _decode_operators(model, decoded, ancillary)
            for o in group.operators:
                operator = graph.operators[o]
                operator.inputs = [decoded.get(t, t) for t in operator.inputs]
        operators: list[Operator] = []
        for o, operator in enumerate(graph.operators):
            operators += [*before.get(o, ()), operator]
        graph.operators = operators


def remove_decode(model: Model) -> bool:
    """Decode all tensors that operators decode, and remove these operators.

    Returns
    -------
    bool
        Whether there was any.

    Raises
    ------
    ModelError
        For one that cannot be decoded, or is used in an unforeseen way.
    """
    by_subgraph = [decoded_tensors(model, s) for s in range(len(model.subgraphs))]
    if not any(by_subgraph):
        return False
    ancillary_buffers = {
        graph.tensors[pair.ancillary].buffer
        for graph, pairs in zip(model.subgraphs, by_subgraph, strict=True)
        for pair in pairs.values()
        if pair.ancillary is not None
    }
    restored: list[_Restored] = []
    for s, pairs in enumerate(by_subgraph):
        if pairs:
            restored += _restore_subgraph(model, s, pairs)
    _remove_operator_codes(model)
    _store(model, restored, ancillary_buffers)
    return True


def operator_code(model: Model, name: str) -> int:
    """Index of the operator code of DECODE or of ours, which is added if need be."""
    schema = load_schema()
    codes = model.root.operatorCodes
    for i, code in enumerate(codes):
        if code_name(code) == name:
            return i
    custom = schema.BuiltinOperator.CUSTOM
    codes.append(schema.OperatorCodeT(custom, name.encode(), 1, custom))
    return len(codes) - 1


def _decode_operators(
    model: Model, decoded: dict[int, int], ancillary: dict[int, int]
) -> list[Operator]:
    """A DECODE for all encoded tensors that have an ancillary one, and ours for each other.

    `decoded` has the decoded tensor of each encoded one.
    """
    stock = [t for t in decoded if t in ancillary]
    own = [t for t in decoded if t not in ancillary]
    operators = [_operator(operator_code(model, OWN), [t], [decoded[t]]) for t in own]
    if stock:
        inputs = [index for t in stock for index in (t, ancillary[t])]
        code = operator_code(model, DECODE)
        operators.append(_operator(code, inputs, [decoded[t] for t in stock]))
    return operators


def bytes_tensor(nbytes: int, buffer: int, name: bytes | None) -> Tensor:
    """A tensor of one dimension that holds an encoded tensor, or what belongs to it."""
    schema = load_schema()
    return schema.TensorT(shape=[nbytes], type=schema.TensorType.UINT8, buffer=buffer, name=name)


def _operator(code: int, inputs: list[int], outputs: list[int]) -> Operator:
    return load_schema().OperatorT(opcodeIndex=code, inputs=inputs, outputs=outputs)


def _encoded_tensor(dense: Tensor, nbytes: int) -> Tensor:
    return bytes_tensor(nbytes, dense.buffer, dense.name)


def _decoded_tensor(dense: Tensor) -> Tensor:
    decoded = copy.copy(dense)
    decoded.buffer = 0
    decoded.name = None
    return decoded


def _left_out(nbytes: int) -> int:
    """Of the data of a buffer, how many bytes `_short` leaves out: alignment stays as it is."""
    return max(0, nbytes // 16 - 1) * 16


def _short(nbytes: int) -> Buffer:
    """A buffer of that many bytes, but for those of `_left_out`."""
    return Buffer(bytes(nbytes - _left_out(nbytes)))


def _packed_nbytes(objects: Sequence[Any]) -> int:
    """Bytes that objects add to a file which holds others like them, and their list entries."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    sizes = []
    for _ in range(2):  # the first time adds their vtables, which similar objects share
        for item in objects:
            item.Pack(builder)
        sizes.append(builder.Offset())
    return int(sizes[1] - sizes[0]) + 4 * len(objects)


@dataclass
class _Restored:
    """A dense tensor whose data have no buffer yet, and the buffer where it was encoded."""

    tensor: Tensor
    data: bytes
    encoded_buffer: int


def _restore_subgraph(model: Model, s: int, pairs: dict[int, Encoded]) -> list[_Restored]:
    """Take the operators that decode out of a subgraph. Restored tensors are left without data."""
    graph = model.subgraphs[s]
    operators = [operator for operator in graph.operators if not is_decode(model, operator)]
    _refuse_other_uses(model, s, operators, pairs)
    restored: dict[int, _Restored] = {}
    for output, pair in pairs.items():
        decoded, encoded = graph.tensors[output], graph.tensors[pair.encoded]
        values = decode(model, graph, decoded, pair)
        tensor = copy.copy(decoded)
        tensor.name = encoded.name
        new = _Restored(tensor, values.tobytes(), encoded.buffer)
        old = restored.setdefault(pair.encoded, new)
        if (old.data, shape_of(old.tensor)) != (new.data, shape_of(tensor)):
            raise model.error(
                f"tensor {pair.encoded} ({as_text(encoded.name)!r}) of subgraph {s} is decoded in "
                "different ways."
            )
    for index, item in restored.items():
        graph.tensors[index] = item.tensor
    source = {output: pair.encoded for output, pair in pairs.items()}
    for operator in operators:
        operator.inputs = [source.get(t, t) for t in operator.inputs]
    replace_outputs(model, s, source)
    graph.operators = operators
    remove_tensors(graph, source.keys() | _ancillary_tensors(pairs))
    return list(restored.values())


def _refuse_other_uses(
    model: Model, s: int, operators: Sequence[Operator], pairs: dict[int, Encoded]
) -> None:
    """Outside the operators that decode, only decoded tensors may be used, and only be read."""
    graph = model.subgraphs[s]
    encoded = {pair.encoded for pair in pairs.values()}
    ancillary = _ancillary_tensors(pairs)
    read = {*graph.outputs, *(t for operator in operators for t in operator.inputs)}
    written = {*graph.inputs, *(t for operator in operators for t in operator.outputs)}
    other_uses = (
        ((encoded | ancillary) & (read | written | pairs.keys()))
        | (encoded & ancillary)
        | (pairs.keys() & written)
    )
    if other_uses:
        raise model.error(
            f"tensor {min(other_uses)} of subgraph {s} belongs to an operator that decodes it and "
            "is used in another way as well, so it cannot be unpacked."
        )


def _ancillary_tensors(pairs: dict[int, Encoded]) -> set[int]:
    return {pair.ancillary for pair in pairs.values() if pair.ancillary is not None}


def replace_outputs(model: Model, s: int, source: Mapping[int, int]) -> None:
    """Let the outputs of a subgraph, and of its signatures, be what other tensors were made of."""
    graph = model.subgraphs[s]
    graph.outputs = [source.get(t, t) for t in graph.outputs]
    for signature in model.root.signatureDefs or ():
        if signature.subgraphIndex == s:
            for output in signature.outputs or ():
                output.tensorIndex = source.get(output.tensorIndex, output.tensorIndex)


def remove_tensors(graph: SubGraph, indices: Iterable[int]) -> None:
    """Remove tensors at the end; any other is emptied, so that the rest keep their numbers."""
    for index in sorted(indices, reverse=True):
        if index == len(graph.tensors) - 1:
            graph.tensors.pop()
        else:
            graph.tensors[index] = bytes_tensor(0, 0, None)


def _remove_operator_codes(model: Model) -> None:
    codes = model.root.operatorCodes
    kept = [i for i, code in enumerate(codes) if code_name(code) not in (DECODE, OWN)]
    renumbered = {old: new for new, old in enumerate(kept)}
    model.root.operatorCodes = [codes[i] for i in kept]
    for graph in model.subgraphs:
        for operator in graph.operators:
            operator.opcodeIndex = renumbered[operator.opcodeIndex]


def _store(model: Model, restored: Sequence[_Restored], ancillary_buffers: set[int]) -> None:
    """Give restored tensors their buffers, those where they were encoded if nothing else does."""
    for item in restored:
        item.tensor.buffer = 0
    buffers = model.root.buffers
    users = buffer_users(model)
    encoded_buffers = {item.encoded_buffer for item in restored}
    for buffer in sorted(ancillary_buffers - encoded_buffers, reverse=True):
        if buffer == len(buffers) - 1 and not users[buffer]:
            buffers.pop()
        elif not users[buffer]:
            buffers[buffer] = Buffer(b"")
    filled: dict[tuple[int, bytes], int] = {}
    for item in restored:
        key = (item.encoded_buffer, item.data)
        if key not in filled:
            slot = item.encoded_buffer
            if users[slot]:
                slot = len(buffers)
                buffers.append(Buffer(b""))
            buffers[slot] = Buffer(item.data)
            users[slot] += 1
            filled[key] = slot
        item.tensor.buffer = filled[key]
