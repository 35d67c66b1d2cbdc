"""One option for each item, so that sums keep their limits and the total is the best: exact.

The multiple-choice knapsack problem with two sums, bytes and cycles. Items are added one by one;
of all partial choices only those are kept that no other one beats in both sums (their Pareto
front), that can still keep the limits, and that a Lagrangian bound does not exclude. The last two
only save time: what is left out cannot be part of a better choice. See Kellerer, Pferschy and
Pisinger, "Knapsack Problems", 2004, chapter 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack.errors import InputError

Int64 = npt.NDArray[np.int64]

# Halvings of the range of a multiplier, and rounds over both. They only affect the time.
_HALVINGS = 40
_ROUNDS = 3


class Option(NamedTuple):
    """What an option of an item adds to the sums, both at least 0."""

    nbytes: int
    cycles: int


class Weights(NamedTuple):
    """What counts: `nbytes` times the bytes plus `cycles` times the cycles; both at least 0."""

    nbytes: int
    cycles: int


class Limits(NamedTuple):
    """The largest sums that are allowed; None: any."""

    nbytes: int | None = None
    cycles: int | None = None


def best_choice(
    items: Sequence[Sequence[Option]], weights: Weights, limits: Limits | None = None
) -> list[int] | None:
    """Choose an option for each item.

    Parameters
    ----------
    items : sequence of sequence of Option
        At least one option for each item.
    weights : Weights
    limits : Limits, optional
        Default: none.

    Returns
    -------
    list of int or None
        The index of the option of each item, with the smallest weighted sum; of equal ones that
        with the fewest bytes, then the fewest cycles. The same for the same arguments. None: no
        choice keeps the limits.

    Raises
    ------
    InputError
        When a weighted sum could exceed 64 bits.
    """
    largest = sum(max(w * v for w, v in zip(weights, o, strict=True)) for i in items for o in i)
    if largest >= 2**61:
        raise InputError(f"weights {tuple(weights)} are too large: sums reach {largest}")
    tables = [_undominated(options) for options in items]
    found = _Search([table.sums for table in tables], weights, limits or Limits()).run()
    if found is None:
        return None
    return [int(table.index[j]) for table, j in zip(tables, found, strict=True)]


@dataclass
class _Table:
    """Options of an item that no other one of it beats: bytes ascend, cycles descend."""

    sums: Int64  # (options, 2)
    index: Int64


def _undominated(options: Sequence[Option]) -> _Table:
    sums = np.array(options, np.int64).reshape(-1, 2)
    kept = _front(sums)
    return _Table(sums[kept], kept)


def _front(sums: Int64) -> Int64:
    """Indices of the rows that no other row beats; of equal rows the first."""
    order = np.lexsort((np.arange(len(sums)), sums[:, 1], sums[:, 0]))
    cycles = sums[order, 1]
    before = np.minimum.accumulate(cycles)
    kept = np.ones(len(order), np.bool_)
    kept[1:] = cycles[1:] < before[:-1]
    return order[kept]


class _Search:
    """The search for one problem. Sums are rows of bytes and cycles."""

    def __init__(self, items: list[Int64], weights: Weights, limits: Limits) -> None:
        self._items = items
        self._weights = np.array(weights, np.int64)
        unlimited = np.iinfo(np.int64).max
        self._limits = np.array([unlimited if v is None else v for v in limits], np.int64)
        self._limited = np.array([v is not None for v in limits])
        # The least that the items behind each one add to each sum.
        least = np.array([item.min(axis=0) for item in items], np.int64).reshape(-1, 2)
        self._least_behind = np.cumsum(least[::-1], axis=0)[::-1] - least
        self._best: tuple[int, int, int] | None = (
            None  # weighted sum, bytes, cycles: a known choice
        )

    def run(self) -> list[int] | None:
        self._multipliers = self._find_multipliers()
        penalised = self._weights + self._multipliers
        least = np.array([(item @ penalised).min() for item in self._items])
        bound_behind = np.cumsum(least[::-1])[::-1] - least

        sums = np.zeros((1, 2), np.int64)
        history: list[tuple[Int64, Int64]] = []  # for each item: where a row came from, its option
        for item, behind, bound in zip(self._items, self._least_behind, bound_behind, strict=True):
            extended = (sums[:, np.newaxis] + item).reshape(-1, 2)
            alive = np.flatnonzero(self._can_win(extended, behind, float(bound)))
            alive = alive[_front(extended[alive])]
            sums = extended[alive]
            history.append((alive // len(item), alive % len(item)))
        if not len(sums):
            return None
        row = int(np.lexsort((sums[:, 1], sums[:, 0], sums @ self._weights))[0])
        chosen = []
        for origin, option in reversed(history):
            chosen.append(int(option[row]))
            row = int(origin[row])
        return chosen[::-1]

    def _can_win(self, sums: Int64, behind: Int64, bound_behind: float) -> Any:
        """Rows that can keep the limits and be no worse than the choice that is known."""
        alive = np.all(sums <= self._limits - behind, axis=1)
        if self._best is None:
            return alive
        slack = np.where(self._limited, self._limits, 0) @ self._multipliers
        bound = sums @ (self._weights + self._multipliers) + (bound_behind - slack)
        # Rounding must exclude nothing; more that survives does no harm.
        margin = 1e-9 * (1 + abs(slack) + abs(bound_behind) + abs(self._best[0]))
        return alive & (bound <= self._best[0] + margin)

    def _find_multipliers(self) -> npt.NDArray[np.float64]:
        """Prices of a byte and of a cycle that make a good bound; choices met on the way count."""
        multipliers = np.zeros(2)
        for _ in range(_ROUNDS):
            for axis in np.flatnonzero(self._limited).tolist():
                low = high = 0.0
                while high < 1e15 and self._excess_with(multipliers, axis, high) > 0:
                    low, high = high, 16 * high or 1.0
                for _ in range(_HALVINGS if high else 0):
                    middle = (low + high) / 2
                    if self._excess_with(multipliers, axis, middle) > 0:
                        low = middle
                    else:
                        high = middle
                multipliers[axis] = high
        return multipliers

    def _excess_with(self, multipliers: npt.NDArray[np.float64], axis: int, value: float) -> int:
        tried = multipliers.copy()
        tried[axis] = value
        return int(self._excess(tried)[axis])

    def _excess(self, multipliers: npt.NDArray[np.float64]) -> Int64:
        """How far the cheapest choice at these prices exceeds the limits, and remember it."""
        price = self._weights + multipliers
        cheapest = [item[np.argmin(item @ price)] for item in self._items]
        sums = np.array(cheapest, np.int64).reshape(-1, 2).sum(axis=0)
        if (sums <= self._limits).all():
            key = (int(sums @ self._weights), int(sums[0]), int(sums[1]))
            self._best = key if self._best is None else min(self._best, key)
        return np.where(self._limited, sums - np.where(self._limited, self._limits, 0), -1)
