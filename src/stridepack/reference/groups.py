# SPDX-License-Identifier: Apache-2.0
"""Algorithm 1 of the paper: find groups of equidistant elements (Section III-B-3).

The paper leaves the order of the search open. Its figures imply this one: for each size, sweep the
strides in ascending order and take the one best group of each, until a sweep takes none.
"""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Group(NamedTuple):
    """b_j = (s_j, d_j, n_j): the positions n + i * d for i < s (Eq. (11)).

    Size in elements; d = 1 means adjacent.
    """

    s: int
    d: int
    n: int


def find_groups(
    M: npt.NDArray[np.bool_],
    S: Iterable[int] = (16, 12, 8, 4),
    D: Iterable[int] = range(1, 17),
    theta: float = 0.8,
    order: str = "size",
) -> tuple[list[Group], npt.NDArray[np.bool_]]:
    """Partition the non-zeros of a flat mask M into groups and a remainder.

    Parameters
    ----------
    M : ndarray of bool, shape (N,)
        True where A is not 0.
    S, D : iterable of int
        Group sizes and strides. Searched in descending and ascending order.
    theta : float
        Occupancy threshold: a group needs ceil(theta * s) non-zeros, and at least one. Exact for
        the decimal number that `theta` prints as: 0.55 * 20 is 11, not a little more.
    order : str
        "size": the largest groups first (the paper). "rate": in a pass of its own for each size s
        and number of non-zeros c, those first whose (s + 1.5) / c bytes a non-zero are fewest.

    Returns
    -------
    B : list of Group
        In the order found.
    R : ndarray of bool, shape (N,)
        True for the non-zeros that no group covers.
    """
    M = M.copy()
    B = []
    for s, threshold in _passes(S, Fraction(repr(float(theta))), order):
        exhausted = False
        while not exhausted:
            exhausted = True
            for d in sorted(set(D)):
                C = _convolve(M, s, d)
                if C.size and C.max() >= threshold:
                    n = int(C.argmax())  # the first among equals
                    B.append(Group(s, d, n))
                    M[n : n + s * d : d] = False
                    exhausted = False
    return B, M


def _passes(S: Iterable[int], theta: Fraction, order: str) -> list[tuple[int, int]]:
    """Size and least number of non-zeros of each pass over the strides."""
    least = {s: max(1, math.ceil(theta * s)) for s in sorted(set(S), reverse=True)}
    if order == "size":
        return list(least.items())
    every = [(s, c) for s, c_least in least.items() for c in range(c_least, s + 1)]
    return sorted(every, key=lambda p: (Fraction(2 * p[0] + 3, 2 * p[1]), -p[0]))


def _convolve(M: npt.NDArray[np.bool_], s: int, d: int) -> npt.NDArray[np.int64]:
    """C = G(s, d) * M: the non-zeros of the group at every start n for which it lies inside M."""
    n_starts = M.size - (s - 1) * d
    C = np.zeros(max(n_starts, 0), np.int64)
    if n_starts > 0:
        for i in range(s):
            C += M[i * d : i * d + n_starts]
    return C
