# SPDX-License-Identifier: Apache-2.0
"""Run a sweep: what is finished is left out, and what gets finished is written at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from stridepack.sweep.engines import Done, Engine, Work
from stridepack.sweep.points import Point, key_of
from stridepack.sweep.results import Results


@dataclass
class Summary:
    """How a sweep went, in numbers of points.

    Attributes
    ----------
    skipped : int
        Those that were finished before.
    finished, failed : int
        Those of this run. What failed is tried again by the next one.
    records : list of dict
        The lines of all points, in their order. See `results`.
    """

    skipped: int = 0
    finished: int = 0
    failed: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)


def run(
    work: Work,
    points: Iterable[Point],
    results: str,
    engine: Engine,
    *,
    retries: int = 2,
    on_start: Callable[[int, int], None] | None = None,
    on_done: Callable[[Done], None] | None = None,
) -> Summary:
    """Do the work of every point that has no result yet.

    Parameters
    ----------
    work : callable
        Takes a point and returns a dictionary of plain values. The workers must be able to import
        it. It may run twice for a point, when a worker dies.
    points : iterable of mapping of str to value
        Plain values: text, numbers, None, and lists and dictionaries of them.
    results : str
        A path or an address that fsspec knows. JSON lines, one for each point.
    engine : Engine
        `Here()`, or what `local_processes`, `cluster` and `slurm` give.
    retries : int
        How often a point is tried again after an error that is not one of stridepack's own.
    on_start : callable, optional
        Called with the numbers of points to do and of points that are skipped.
    on_done : callable, optional
        Called after each point, when its line is written.

    Returns
    -------
    Summary

    Raises
    ------
    StridepackError
        When the results cannot be read or written, or the cluster goes away.
    """
    every = {key_of(point): point for point in points}
    with Results(results) as file:
        left = [point for point in every.values() if not file.is_finished(point)]
        summary = Summary(skipped=len(every) - len(left))
        if on_start:
            on_start(len(left), summary.skipped)
        for done in engine.all_done(work, left, retries) if left else ():
            file.add(done.record())
            if done.result is None:
                summary.failed += 1
            else:
                summary.finished += 1
            if on_done:
                on_done(done)
        summary.records = [file.records[key] for key in every]
    return summary
