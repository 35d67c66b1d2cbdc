# SPDX-License-Identifier: Apache-2.0
"""Plans of one model: each is built, packed and measured once."""

from collections.abc import Callable
from functools import cached_property

from stridepack.shrink.allocate import Table, best_steps, least_nbytes, nbytes_of
from stridepack.shrink.build import Builder
from stridepack.shrink.quality import Reference
from stridepack.shrink.rate import Rate
from stridepack.shrink.result import Point

Steps = tuple[float, ...]

# Bytes of the layers from one plan of the ladder to the next.
_RUNG = 0.95

# Plans that are tried to hit a number of bytes.
_TRIES = 6


class Plans:
    """Plans for the layers of a builder, from the untouched model to the smallest one."""

    def __init__(
        self,
        builder: Builder,
        table: Table,
        rate: Rate,
        held_back: Reference,
        on_done: Callable[[], None],
    ) -> None:
        self._builder = builder
        self._table = table
        self._rate = rate
        self._held_back = held_back
        self._on_done = on_done
        self._models: dict[Steps, bytes] = {}
        self._points: dict[Steps, Point] = {}
        self.untouched: Steps = tuple(1.0 for _ in table)

    def model(self, steps: Steps) -> bytes:
        """The .tflite of a plan."""
        if steps not in self._models:
            self._models[steps] = self._builder.build(steps, self._on_done)
        return self._models[steps]

    def nbytes(self, steps: Steps) -> int:
        """Bytes of the packed file of a plan."""
        return self.point(steps).nbytes

    def point(self, steps: Steps) -> Point:
        """What a plan gives."""
        if steps not in self._points:
            model = self.model(steps)
            nbytes = self._rate.of_model(model, self._builder.file)
            self._points[steps] = Point(steps, nbytes, self._held_back.quality(model))
        return self._points[steps]

    @cached_property
    def ladder(self) -> list[Steps]:
        """Plans with ever fewer bytes, the untouched model first."""
        limit = float(nbytes_of(self._table, self.untouched))
        plans = [self.untouched]
        while (limit := limit * _RUNG) >= least_nbytes(self._table):
            steps = best_steps(self._table, int(limit))
            if steps is not None and steps != plans[-1]:
                plans.append(steps)
        if self.smallest() != plans[-1]:
            plans.append(self.smallest())
        return plans

    def smallest(self) -> Steps:
        """The plan with the fewest bytes."""
        steps = best_steps(self._table, least_nbytes(self._table))
        assert steps is not None  # the limit is what some plan takes
        return steps

    def uniform(self, step: float) -> Steps:
        """The same step for all layers that can have one."""
        return tuple(step if len(candidates) > 1 else 1.0 for candidates in self._table)

    def within(self, flash: int) -> Steps | None:
        """The best plan whose packed file takes at most so many bytes; None if there is none.

        The bytes of the table are about right; a packed file says how far they are off.
        """
        if self.nbytes(self.untouched) <= flash:
            return self.untouched
        limit = nbytes_of(self._table, self.untouched) + flash - self.nbytes(self.untouched)
        best: Steps | None = None
        for _ in range(_TRIES):
            steps = best_steps(self._table, limit)
            if steps is None:
                break
            excess = self.nbytes(steps) - flash
            if excess <= 0 and (best is None or self.nbytes(steps) > self.nbytes(best)):
                best = steps
            if excess == 0:
                break
            # Towards the limit from either side; from above by at least what is too much.
            used = nbytes_of(self._table, steps)
            wanted = min(limit, used) - excess if excess > 0 else used - excess
            if wanted == limit:
                break
            limit = wanted
        if best is None and self.nbytes(self.smallest()) <= flash:
            best = self.smallest()
        return best

    def last_good(self, is_good: Callable[[Point], bool]) -> Steps:
        """The last plan of the ladder that is good, if all before it are."""
        ladder = self.ladder
        good, bad = 0, len(ladder)
        while bad - good > 1:
            middle = (good + bad) // 2
            if is_good(self.point(ladder[middle])):
                good = middle
            else:
                bad = middle
        return ladder[good]

    def curve(self, chosen: Steps) -> list[Point]:
        """Points of the ladder and of a plan that was chosen, the largest one first."""
        points = [self.point(steps) for steps in dict.fromkeys([*self.ladder, chosen])]
        return sorted(points, key=lambda point: -point.nbytes)

    def beside(self, steps: Steps) -> tuple[Steps | None, Steps | None]:
        """The next smaller and the next larger plan of the ladder, by the bytes of the table."""
        nbytes = nbytes_of(self._table, steps)
        smaller = [p for p in self.ladder if nbytes_of(self._table, p) < nbytes]
        larger = [p for p in self.ladder if nbytes_of(self._table, p) > nbytes]
        return (smaller[0] if smaller else None), (larger[-1] if larger else None)
