# SPDX-License-Identifier: Apache-2.0
"""The arena of a model with some of its tensors packed, before any file is written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from stridepack.tflite.arena.goal import Arena
from stridepack.tflite.arena.kept import (
    OPERATOR,
    TENSOR,
    decode_operator_nbytes,
    decoder_state_nbytes,
    decompression_nbytes,
    estimated_nbytes,
)
from stridepack.tflite.arena.lifetimes import find_lifetimes, tensor_nbytes
from stridepack.tflite.arena.planner import (
    Buffer,
    aligned,
    end_beside,
    never_moved,
    peak_nbytes,
    place,
    planned_nbytes,
)
from stridepack.tflite.decode import barriers
from stridepack.tflite.graph import Encoding
from stridepack.tflite.model import Model
from stridepack.tflite.schedule import Group, decode_groups

Decodes = dict[tuple[int, int], Group]  # by subgraph and the first of the operators after it


class ArenaModel:
    """What TensorFlow Lite Micro allocates for a model, with any of its tensors packed.

    Parameters
    ----------
    model : Model
        As it is before packing.
    dense : Arena or None
        What the interpreter measured for it. Packed models are estimated relative to that. None:
        the interpreter cannot run it, so all is estimated.
    decompression_memory : bool
        Whether DECODE operators write into memory of their own, beside the arena.
    """

    def __init__(
        self, model: Model, dense: Arena | None, *, decompression_memory: bool = False
    ) -> None:
        self._model = model
        self._beside = decompression_memory
        self._barriers = [barriers(model, graph) for graph in model.subgraphs]
        self._lifetimes = lifetimes = find_lifetimes(model)
        planned = planned_nbytes([*lifetimes.tensors, *lifetimes.scratch])
        self.dense = dense or Arena(planned, estimated_nbytes(model))
        # What kernels ask for beyond what is known of them.
        self._unknown = self.dense.planned - planned
        self._already = {id(buffer) for group in lifetimes.decoded for buffer in group}

    @property
    def fixed(self) -> int:
        """Bytes of arena that every choice takes, but for what `peaks` counts."""
        fixed = self.dense.kept + self._unknown
        return fixed + decompression_nbytes() + self._planned([]) if self._beside else fixed

    def of(self, encodings: Iterable[Encoding]) -> tuple[Arena, int]:
        """The arena with these tensors packed, and the bytes of decompression memory beside it."""
        encodings = list(encodings)
        kept = self.dense.kept + aligned(self.kept(encodings))
        if self._beside:
            arena = Arena(self._planned([]) + self._unknown, kept + decompression_nbytes())
            return arena, self._decompression(self._outputs(encodings).values())
        return Arena(self._planned(encodings) + self._unknown, kept), 0

    def decodes(self, encodings: Iterable[Encoding]) -> Decodes:
        """The new DECODE operators where these tensors are packed."""
        packed: dict[int, set[int]] = defaultdict(set)
        for encoding in encodings:
            packed[encoding.subgraph].add(encoding.index)
        return {
            (s, group.operators[0]): group
            for s, tensors in sorted(packed.items())
            for group in decode_groups(
                self._model.subgraphs[s].operators, tensors, self._barriers[s]
            )
        }

    def kept(self, encodings: Sequence[Encoding], *, among: Decodes | None = None) -> int:
        """Bytes that packing these tensors adds to what stays.

        among: the DECODE operators where more tensors are packed, all that may be. The result is
        then what these tensors add at least, whichever of the others are packed: others only add
        DECODE operators, so those that are the same with and without them belong to these alone.
        """
        tensors = {(e.subgraph, e.index): e.payload for e in encodings}
        total = TENSOR * sum(bool(payload.ancillary) for payload in tensors.values())
        for key, group in self.decodes(encodings).items():
            for t in group.tensors:
                tensor = self._model.subgraphs[key[0]].tensors[t]
                total += TENSOR + decoder_state_nbytes(tensors[key[0], t], tensor)
            if among is None or among.get(key) == group:
                stock = sum(bool(tensors[key[0], t].ancillary) for t in group.tensors)
                total += OPERATOR * (len(group.tensors) - stock)  # ours decode one tensor each
                total += decode_operator_nbytes(stock) if stock else 0
        return total

    def peaks(self, groups: Sequence[Sequence[Encoding]]) -> tuple[int, list[int]]:
        """Bytes that are planned at least: whatever is packed, and where each group is.

        A decoded tensor never moves a larger buffer, since the planner places that first. Where a
        buffer is neither moved by any of them nor by another one that is, its place is fixed, and a
        decoded tensor can be no lower than the first gap between such places.
        """
        at_least = [self._at_least(group) for group in groups]
        if self._beside:
            floor = self._decompression([])
            return floor, [self._decompression(some.values()) for some in at_least]
        buffers = self._buffers([])
        outputs = [[b for some in found.values() for b in some] for found in at_least]
        longest = [self._at_most(e) for group in groups for e in group]
        fixed = place(never_moved(buffers, longest))
        floor = max(peak_nbytes(buffers), max((p.end for p in fixed), default=0))
        peaks = []
        for some in outputs:
            ends = [
                end_beside([p for p in fixed if p.end - p.offset > aligned(b.nbytes)], b)
                for b in some
            ]
            peaks.append(max(floor, peak_nbytes([*buffers, *some]), *ends))
        return floor, peaks

    def _planned(self, encodings: Sequence[Encoding]) -> int:
        return planned_nbytes(self._buffers(encodings))

    def _buffers(self, encodings: Sequence[Encoding]) -> list[Buffer]:
        """All buffers in the order in which the interpreter adds them to its plan."""
        lifetimes = self._lifetimes
        decoded: dict[int, list[Buffer]] = defaultdict(list)
        for (s, _), buffers in sorted(self._outputs(encodings).items()):
            decoded[s] += buffers
        result, start = [], 0
        for s, end in enumerate(lifetimes.subgraph_ends):
            result += lifetimes.tensors[start:end] + decoded[s]
            start = end
        if self._beside:
            result = [buffer for buffer in result if id(buffer) not in self._already]
        return result + lifetimes.scratch

    def _outputs(self, encodings: Iterable[Encoding]) -> dict[tuple[int, int], list[Buffer]]:
        """What the new DECODE operators write, by subgraph and the operator after them.

        Each tensor is in use up to the last of the operators that share the DECODE and read it.
        """
        found = {}
        for (s, first), group in self.decodes(encodings).items():
            last = {
                t: self._step(s, o)
                for o in group.operators
                for t in self._model.subgraphs[s].operators[o].inputs
            }
            start = max(self._step(s, first) - 1, 0)
            found[s, first] = [Buffer(self._nbytes(s, t), start, last[t]) for t in group.tensors]
        return found

    def _at_least(self, encodings: Iterable[Encoding]) -> dict[tuple[int, int], list[Buffer]]:
        """What is decoded for each reader, however many others it shares the DECODE with."""
        found: dict[tuple[int, int], list[Buffer]] = defaultdict(list)
        for e in encodings:
            for o in self._readers(e):
                step = self._step(e.subgraph, o)
                buffer = Buffer(self._nbytes(e.subgraph, e.index), max(step - 1, 0), step)
                found[e.subgraph, o].append(buffer)
        return found

    def _at_most(self, encoding: Encoding) -> Buffer:
        """The decoded tensor, in use as long as it ever is."""
        s = encoding.subgraph
        steps = [self._step(s, o) for o in self._readers(encoding)]
        nbytes = self._nbytes(s, encoding.index)
        return Buffer(nbytes, max(min(steps, default=0) - 1, 0), max(steps, default=0))

    def _readers(self, encoding: Encoding) -> list[int]:
        operators = self._model.subgraphs[encoding.subgraph].operators
        return [o for o, operator in enumerate(operators) if encoding.index in operator.inputs]

    def _step(self, s: int, operator: int) -> int:
        return self._lifetimes.readers.get((s, operator), 0)

    def _nbytes(self, s: int, t: int) -> int:
        return tensor_nbytes(self._model, self._model.subgraphs[s].tensors[t])

    def _decompression(self, outputs: Iterable[Sequence[Buffer]]) -> int:
        """Bytes of the one memory that all DECODE operators write into, one after the other."""
        most = 0
        for some in (*self._lifetimes.decoded, *outputs):
            end = 0
            for buffer in some:
                end = aligned(end) + buffer.nbytes
            most = max(most, end)
        return most
