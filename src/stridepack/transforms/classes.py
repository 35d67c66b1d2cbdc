# SPDX-License-Identifier: Apache-2.0
"""Two classes of rows or columns with tables of their own, where these pay for themselves."""

import numpy as np
import numpy.typing as npt

from stridepack.transforms.apply import Bits, Int8Array, Live
from stridepack.transforms.entropy import TABLES, counts_of, entropy

_LEAST_UNITS, _MOST_UNITS = 8, 1 << 16

# So many elements are put into buckets at once.
_IN_PARTS = 1 << 20

# Values of about the same magnitude are in one bucket: 0, then 1, 2, 3 to 4, 5 to 8, ... of either
# sign, for each byte.
_MAGNITUDES = np.ceil(np.log2(np.maximum(np.abs(np.arange(256).astype(np.int8).astype(int)), 0.6)))
_BUCKET = np.where(
    np.arange(256) == 0, 0, 1 + _MAGNITUDES.clip(0) + 8 * (np.arange(256) > 127)
).astype(np.int64)
_N_BUCKETS = 17


def find_classes(live: Live | None, values: Int8Array, shape: tuple[int, ...]) -> Live | None:
    """`live` with classes, or None where they do not pay.

    `values` are the live elements of a tensor of that shape, in order.
    """
    n = values.size
    whole = entropy(counts_of(values))
    best, found = whole - TABLES, None
    for unit, period in _units(live or Live(), n, shape):
        bits = _classes(values, unit, period)
        second = np.broadcast_to(bits[None, :, None], (n // (unit * period), period, unit))
        second = second.reshape(-1)
        size = entropy(counts_of(values[second])) + entropy(counts_of(values[~second]))
        size += period / 8
        if size < best:
            old = live or Live()
            best, found = size, Live(old.row, old.rows, old.columns, unit, bits)
    return found


def _units(live: Live, n: int, shape: tuple[int, ...]) -> set[tuple[int, int]]:
    """Candidates: live elements in a unit, and units until the pattern repeats."""
    n_columns = 1 if live.columns is None else int(live.columns.sum())
    c = 1 if live.columns is None else live.columns.size
    lengths = set(np.cumprod(shape[::-1], dtype=np.int64).tolist())
    lengths |= {live.row or 1, c}
    # What is so long in the tensor is so long in its live elements.
    live_lengths = {length // c * n_columns for length in lengths if length % c == 0}
    candidates = {(1, length) for length in live_lengths}
    candidates |= {(length, n // length) for length in live_lengths if length and n % length == 0}
    return {
        (unit, period)
        for unit, period in candidates
        if _LEAST_UNITS <= period <= _MOST_UNITS and n % (unit * period) == 0 and unit * period <= n
    }


def _classes(values: Int8Array, unit: int, period: int) -> Bits:
    """Which units are of the second class: each goes where its values cost least."""
    counts = np.zeros(period * _N_BUCKETS, np.int64)
    for begin in range(0, values.size, _IN_PARTS):  # of integers of 8 bytes
        part = values[begin : begin + _IN_PARTS]
        group = np.arange(begin, begin + part.size) // unit % period
        buckets = group * _N_BUCKETS + _BUCKET[part.view(np.uint8)]
        counts += np.bincount(buckets, minlength=counts.size)
    table = counts.reshape(period, _N_BUCKETS)
    zeros = table[:, 0]
    magnitude = table @ np.r_[0, np.arange(8), np.arange(8)]
    size = np.maximum(table.sum(axis=1), 1)
    density: npt.NDArray[np.float64] = (magnitude - zeros) / size
    second: Bits = density > np.median(density)
    for _ in range(6):
        costs = []
        for of_class in (~second, second):
            total = table[of_class].sum(axis=0) + 0.5
            costs.append(table @ -np.log2(total / total.sum()))
        moved = costs[1] < costs[0]
        if (moved == second).all() or moved.all() or not moved.any():
            break
        second = moved
    return second
