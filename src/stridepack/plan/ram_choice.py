# SPDX-License-Identifier: Apache-2.0
"""Which tensors to pack, where unpacking needs RAM: the best choice in Flash, or in both together.

Only numbers. How much RAM a choice needs is what a memory planner makes of it. That is neither a
sum nor monotone, so a function says it, and this module asks it as seldom as it can: it takes the
choices in the order of a lower bound, and stops where no other one can be better. The bound is a
knapsack problem for each possible height of the peak. The order is that of Lawler, "A procedure
for computing the K best solutions to discrete optimization problems", 1972.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from stridepack.plan.knapsack import Coefficients, Limits, Option, best_choice

# How many options may be looked at in search of a better choice. It takes some seconds.
_MOST_WORK = 20_000_000
_MOST_ATTEMPTS = 30

Chosen = tuple[int, ...]  # the option of each item


class RamOption(NamedTuple):
    """What an option of an item takes, all at least 0.

    Attributes
    ----------
    nbytes : int
        Of Flash.
    kept : int
        Bytes of RAM for as long as the model is there. Those of all items add up.
    peak : int
        Bytes of RAM in use, at least, at the moment when this item needs the most of them.
    """

    nbytes: int
    kept: int = 0
    peak: int = 0


class Ram(NamedTuple):
    """Bytes of RAM that a choice takes: in the memory that is limited, and elsewhere."""

    limited: int
    elsewhere: int = 0

    @property
    def total(self) -> int:
        """Of both."""
        return self.limited + self.elsewhere


@dataclass(frozen=True)
class RamChoice:
    """A choice with a limit of RAM.

    Attributes
    ----------
    items : sequence of sequence of RamOption
    ram : callable
        What a choice really takes. At least what `kept` and the largest `peak` come to.
    fixed : int
        Bytes of limited RAM that every choice takes, all peaks aside.
    floor : int
        Bytes of the peak that every choice reaches.
    peak_is_elsewhere : bool
        Whether the peak lies in RAM that is not limited.
    counts : str
        What is minimised: "flash", "limited" (Flash and limited RAM together), or "all".
    limit, flash : int or None
        The most of limited RAM, and of the sum of all `nbytes`.
    """

    items: Sequence[Sequence[RamOption]]
    ram: Callable[[Chosen], Ram]
    fixed: int = 0
    floor: int = 0
    peak_is_elsewhere: bool = False
    counts: str = "flash"
    limit: int | None = None
    flash: int | None = None

    def nbytes(self, chosen: Chosen) -> int:
        """Bytes of Flash of a choice."""
        return sum(item[o].nbytes for item, o in zip(self.items, chosen, strict=True))

    def value(self, chosen: Chosen, ram: Ram) -> tuple[int, int, Chosen]:
        """What is minimised; of equal choices the one that takes less RAM."""
        counted = {"flash": 0, "limited": ram.limited, "all": ram.total}[self.counts]
        return self.nbytes(chosen) + counted, ram.total, chosen

    def best(self) -> tuple[Chosen | None, bool]:
        """Find the best choice that keeps the limits.

        Returns
        -------
        chosen : tuple of int or None
            The same for the same arguments. None: none was found.
        proven : bool
            Whether no other choice can be better. Otherwise the search was given up.
        """
        search = _Search(self)
        search.run()
        return (search.best[-1] if search.best else None), search.proven


class _Search:
    def __init__(self, problem: RamChoice) -> None:
        self.problem = problem
        self.best: tuple[int, int, Chosen] | None = None
        self.proven = False
        self._work = 0
        self._known: dict[Chosen, Ram] = {}

    def run(self) -> None:
        options = [tuple(range(len(item))) for item in self.problem.items]
        first = self._bound(self.problem, options)
        if first is None:
            self.proven = True
            return
        self._try(first[-1])
        if self.best != first:
            self._guess(options)
        heap = [(first, options)]
        while heap and (self.best is None or heap[0][0] < self.best):
            if self._work > _MOST_WORK:
                return
            (*_, chosen), allowed = heapq.heappop(heap)
            self._try(chosen)
            for j, option in enumerate(chosen):
                # The rest in parts: the first j as they are, and something else for this one.
                rest = tuple(o for o in allowed[j] if o != option)
                if not rest:
                    continue
                part = [*((o,) for o in chosen[:j]), rest, *allowed[j + 1 :]]
                bound = self._bound(self.problem, part)
                if bound is not None and (self.best is None or bound < self.best):
                    heapq.heappush(heap, (bound, part))
        self.proven = True

    def _ram(self, chosen: Chosen) -> Ram:
        if chosen not in self._known:
            self._known[chosen] = self.problem.ram(chosen)
            self._work += 1000 * len(chosen)
        return self._known[chosen]

    def _try(self, chosen: Chosen) -> int:
        """Remember a choice if it is better. Returns by how much it exceeds the limit of RAM."""
        ram, problem = self._ram(chosen), self.problem
        if problem.limit is not None and ram.limited > problem.limit:
            return ram.limited - problem.limit
        value = problem.value(chosen, ram)
        if self.best is None or value < self.best:
            self.best = value
        return 0

    def _guess(self, options: Sequence[tuple[int, ...]]) -> None:
        """Find a good choice from what each item really takes where it is packed alone."""
        none = tuple(0 for _ in options)
        items = []
        for i, item in enumerate(self.problem.items):
            peak = 0
            if len(item) > 1:
                alone = (*none[:i], 1, *none[i + 1 :])
                ram = self._ram(alone)
                rest = self.problem.fixed + item[1].kept
                peak = ram.elsewhere if self.problem.peak_is_elsewhere else ram.limited - rest
            items.append([o._replace(peak=max(o.peak, peak) if o.peak else 0) for o in item])
        guess = replace(self.problem, items=items)
        for _ in range(_MOST_ATTEMPTS):
            bound = self._bound(guess, options)
            if bound is None:
                return
            excess = self._try(bound[-1])
            if not excess:
                return
            assert guess.limit is not None
            guess = replace(guess, limit=guess.limit - excess)

    def _bound(
        self, problem: RamChoice, allowed: Sequence[tuple[int, ...]]
    ) -> tuple[int, int, Chosen] | None:
        """The best choice if RAM were what `kept` and the largest `peak` come to."""
        best = None
        peaks = {o.peak for item in problem.items for o in item}
        for top in sorted({max(problem.floor, peak) for peak in peaks} or {problem.floor}):
            self._work += sum(map(len, allowed))
            within = [
                [o for o in some if item[o].peak <= top]
                for item, some in zip(problem.items, allowed, strict=True)
            ]
            limit = problem.limit
            if limit is not None:
                limit -= problem.fixed + (0 if problem.peak_is_elsewhere else top)
            if not all(within) or (limit is not None and limit < 0):
                continue
            chosen = _cheapest(problem, within, limit)
            if chosen is not None:
                value = problem.value(chosen, _at_least(problem, chosen))
                best = value if best is None else min(best, value)
        return best


def _at_least(problem: RamChoice, chosen: Chosen) -> Ram:
    """RAM that a choice takes at least."""
    options = [item[o] for item, o in zip(problem.items, chosen, strict=True)]
    kept = problem.fixed + sum(o.kept for o in options)
    peak = max((o.peak for o in options), default=0)
    peak = max(peak, problem.floor)
    return Ram(kept, peak) if problem.peak_is_elsewhere else Ram(kept + peak)


def _cheapest(
    problem: RamChoice, within: Sequence[Sequence[int]], limit: int | None
) -> Chosen | None:
    """The best choice of some options that keeps the limits of Flash and of what is kept."""
    weight = int(problem.counts != "flash")

    def cost(option: RamOption) -> tuple[int, int]:
        return option.nbytes + weight * option.kept, option.kept

    pairs = list(zip(problem.items, within, strict=True))
    chosen = tuple(min(some, key=lambda o: cost(item[o])) for item, some in pairs)
    kept = sum(item[o].kept for (item, _), o in zip(pairs, chosen, strict=True))
    too_much = limit is not None and kept > limit
    if not too_much and (problem.flash is None or problem.nbytes(chosen) <= problem.flash):
        return chosen
    found = best_choice(
        [[Option(item[o].nbytes, item[o].kept) for o in some] for item, some in pairs],
        Coefficients(1, weight),
        Limits(problem.flash, limit),
    )
    return (
        None if found is None else tuple(some[i] for (_, some), i in zip(pairs, found, strict=True))
    )
