"""Work on many tensors at once. The encoders release the GIL."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from stridepack import _core

T = TypeVar("T")
Result = TypeVar("Result")


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

    def and_report(item: T) -> Result:
        result = work(item)
        if on_done:
            on_done(size(item))
        return result

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
