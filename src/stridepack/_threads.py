# SPDX-License-Identifier: Apache-2.0
"""Work on many tensors at once. The encoders release the GIL."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from stridepack import _core

T = TypeVar("T")
Result = TypeVar("Result")


def _reporting(
    work: Callable[[T], Result], size: Callable[[T], int], on_done: Callable[[int], None] | None
) -> Callable[[T], Result]:
    """The work, after which the size of its item is reported."""

    def and_report(item: T) -> Result:
        result = work(item)
        if on_done:
            on_done(size(item))
        return result

    return and_report


def in_threads(
    work: Callable[[T], Result],
    items: Sequence[T],
    size: Callable[[T], int],
    on_done: Callable[[int], None] | None = None,
) -> list[Result]:
    """Results in the order of the items.

    Parameters
    ----------
    work : callable
    items : sequence
    size : callable
        Of an item: the larger it is, the earlier it starts.
    on_done : callable, optional
        Called with the size of an item whenever one is done.
    """

    and_report = _reporting(work, size, on_done)
    # Large ones first, so that none starts last and alone.
    order = sorted(range(len(items)), key=lambda i: -size(items[i]))
    stop = _core.Stop()
    with ThreadPoolExecutor(max_workers=os.cpu_count(), initializer=stop.watch) as pool:
        try:
            futures = {i: pool.submit(and_report, items[i]) for i in order}
            return [futures[i].result() for i in range(len(items))]
        except BaseException:  # of one item, or Ctrl-C: the others are not waited for
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


# So many items wait at most for one that takes longer. Each of them takes some memory itself.
_MOST_WAITING = 1000


def one_after_the_other(
    work: Callable[[T], Result],
    items: Iterable[T],
    size: Callable[[T], int],
    limit: int,
    on_done: Callable[[int], None] | None = None,
) -> Generator[Result, None, None]:
    """Results in the order of the items, of which few are worked on or wait at any time.

    Parameters
    ----------
    work : callable
    items : iterable
    size : callable
        Of an item.
    limit : int
        The sizes of all items that are worked on, or whose results nobody has taken yet, are at
        most this much together. An item that is larger is worked on alone.
    on_done : callable, optional
        Called with the size of an item whenever one is done.
    """

    and_report = _reporting(work, size, on_done)
    stop = _core.Stop()
    waiting: deque[tuple[Future[Result], int]] = deque()
    taken = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count(), initializer=stop.watch) as pool:
        try:
            for item in items:
                while waiting and (taken + size(item) > limit or len(waiting) >= _MOST_WAITING):
                    taken -= waiting[0][1]
                    yield waiting.popleft()[0].result()
                waiting.append((pool.submit(and_report, item), size(item)))
                taken += size(item)
            while waiting:
                yield waiting.popleft()[0].result()
        except BaseException:  # of one item, of who takes the results, or Ctrl-C
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
