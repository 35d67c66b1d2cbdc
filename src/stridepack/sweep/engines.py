# SPDX-License-Identifier: Apache-2.0
"""Where the work of points is done: in this process, or by Dask.

Why Dask and not Ray: it is pure Python of a few megabytes where Ray is a binary of seventy; it
starts jobs of SLURM and its relatives by itself (dask-jobqueue), where Ray leaves that to scripts;
and fsspec, by which files are read here, is its own. What Ray does better, such as actors on GPUs,
independent points do not need.

A worker that dies takes nothing with it but the points that it had: the scheduler gives them to
others. After `DEATHS` workers have died with one point, the point has an error.
"""

import contextlib
import importlib
import logging
import queue
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stridepack.errors import MissingDependencyError, StridepackError, reason
from stridepack.sweep.points import Point
from stridepack.sweep.remote import NEEDED
from stridepack.sweep.scheduler import check_scheduler

Work = Callable[[Point], dict[str, Any]]

DEATHS = 4  # what Dask allows, and the one that is too many
_PATIENCE = 30  # seconds for a scheduler to answer


@dataclass(frozen=True)
class Done:
    """What became of a point: a result, or an error as text."""

    point: Point
    result: dict[str, Any] | None
    error: str = ""
    seconds: float = 0.0
    worker: str = ""

    def record(self) -> dict[str, Any]:
        """As a line of the results."""
        outcome = {"error": self.error} if self.result is None else {"result": self.result}
        place = {"worker": self.worker} if self.worker else {}
        return {"point": dict(self.point), **outcome, "seconds": round(self.seconds, 3), **place}


class Engine(Protocol):
    """What does the work."""

    @property
    def dashboard(self) -> str:
        """The address of a page that shows what is going on; empty where there is none."""

    def all_done(self, work: Work, points: Sequence[Point], retries: int) -> Iterator[Done]:
        """Every point as soon as it is done, in any order."""


class Here:
    """This process, one point after the other."""

    dashboard = ""

    def all_done(self, work: Work, points: Sequence[Point], retries: int) -> Iterator[Done]:
        """Every point, in their order."""
        for point in points:
            for left in reversed(range(retries + 1)):
                try:
                    yield _timed(work, point)
                    break
                except Exception as error:
                    if not left:
                        yield Done(point, None, _said(error))


class Dask:
    """A Dask cluster. The client is closed by whoever made it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def dashboard(self) -> str:
        """The page of the scheduler."""
        return self._client.dashboard_link or ""

    def all_done(self, work: Work, points: Sequence[Point], retries: int) -> Iterator[Done]:
        """Every point as soon as it is done."""
        name = f"sweep-{uuid.uuid4().hex}"  # two sweeps on one cluster have points of their own
        told: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        self._client.subscribe_topic(name, lambda event: told.put(tuple(event[1])))
        left = {}
        for number, point in enumerate(points):
            future = self._client.submit(
                _tell,
                name,
                number,
                work,
                point,
                key=f"{name}-{number}",
                retries=retries,
                pure=False,
            )
            left[number] = point, future
            future.add_done_callback(lambda f, number=number: told.put(_end(number, f)))
        try:
            while left:
                number, result, error, seconds, worker = told.get()
                if number not in left:  # the end of a point that was told before
                    continue
                point, future = left.pop(number)
                if future.status == "cancelled":
                    raise StridepackError(
                        "The scheduler of the cluster has gone away. The results have all points "
                        "that were finished until then. Start the cluster again: the same command "
                        "goes on."
                    )
                yield Done(point, result, error, seconds, worker)
        finally:
            self._client.unsubscribe_topic(name)


# A result or an error of the point with this number, the seconds it took, and the worker
_Told = tuple[int, dict[str, Any] | None, str, float, str]


def _tell(name: str, number: int, work: Work, point: Point) -> None:
    """Do the work of a point, and tell whoever asked for it.

    Dask would keep a result on the worker until it is fetched; this way it outlives the worker.
    """
    from distributed import get_worker

    worker = get_worker()
    with _short_warnings():
        done = _timed(work, point)
    worker.log_event(name, (number, done.result, done.error, done.seconds, worker.address))


@contextlib.contextmanager
def _short_warnings() -> Iterator[None]:
    """Warnings on one line, as commands show them, and without the lines of the program."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before


def _end(number: int, future: Any) -> _Told:
    """What is told of a point when it has failed; of others it was told before."""
    error = future.exception() if future.status == "error" else None
    return number, None, _said(error) if error else "the result did not arrive", 0.0, ""


@contextlib.contextmanager
def local_processes(n: int | None = None) -> Iterator[Dask]:
    """Processes of this machine: so many, or one for each processor."""
    dask = _imported()
    processes = dask.LocalCluster(
        n_workers=n, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    )
    try:
        with dask.Client(processes) as client:
            yield Dask(client)
    finally:
        # It fails when a process that died is just being started again, and all is done by then.
        with contextlib.suppress(Exception):
            processes.close(timeout=_PATIENCE)


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Dask]:
    """A cluster whose scheduler has this address, such as `tcp://10.0.0.1:8786`.

    Its workers need this version of stridepack, and files by addresses that they can reach.
    """
    dask = _imported()
    try:
        check_scheduler(address, _PATIENCE)
        client = dask.Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise StridepackError(
            f"No Dask scheduler answers at {address}: {reason(error)}. Start one with "
            "`dask scheduler`, and workers with `dask worker ADDRESS`."
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            warnings.warn(
                "The cluster has no workers yet. The sweep waits for the first one. Start it with "
                f"`dask worker {address}`.",
                stacklevel=3,
            )
        yield Dask(client)


@contextlib.contextmanager
def slurm(jobs: int) -> Iterator[Dask]:
    """So many jobs of SLURM, each of them a worker; dask-jobqueue's own settings describe them."""
    dask = _imported()
    try:
        make_jobs = importlib.import_module("dask_jobqueue").SLURMCluster
    except ImportError as error:
        raise MissingDependencyError(
            "Jobs of SLURM need the package dask-jobqueue. Install it with `pip install "
            "dask-jobqueue`."
        ) from error
    try:
        jobs_of_slurm = make_jobs()
    except (TypeError, ValueError) as error:  # such as no number of cores
        raise StridepackError(
            f"dask-jobqueue does not know what a job is: {reason(error)}. Describe it in "
            "~/.config/dask/jobqueue.yaml."
        ) from error
    with jobs_of_slurm, dask.Client(jobs_of_slurm) as client:
        jobs_of_slurm.scale(jobs=jobs)
        yield Dask(client)


def _imported() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingDependencyError(
            f"Sweeps on several processes need the package distributed. {NEEDED}"
        ) from error
    # A lost scheduler is told by an error of ours, and not by a traceback of Dask's as well.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    return distributed


def _timed(work: Work, point: Point) -> Done:
    """Do the work. An error that trying again would not change is a result, too."""
    start = time.monotonic()
    try:
        result = work(point)
    except StridepackError as error:
        return Done(point, None, _said(error), time.monotonic() - start)
    return Done(point, result, "", time.monotonic() - start)


def _said(error: BaseException) -> str:
    text = str(error) if isinstance(error, StridepackError) else reason(error)
    kind = "" if isinstance(error, StridepackError) else f"{type(error).__name__}: "
    return kind + text
