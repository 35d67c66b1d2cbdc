# SPDX-License-Identifier: Apache-2.0
"""Where TensorFlow Lite Micro puts buffers in its arena: its greedy memory planner, step by step.

Large buffers come first. Each goes to the lowest gap between the buffers that are in use at the
same time. Facts of `memory_planner/greedy_memory_planner.cc`; the code is ours.
"""

from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

# Every buffer starts at a multiple of this and takes a multiple of it.
ALIGNMENT = 16


class Buffer(NamedTuple):
    """Bytes that are in use from one step of the inference to another one, both included."""

    nbytes: int
    first: int
    last: int


def aligned(nbytes: int) -> int:
    """Bytes up to where the next buffer can start."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


class Placed(NamedTuple):
    """A buffer that has its place. `age` orders those of one offset."""

    offset: int
    age: int
    end: int
    first: int
    last: int


def place(buffers: Sequence[Buffer]) -> list[Placed]:
    """Give every buffer its place, as the planner does."""
    # Of equal sizes, that which was added last comes first.
    order = sorted(range(len(buffers)), key=lambda i: (-aligned(buffers[i].nbytes), -i))
    placed: list[Placed] = []
    for age, i in enumerate(order):
        buffer = buffers[i]
        end = end_beside(placed, buffer)
        offset = end - aligned(buffer.nbytes)
        insort(placed, Placed(offset, age, end, buffer.first, buffer.last))
    return placed


def end_beside(placed: Sequence[Placed], buffer: Buffer) -> int:
    """Where a buffer ends that goes to the first gap that is wide enough."""
    size, first, last = aligned(buffer.nbytes), buffer.first, buffer.last
    offset = 0
    for other in placed:
        if other.first > last or first > other.last:
            continue
        if other.offset - offset >= size:
            break
        offset = max(offset, other.end)
    return offset + size


def planned_nbytes(buffers: Sequence[Buffer]) -> int:
    """Bytes that hold all buffers, where the planner puts them.

    >>> planned_nbytes([Buffer(100, 0, 1), Buffer(50, 1, 2), Buffer(90, 2, 2)])
    176
    """
    return max((placed.end for placed in place(buffers)), default=0)


def never_moved(buffers: Sequence[Buffer], others: Sequence[Buffer]) -> list[Buffer]:
    """Those buffers that have the same place whichever of the others are added to them."""
    moving, stay = list(others), list(buffers)
    while True:
        moved = [buffer for buffer in stay if any(_may_move(other, buffer) for other in moving)]
        if not moved:
            return stay
        moving += moved
        stay = [buffer for buffer in stay if all(buffer is not other for other in moved)]


def _may_move(other: Buffer, buffer: Buffer) -> bool:
    """Whether one buffer may get its place earlier, and be in the way of another one."""
    together = other.first <= buffer.last and buffer.first <= other.last
    return together and aligned(other.nbytes) >= aligned(buffer.nbytes)


def peak_nbytes(buffers: Sequence[Buffer]) -> int:
    """Bytes in use at the busiest step: no planner needs less."""
    if not buffers:
        return 0
    change = [0] * (max(buffer.last for buffer in buffers) + 2)
    for nbytes, first, last in buffers:
        change[first] += aligned(nbytes)
        change[last + 1] -= aligned(nbytes)
    peak = used = 0
    for step in change:
        used += step
        peak = max(peak, used)
    return peak
