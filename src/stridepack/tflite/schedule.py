# SPDX-License-Identifier: Apache-2.0
"""Where DECODE operators stand, and what each of them decodes.

A DECODE stands right before the first operator that needs what it decodes. The memory that
firmware gives to `MicroInterpreter::SetDecompressionMemory` is used anew by each DECODE, so what
one has decoded may be gone after the next. Operators can therefore share a DECODE only where no
other DECODE stands between them. An unrolled recurrent layer reads its two kernels in turn, once
for each step; they share one DECODE that decodes both.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from stridepack.tflite.model import Operator


@dataclass
class Group:
    """Operators that share a DECODE.

    Attributes
    ----------
    operators : list of int
        In the order in which they run. The DECODE stands before the first.
    tensors : list of int
        What it decodes, in the order of use.
    """

    operators: list[int] = field(default_factory=list)
    tensors: list[int] = field(default_factory=list)


def decode_groups(
    operators: Sequence[Operator], encoded: Collection[int], barriers: Collection[int] = ()
) -> list[Group]:
    """All DECODE operators that the operators of a subgraph need.

    Tensors with several readers are decoded once for all of them if all operators in between that
    need a decoded tensor need only such tensors as well. If not, each reader has a DECODE of its
    own, so that large tensors in between are not kept in memory for long.

    Parameters
    ----------
    operators : sequence of Operator
    encoded : collection of int
        Tensors that are encoded.
    barriers : collection of int
        Operators that are DECODEs already, or run a subgraph that may have some. They count as
        DECODEs in between.
    """
    needs = [
        (o, needed)
        for o, operator in enumerate(operators)
        if (
            needed := [-2 - o]  # no tensor has this number, so nothing else needs it
            if o in barriers
            else [t for t in dict.fromkeys(operator.inputs) if t in encoded]
        )
    ]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for i, (_, needed) in enumerate(needs):
        for t in needed:
            first.setdefault(t, i)
            last[t] = i
    groups: list[Group] = []
    i = 0
    while i < len(needs):
        end = _end_of_run(needs, i, first, last)
        members = needs[i : end + 1]
        tensors = dict.fromkeys(t for _, needed in members for t in needed)
        if needs[i][0] not in barriers:
            groups.append(Group([o for o, _ in members], list(tensors)))
        i = end + 1
    return groups


def _end_of_run(
    needs: Sequence[tuple[int, list[int]]], start: int, first: dict[int, int], last: dict[int, int]
) -> int:
    """The last of the operators, counted in `needs`, that share a DECODE with the one at `start`.

    A run ends where nothing that it decodes is read later. It is none if it would decode something
    that only one of its operators needs, or that was decoded before it.
    """
    end, i = start, start
    while i <= end:
        for t in needs[i][1]:
            if first[t] < start or (first[t] == last[t] and end > start):
                return start
            end = max(end, last[t])
        i += 1
    alone = any(first[t] == last[t] for _, needed in needs[start : end + 1] for t in needed)
    return start if alone and end > start else end
