# SPDX-License-Identifier: Apache-2.0
"""Which tensors can be encoded so that the file gets smaller, and in which DECODE types.

What a tensor takes depends on how many DECODE operators decode it, and so on which others are
encoded (`schedule`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stridepack.tflite.constants import Constant
from stridepack.tflite.decode import barriers
from stridepack.tflite.graph import Encoding, nbytes_in_file
from stridepack.tflite.model import Model
from stridepack.tflite.schedule import decode_groups
from stridepack.tflite.types import Payload

# Tensors with one common buffer, by name, and their payloads by type.
Tensors = dict[str, tuple[Constant, dict[str, Payload]]]

# By subgraph and tensor, the operators before which a DECODE decodes it.
_Places = dict[tuple[int, int], list[int]]


@dataclass(frozen=True)
class Candidate:
    """Tensors with one common buffer, and the ways to encode them that make the file smaller.

    Attributes
    ----------
    names : tuple of str
    dense : int
        Bytes that they take in the file as they are.
    ways : list of (int, list of Encoding)
        Bytes that they take in the file in each other way, the smallest first.
    """

    names: tuple[str, ...]
    dense: int
    ways: list[tuple[int, list[Encoding]]]


def find_candidates(
    model: Model, groups: Iterable[Tensors], notes: dict[str, str]
) -> list[Candidate]:
    """The tensors that can be encoded with a gain; why the others cannot is added to `notes`.

    At first, all tensors count as encoded. Then those that gain nothing are left out, the ones with
    the fewest DECODE operators first: without them, others may need fewer.
    """
    left = list(groups)
    known: dict[tuple[str, ...], tuple[list[list[int]], Candidate | str]] = {}
    while True:
        places = _decode_places(model, left)
        found: list[Candidate] = []
        failed: list[tuple[int, Tensors, str]] = []
        for group in left:
            key = tuple(group)
            of_group = [places[w.subgraph, w.index] for w, _ in group.values()]
            if key not in known or known[key][0] != of_group:
                known[key] = (of_group, _candidate(model, group, of_group))
            candidate = known[key][1]
            if isinstance(candidate, str):
                failed.append((max(map(len, of_group)), group, candidate))
            else:
                found.append(candidate)
        if not failed:
            return found
        fewest = min(n for n, _, _ in failed)
        for n, group, why in failed:
            if n == fewest:
                notes |= dict.fromkeys(group, why)
                left.remove(group)


def _decode_places(model: Model, groups: Iterable[Tensors]) -> _Places:
    """Where DECODE operators stand if all of these tensors are encoded."""
    encoded: dict[int, set[int]] = defaultdict(set)
    for group in groups:
        for weight, _ in group.values():
            encoded[weight.subgraph].add(weight.index)
    places: _Places = defaultdict(list)
    for s, tensors in encoded.items():
        graph = model.subgraphs[s]
        for decode in decode_groups(graph.operators, tensors, barriers(model, graph)):
            for t in decode.tensors:
                places[s, t].append(decode.operators[0])
    return places


def _candidate(model: Model, group: Tensors, places: Sequence[list[int]]) -> Candidate | str:
    """Ways to encode tensors with one common buffer; why there are none, if so.

    Only a type that makes the same of all of them can be used: their shapes and scales may differ.
    """
    (_, first), *others = group.values()
    ways: list[tuple[int, list[Encoding]]] = []
    dense = 0
    for name, payload in first.items():
        if any(payloads.get(name) != payload for _, payloads in others):
            continue
        encodings = [
            Encoding(w.subgraph, w.index, at, payload)
            for (w, _), at in zip(group.values(), places, strict=True)
        ]
        nbytes, dense = nbytes_in_file(model, encodings)
        ways.append((nbytes, encodings))
    if not ways:
        return "it shares its data with a tensor of other scales"
    ways.sort(key=lambda way: way[0])  # of equal ones, the first type stays first
    if ways[0][0] >= dense:
        return f"it takes {dense:,} bytes dense and would take {ways[0][0]:,} packed"
    return Candidate(tuple(group), dense, [way for way in ways if way[0] < dense])
