# SPDX-License-Identifier: Apache-2.0
"""What decoding a blob has to do: counts that its time grows with, one file for each format.

The module of a format, ``stridepack.cost.work.<format>``, provides

``work(tile, n) -> dict of str to int``
    The counts for a valid tile of n elements.

A format without a module has the counts that all formats have: its elements, and the bytes of each
of its streams. `stridepack.cost.estimate` weighs the counts.
"""

import importlib
import pkgutil
from collections.abc import Callable

from stridepack.formats import get_format
from stridepack.packed import Packed

_modules = {
    module.name: importlib.import_module(f"{__name__}.{module.name}")
    for module in pkgutil.iter_modules(__path__)
}


def work_of(packed: Packed) -> dict[str, int]:
    """Counts of what decoding a blob has to do, summed over its tiles.

    >>> import numpy as np, stridepack as sp
    >>> work_of(sp.pack(np.zeros(300, np.int8), "dense", tile=200))
    {'tiles': 2, 'elements': 300}
    """
    work_in_tile = _of_format(packed.format)
    counts = {"tiles": packed.n_tiles}
    for tile, n in packed.parts():
        for name, count in work_in_tile(tile, n).items():
            counts[name] = counts.get(name, 0) + count
    return counts


def _of_format(name: str) -> Callable[[memoryview, int], dict[str, int]]:
    if name in _modules:
        work: Callable[[memoryview, int], dict[str, int]] = _modules[name].work
        return work
    codec = get_format(name)
    return lambda tile, n: {"elements": n, **dict(codec.streams(tile, n))}
