# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite's sparse encoding of constants, made dense as a model is read.

The converter writes it with `Optimize.EXPERIMENTAL_SPARSITY`. TensorFlow Lite Micro has no kernel
for it, so a model is dense before it is packed. A tensor of n dimensions is stored as a tree. Each
level is one dimension, in the order `traversalOrder`; n and more are dimensions inside a block,
and `blockMap` says which dimension of the tensor each of those divides. A dense level has all
indices. A sparse one has those of `arrayIndices`; `arraySegments` says where the indices of each
node begin and end. The data are the leaves. What is not there is 0.

Source: TensorFlow Lite, schema.fbs, the tables SparsityParameters and DimensionMetadata.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._words import counted
from stridepack.tflite.graph import buffer_users, remove_tensors, replace_outputs
from stridepack.tflite.model import (
    ELEMENT_NBYTES,
    Buffer,
    Model,
    Tensor,
    as_text,
    shape_of,
    type_name,
)

_DENSE, _SPARSE = 0, 1  # DimensionType of the schema

Int64 = npt.NDArray[np.int64]


class _DamagedError(Exception):
    """What is wrong with an encoding."""


def densify(model: Model) -> list[str]:
    """Make all sparse tensors of a model dense, and take its DENSIFY operators out.

    Returns
    -------
    list of str
        Names of the tensors that were sparse.

    Raises
    ------
    ModelError
        For an encoding that contradicts itself or the shape of its tensor.
    """
    names: list[str] = []
    users = buffer_users(model)
    for s, graph in enumerate(model.subgraphs):
        for t, tensor in enumerate(graph.tensors):
            if tensor.sparsity is None:
                continue
            names.append(as_text(tensor.name) or f"tensor{t}")
            try:
                data = _dense_data(model, tensor)
            except _DamagedError as error:
                raise model.error(
                    f"tensor {t} ({names[-1]!r}) of subgraph {s}: its sparse encoding is damaged. "
                    f"{error}"
                ) from error
            if tensor.buffer == 0 or users[tensor.buffer] > 1:
                users[tensor.buffer] -= 1
                tensor.buffer = len(model.root.buffers)
                model.root.buffers.append(Buffer(b""))
            model.root.buffers[tensor.buffer] = Buffer(data)
            tensor.sparsity = None
    if names:
        for s in range(len(model.subgraphs)):
            _remove_densify(model, s)
    return names


def _dense_data(model: Model, tensor: Tensor) -> bytes:
    shape = shape_of(tensor)
    if min(shape, default=1) < 0:
        raise _DamagedError(f"Its shape {list(shape)} has a negative dimension.")
    itemsize = ELEMENT_NBYTES.get(type_name(tensor))
    if itemsize is None:
        raise _DamagedError(f"Elements of type {type_name(tensor)} cannot be sparse.")
    n = math.prod(shape)
    model.add_decoded(n * itemsize)
    places = _places(tensor.sparsity, shape)
    data = model.data(tensor)
    if data.size != places.size * itemsize:
        raise _DamagedError(
            f"It has {places.size} places for elements of {counted(itemsize, 'byte')}, and "
            f"{data.size} bytes of data."
        )
    dense = np.zeros((n, itemsize), np.uint8)
    dense[places] = data.reshape(-1, itemsize)
    return dense.tobytes()


def _places(sparsity: Any, shape: tuple[int, ...]) -> Int64:
    """Where each stored element belongs in the flat dense tensor."""
    order = [int(d) for d in _vector(sparsity.traversalOrder)]
    block_map = [int(d) for d in _vector(sparsity.blockMap)]
    levels = sparsity.dimMetadata or []
    n_dims = len(shape)
    if sorted(order) != list(range(n_dims + len(block_map))) or len(levels) != len(order):
        raise _DamagedError(
            f"It has {len(levels)} levels in the order {order}, which does not fit "
            f"{n_dims} dimensions and {len(block_map)} dimensions of blocks."
        )
    if len(set(block_map)) != len(block_map) or not all(0 <= d < n_dims for d in block_map):
        raise _DamagedError(f"Its blocks divide the dimensions {block_map} of {n_dims}.")
    sizes, strides = list(shape), [math.prod(shape[d + 1 :]) for d in range(n_dims)]
    for k, d in enumerate(block_map):
        block = int(levels[order.index(n_dims + k)].denseSize)
        if block < 1 or shape[d] % block:
            raise _DamagedError(
                f"Blocks of {block} do not divide dimension {d}, which is {shape[d]}."
            )
        sizes[d] //= block
        sizes.append(block)
        strides.append(strides[d])
        strides[d] *= block
    places = np.zeros(1, np.int64)
    for level, d in zip(levels, order, strict=True):
        node, index = _children(level, places.size, sizes[d])
        places = places[node] + index * strides[d]
    if np.unique(places).size != places.size:
        raise _DamagedError("It stores an element twice.")
    return places


def _children(level: Any, n_nodes: int, size: int) -> tuple[Int64, Int64]:
    """For each node of the next level, the node above it and its index, which is below `size`."""
    if level.format == _DENSE:
        if int(level.denseSize) != size:
            raise _DamagedError(
                f"A level has {level.denseSize} indices, but its dimension is {size}."
            )
        return np.repeat(np.arange(n_nodes), size), np.tile(np.arange(size), n_nodes)
    if level.format != _SPARSE:
        raise _DamagedError(f"A level is of kind {level.format}, which is unknown.")
    segments, indices = (
        np.asarray(_vector(getattr(array, "values", None)), np.int64)
        for array in (level.arraySegments, level.arrayIndices)
    )
    counts = np.diff(segments)
    if (
        segments.size != n_nodes + 1
        or segments[0] != 0
        or segments[-1] != indices.size
        or counts.min(initial=0) < 0
        or counts.max(initial=0) > size
    ):
        raise _DamagedError(f"The segments of a level do not fit its {indices.size} indices.")
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise _DamagedError(f"An index of a level is outside its dimension, which is {size}.")
    return np.repeat(np.arange(n_nodes), counts), indices


def _vector(values: Any) -> Any:
    return () if values is None else values


def _remove_densify(model: Model, s: int) -> None:
    """Let the readers of a DENSIFY operator read its input, which is dense now."""
    graph = model.subgraphs[s]
    source: dict[int, int] = {}
    kept = []
    for operator in graph.operators:
        operator.inputs = [source.get(t, t) for t in operator.inputs]
        is_densify = model.operator_name(operator) == "DENSIFY"
        if is_densify and operator.inputs and model.data(graph.tensors[operator.inputs[0]]).size:
            source |= dict.fromkeys(operator.outputs, operator.inputs[0])
        else:
            kept.append(operator)
    graph.operators = kept
    replace_outputs(model, s, source)
    remove_tensors(graph, source)
