# SPDX-License-Identifier: Apache-2.0
"""Estimates of what a format makes of values: their entropy, in bytes."""

import numpy as np
import numpy.typing as npt

from stridepack.tensor import byte_counts

Counts = npt.NDArray[np.int64]

# A second class has a table, or two, of its own.
TABLES = 90


def counts_of(values: npt.NDArray[np.int8]) -> Counts:
    """How often each byte occurs."""
    return byte_counts(values)


def entropy(counts: Counts) -> float:
    """Zero-order entropy of values that occur so often, in bytes."""
    n = counts.sum()
    some = counts[counts > 0].astype(float)
    return float((some * np.log2(n / some)).sum()) / 8
