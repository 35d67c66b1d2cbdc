# SPDX-License-Identifier: Apache-2.0
"""One option for each item, so that sums keep their limits and the total is the best: exact.

The multiple-choice knapsack problem with two sums, bytes and cycles. Items are added one by one;
of all partial choices only those are kept that no other one beats in both sums (their Pareto
front), that can still keep the limits, and that a Lagrangian bound does not exclude. The last only
saves time: what it leaves out cannot be part of a better choice than one that is known. See
Kellerer, Pferschy and Pisinger, "Knapsack Problems", 2004, chapter 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack.errors import InputError

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

# Two of them add up without an overflow of 64 bits. A limit above it allows everything.
_LARGEST_SUM = 2**61

# Halvings of the range of a multiplier, rounds over both, and where the range ends at the latest.
# They only affect the time.
_HALVINGS = 40
_ROUNDS = 3
_HIGHEST_PRICE = 1e15


class Option(NamedTuple):
    """What an option of an item adds to the sums, both at least 0."""

    nbytes: int
    cycles: int


class Coefficients(NamedTuple):
    """The objective: `nbytes` times the bytes plus `cycles` times the cycles; both at least 0."""

    nbytes: int
    cycles: int


class Limits(NamedTuple):
    """The largest sums that are allowed; None: any."""

    nbytes: int | None = None
    cycles: int | None = None


def best_choice(
    items: Sequence[Sequence[Option]], coefficients: Coefficients, limits: Limits | None = None
) -> list[int] | None:
    """Choose an option for each item.

    Parameters
    ----------
    items : sequence of sequence of Option
        At least one option for each item.
    coefficients : Coefficients
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
    largest = sum(
        max(max(w, 1) * v for option in options for w, v in zip(coefficients, option, strict=True))
        for options in items
    )
    if largest > _LARGEST_SUM:
        raise InputError(
            f"The bytes and cycles of this model are too large. Their sums reach {largest} with "
            f"the coefficients {tuple(coefficients)}, and at most {_LARGEST_SUM} is possible."
        )
    tables = [_undominated(options) for options in items]
    found = _search([table.sums for table in tables], coefficients, limits or Limits())
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


def _search(items: list[Int64], coefficients: Coefficients, limits: Limits) -> list[int] | None:
    """`best_choice` of items without dominated options.

    Starts from a choice that keeps the limits, if there is any: the bounds need one.
    """
    known = _of_least(items, limits)
    if known is None:
        return None
    if coefficients == Coefficients(1, 0) and None not in limits:
        return known
    return _Search(items, coefficients, limits).run(known)


def _of_least(items: list[Int64], limits: Limits) -> list[int] | None:
    """Some choice that keeps the limits; with both, the one of the fewest bytes."""
    if limits.cycles is None:  # the first option has the fewest bytes, the last the fewest cycles
        known = [0] * len(items)
    elif limits.nbytes is None:
        known = [len(item) - 1 for item in items]
    else:
        within_cycles = _search(items, Coefficients(1, 0), Limits(None, limits.cycles))
        if within_cycles is None:
            return None
        known = within_cycles
    sums = _sums(items, known)
    kept = (limit is None or v <= limit for v, limit in zip(sums, limits, strict=True))
    return known if all(kept) else None


def _sums(items: list[Int64], chosen: list[int]) -> Int64:
    sums = np.array([item[i] for item, i in zip(items, chosen, strict=True)], np.int64)
    total: Int64 = sums.reshape(-1, 2).sum(axis=0)
    return total


