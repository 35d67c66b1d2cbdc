"""The arena of a model with some of its tensors packed, before any file is written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from stridepack.tflite.arena.goal import Arena
from stridepack.tflite.arena.kept import (
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
from stridepack.tflite.graph import Encoding
from stridepack.tflite.model import Model


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
            return arena, self._decompression(encodings)
        return Arena(self._planned(encodings) + self._unknown, kept), 0

    def kept(self, encodings: Sequence[Encoding], *, shared: bool = True) -> int:
        """Bytes that packing these tensors adds to what stays.

        shared: with the DECODE operators, which tensors of one reader share.
        """
        total = 0
        for encoding in encodings:
            tensor = self._model.subgraphs[encoding.subgraph].tensors[encoding.index]
            state = decoder_state_nbytes(encoding.payload, tensor)
            total += TENSOR + len(encoding.readers) * (TENSOR + state)
        if shared:
            outputs = self._outputs(encodings).values()
            total += sum(decode_operator_nbytes(len(some)) for some in outputs)
        return total

    def peaks(self, groups: Sequence[Sequence[Encoding]]) -> tuple[int, list[int]]:
        """Bytes that are planned at least: whatever is packed, and where each group is.

        A decoded tensor never moves a larger buffer, since the planner places that first. Where a
        buffer is neither moved by any of them nor by another one that is, its place is fixed, and a
        decoded tensor can be no lower than the first gap between such places.
        """
        if self._beside:
            return self._decompression([]), [self._decompression(group) for group in groups]
        buffers = self._buffers([])
        outputs = [[b for some in self._outputs(g).values() for b in some] for g in groups]
        fixed = place(never_moved(buffers, [b for some in outputs for b in some]))
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
        """What the new DECODE operators write, by subgraph and reader."""
        by_reader: dict[tuple[int, int], dict[int, Buffer]] = defaultdict(dict)
        for encoding in encodings:
            s = encoding.subgraph
            tensor = self._model.subgraphs[s].tensors[encoding.index]
            for reader in encoding.readers:
                step = self._lifetimes.readers.get((s, reader), 0)
                by_reader[s, reader][encoding.index] = Buffer(
                    tensor_nbytes(self._model, tensor), max(step - 1, 0), step
                )
        operators = {key: self._model.subgraphs[key[0]].operators[key[1]] for key in by_reader}
        return {
            key: [found[t] for t in dict.fromkeys(operators[key].inputs) if t in found]
            for key, found in by_reader.items()
        }

    def _decompression(self, encodings: Sequence[Encoding]) -> int:
        """Bytes of the one memory that all DECODE operators write into, one after the other."""
        most = 0
        for some in (*self._lifetimes.decoded, *self._outputs(encodings).values()):
            end = 0
            for buffer in some:
                end = aligned(end) + buffer.nbytes
            most = max(most, end)
        return most
