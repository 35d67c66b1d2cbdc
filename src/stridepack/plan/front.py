# SPDX-License-Identifier: Apache-2.0
"""Which plans of a whole model are worth a look: bytes against cycles."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stridepack.plan.measure import Measured


@dataclass(frozen=True)
class FrontPoint:
    """One plan.

    Attributes
    ----------
    nbytes : int
        Of all blobs.
    cycles : float
        To decode every tensor once.
    formats : tuple of str
        One for each tensor.
    """

    nbytes: int
    cycles: float
    formats: tuple[str, ...]


def plan_front(measured: Sequence[Measured]) -> list[FrontPoint]:
    """The plans on the lower convex hull, from the smallest to the fastest.

    Each step changes one tensor: the one that gains the most cycles for a byte. No other choice of
    formats is smaller at the same weight of bytes against cycles (Lagrangian bound). Formats whose
    cycles are not known are left out. Plans between these points may exist; `plan_within` finds
    them for a given budget.

    Parameters
    ----------
    measured : sequence of Measured
        With cycles, that is, for a target.
    """
    hulls = [_hull(one) for one in measured]
    formats = [hull[0][2] for hull in hulls]
    nbytes = sum(hull[0][0] for hull in hulls)
    cycles = sum(hull[0][1] for hull in hulls)
    steps = []  # gain of cycles for a byte, tensor, the point before and after
    for number, hull in enumerate(hulls):
        for before, after in pairwise(hull):
            gain = (before[1] - after[1]) / (after[0] - before[0])
            steps.append((gain, number, before, after))
    points = [FrontPoint(nbytes, cycles, tuple(formats))]
    for _, number, before, after in sorted(steps, key=lambda step: (-step[0], step[1])):
        nbytes += after[0] - before[0]
        cycles += after[1] - before[1]
        formats[number] = after[2]
        points.append(FrontPoint(nbytes, cycles, tuple(formats)))
    return points


def _hull(one: Measured) -> list[tuple[int, float, str]]:
    """Bytes, cycles and format of what lies on the lower convex hull of a tensor."""
    names = ["dense"] if one.note else list(one.nbytes)
    known = [(name, cycles) for name in names if (cycles := one.cycles[name]) is not None]
    hull: list[tuple[int, float, str]] = []
    for nbytes, cycles, name in sorted((one.nbytes[name], cycles, name) for name, cycles in known):
        if hull and cycles >= hull[-1][1]:
            continue
        while len(hull) > 1 and _is_above(hull[-2], hull[-1], (nbytes, cycles)):
            hull.pop()
        if hull and hull[-1][0] == nbytes:
            hull.pop()
        hull.append((nbytes, cycles, name))
    return hull


def _is_above(a: tuple[int, float, str], b: tuple[int, float, str], c: tuple[int, float]) -> bool:
    """Whether b lies on or above the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])