class _Search:
    """The search for one problem. Sums are rows of bytes and cycles."""

    def __init__(self, items: list[Int64], coefficients: Coefficients, limits: Limits) -> None:
        self._items = items
        self._coefficients = np.array(coefficients, np.int64)
        self._limited = np.array([v is not None for v in limits])
        clipped = [_LARGEST_SUM if v is None else min(v, _LARGEST_SUM) for v in limits]
        self._limits = np.array(clipped, np.int64)
        # The same in one array, (items, options, 2): the last option of an item fills it up.
        most = max(map(len, items), default=0)
        self._table = np.zeros((len(items), most, 2), np.int64)
        for row, item in zip(self._table, items, strict=True):
            row[:] = item[np.minimum(np.arange(most), len(item) - 1)]
        # The least that the items behind each one add to each sum.
        least = self._table.min(axis=1, initial=_LARGEST_SUM)
        self._least_behind = np.cumsum(least[::-1], axis=0)[::-1] - least
        self._known = 0  # weighted sum of the best choice met so far

    def run(self, known: list[int]) -> list[int]:
        """Find the best choice, given one that keeps the limits."""
        self._known = int(_sums(self._items, known) @ self._coefficients)
        multipliers = self._find_multipliers()
        price = self._coefficients + multipliers
        least = (self._table @ price).min(axis=1, initial=np.inf)
        bound_behind = np.cumsum(least[::-1])[::-1] - least

        sums = np.zeros((1, 2), np.int64)
        history: list[tuple[Int64, Int64]] = []  # for each item: where a row came from, its option
        for item, behind, bound in zip(self._items, self._least_behind, bound_behind, strict=True):
            extended = (sums[:, np.newaxis] + item).reshape(-1, 2)
            alive = np.all(extended <= self._limits - behind, axis=1)
            alive &= self._can_win(extended, float(bound), multipliers)
            kept = np.flatnonzero(alive)
            kept = kept[_front(extended[kept])]
            sums = extended[kept]
            history.append((kept // len(item), kept % len(item)))
        row = int(np.lexsort((sums[:, 1], sums[:, 0], sums @ self._coefficients))[0])
        chosen = []
        for origin, option in reversed(history):
            chosen.append(int(option[row]))
            row = int(origin[row])
        return chosen[::-1]

    def _can_win(self, sums: Int64, bound_behind: float, multipliers: Float64) -> Any:
        """Rows whose Lagrangian bound is no worse than the choice that is known."""
        slack = float(np.where(self._limited, self._limits, 0) @ multipliers)
        bound = sums @ (self._coefficients + multipliers) + (bound_behind - slack)
        # Rounding must exclude nothing; more that survives does no harm.
        margin = 1e-9 * (1 + abs(slack) + abs(bound_behind) + self._known)
        return bound <= self._known + margin

    def _find_multipliers(self) -> Float64:
        """Prices of a byte and of a cycle that make a good bound; choices met on the way count."""
        multipliers = np.zeros(2)
        if (self._excess(multipliers) <= 0).all():
            return multipliers  # the limits do not bind
        for _ in range(_ROUNDS):
            for axis in np.flatnonzero(self._limited).tolist():
                low = high = 0.0
                while high < _HIGHEST_PRICE and self._excess_with(multipliers, axis, high) > 0:
                    low, high = high, 16 * high or 1.0
                for _ in range(_HALVINGS if high else 0):
                    middle = (low + high) / 2
                    if self._excess_with(multipliers, axis, middle) > 0:
                        low = middle
                    else:
                        high = middle
                multipliers[axis] = high
        return multipliers

    def _excess_with(self, multipliers: Float64, axis: int, value: float) -> int:
        tried = multipliers.copy()
        tried[axis] = value
        return int(self._excess(tried)[axis])

    def _excess(self, multipliers: Float64) -> Int64:
        """How far the cheapest choice at these prices exceeds the limits. Remembers a good one."""
        prices = self._table @ (self._coefficients + multipliers)
        cheapest = prices.argmin(axis=1) if prices.size else np.zeros(0, np.int64)
        sums = self._table[np.arange(len(cheapest)), cheapest].sum(axis=0)
        if (sums <= self._limits).all():
            self._known = min(self._known, int(sums @ self._coefficients))
        excess: Int64 = sums - self._limits
        return excess
