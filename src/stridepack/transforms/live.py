# SPDX-License-Identifier: Apache-2.0
"""Which rows and columns of a tensor are dead, where it pays to say so."""

import numpy as np
import numpy.typing as npt

from stridepack.transforms.apply import Bits, Int8Array, Live
from stridepack.transforms.entropy import Counts, entropy

# The least that a decoder has to do for a row should be paid by what it does not decode.
_LEAST_COLUMNS = 8


def find_live(values: Int8Array, counts: Counts) -> Live | None:
    """The rows and columns that make the estimate smallest, or None where none do.

    A row is any product of the innermost extents of the shape, and so is the number of columns,
    or it divides the innermost extent.
    """
    n, zeros = values.size, int(counts[0])
    rest = counts.copy()
    best, found = entropy(counts), None
    alive = values.reshape(-1) != 0
    lengths = _lengths(values.shape)
    rows = {length: alive.reshape(-1, length).any(axis=1) for length in lengths if length < n}
    columns = _columns(alive, values.shape, lengths)
    for row, live_rows in {n: None, **rows}.items():
        row_counts = (n // row,) if live_rows is None else (int(live_rows.sum()),)
        for c, live_columns in {1: None, **columns}.items():
            if row % c or (live_rows is None and live_columns is None):
                continue
            n_columns = 1 if live_columns is None else int(live_columns.sum())
            n_live = row_counts[0] * (row // c) * n_columns
            if n_live == n:
                continue
            rest[0] = zeros - (n - n_live)
            size = entropy(rest) + 6
            size += 0 if live_rows is None else live_rows.size / 8
            size += 0 if live_columns is None else live_columns.size / 8
            if size < best:
                best = size
                found = Live(0 if live_rows is None else row, live_rows, live_columns)
    return found


def _lengths(shape: tuple[int, ...]) -> list[int]:
    """Products of the innermost extents, ascending; the last is the number of elements."""
    products = np.cumprod(shape[::-1], dtype=np.int64).tolist()
    return sorted({length for length in products if length > 1})


def _columns(alive: Bits, shape: tuple[int, ...], lengths: list[int]) -> dict[int, Bits]:
    """The live columns for each number of columns."""
    divisors = {c for c in range(_LEAST_COLUMNS, shape[-1]) if shape[-1] % c == 0}
    numbers = sorted(divisors.union(length for length in lengths if length < alive.size))
    columns: dict[int, npt.NDArray[np.bool_]] = {}
    for c in reversed(numbers):
        if c < _LEAST_COLUMNS:
            break
        wider = next((columns[w] for w in reversed(columns) if w % c == 0), alive)
        columns[c] = np.asarray(wider.reshape(-1, c).any(axis=0))
    return {c: live for c, live in columns.items() if not live.all()}
