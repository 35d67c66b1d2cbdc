# SPDX-License-Identifier: Apache-2.0
"""When each buffer of a model is in use, step by step, as TensorFlow Lite Micro plans it.

Every operator takes two steps here, one for the DECODE operator that may stand before it, and one
for itself. Where there is no DECODE the first step is empty and changes nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stridepack.errors import ModelError
from stridepack.tflite.arena.planner import Buffer
from stridepack.tflite.arena.scratch import scratch_nbytes
from stridepack.tflite.decode import is_decode
from stridepack.tflite.model import (
    ELEMENT_NBYTES,
    Model,
    Operator,
    Tensor,
    shape_of,
    type_name,
)

# Bytes of an element. TensorFlow Lite Micro counts a whole byte for one of 4 bits, too.
_ELEMENT_NBYTES = {
    **ELEMENT_NBYTES,
    **dict.fromkeys(("int2", "int4", "uint4"), 1),
    **dict.fromkeys(("complex64", "resource", "variant"), 8),
}

# Operators that run other subgraphs, and the options that name them, in the order of planning.
_CALLS = {
    "CALL_ONCE": ("initSubgraphIndex",),
    "IF": ("thenSubgraphIndex", "elseSubgraphIndex"),
    "WHILE": ("condSubgraphIndex", "bodySubgraphIndex"),
}
_MAX_CALLS = 1000
_MAX_DEPTH = 50  # of calls within calls


@dataclass(frozen=True)
class Lifetimes:
    """Buffers of a model that has all its weights in Flash.

    Attributes
    ----------
    tensors : list of Buffer
        Of every subgraph one after the other, in the order of their tensors.
    scratch : list of Buffer
    decoded : list of list of Buffer
        What the DECODE operators of the model write, a list for each operator. Only these can lie
        outside the arena.
    readers : dict of (int, int) to int
        The step of each operator that runs, by subgraph and index.
    subgraph_ends : list of int
        How many of `tensors` come before the end of each subgraph.
    """

    tensors: list[Buffer]
    scratch: list[Buffer]
    decoded: list[list[Buffer]]
    readers: dict[tuple[int, int], int]
    subgraph_ends: list[int]


@dataclass
class _Walk:
    """The steps of a model, in order."""

    model: Model
    step: int = 1  # at step 0 are tensors that nothing uses, with places of their own
    calls: int = 0
    depth: int = 0
    first: dict[tuple[int, int], int] = field(default_factory=dict)
    last: dict[tuple[int, int], int] = field(default_factory=dict)
    readers: dict[tuple[int, int], int] = field(default_factory=dict)
    scratch: list[Buffer] = field(default_factory=list)

    def subgraph(self, s: int) -> None:
        self.calls += 1
        self.depth += 1
        if self.calls > _MAX_CALLS or self.depth > _MAX_DEPTH:
            raise self.model.error("its subgraphs call each other without an end.")
        graph = self.model.subgraphs[s]
        for t in graph.inputs:
            self._use(s, t, writes=True)
        for o, operator in enumerate(graph.operators):
            self.step += 2
            start = self.step
            for t in operator.outputs:
                self.first.setdefault((s, t), self.step)
            for called in _called(self.model, operator):
                self.step += 1
                self.subgraph(called)
            for t in operator.inputs:
                self._use(s, t)
            for t in operator.outputs:
                self._use(s, t)
            self.readers[s, o] = start
            for nbytes in scratch_nbytes(self.model, graph, operator):
                self.scratch.append(Buffer(nbytes, start, self.step))
        for t in graph.outputs:
            self._use(s, t, writes=True)
        self.depth -= 1

    def _use(self, s: int, t: int, *, writes: bool = False) -> None:
        if t != -1:
            self.last[s, t] = self.step
            if writes:
                self.first.setdefault((s, t), self.step)


def find_lifetimes(model: Model) -> Lifetimes:
    """Follow the operators of a model, the subgraphs that they call included.

    Raises
    ------
    ModelError
        For an element type that the interpreter does not have.
    """
    walk = _Walk(model)
    if model.subgraphs:
        walk.subgraph(0)
    tensors, ends, buffers = [], [], {}
    for s, graph in enumerate(model.subgraphs):
        for t, tensor in enumerate(graph.tensors):
            if model.data(tensor).size or tensor.isVariable or not tensor_nbytes(model, tensor):
                continue
            first, last = walk.first.get((s, t), 0), walk.last.get((s, t), 0)
            buffers[s, t] = Buffer(tensor_nbytes(model, tensor), first, max(first, last))
            tensors.append(buffers[s, t])
        ends.append(len(tensors))
    decoded = [
        [buffers[s, t] for t in operator.outputs if (s, t) in buffers]
        for s, graph in enumerate(model.subgraphs)
        for operator in graph.operators
        if is_decode(model, operator)
    ]
    return Lifetimes(tensors, walk.scratch, decoded, walk.readers, ends)


def tensor_nbytes(model: Model, tensor: Tensor) -> int:
    """Bytes that a tensor takes in memory."""
    name = type_name(tensor)
    if name not in _ELEMENT_NBYTES:
        raise model.error(f"how much memory a tensor of type {name} takes is not known.")
    return max(0, math.prod(shape_of(tensor))) * _ELEMENT_NBYTES[name]


def _called(model: Model, operator: Operator) -> Iterator[int]:
    """Subgraphs that an operator runs."""
    options: Any = operator.builtinOptions
    for name in _CALLS.get(model.operator_name(operator), ()):
        index = getattr(options, name, -1)
        if not 0 <= index < len(model.subgraphs):
            raise ModelError(f"{model.file}: an operator calls subgraph {index}, which is missing.")
        yield index
