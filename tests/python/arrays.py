# SPDX-License-Identifier: Apache-2.0
"""Arrays that the tests of all formats share."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Int8Array = npt.NDArray[np.int8]

SPARSITIES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)


def random_array(n: int, sparsity: float, seed: int = 0) -> Int8Array:
    """n values over the whole int8 range, each 0 with the given probability, or more often."""
    rng = np.random.default_rng([n, int(sparsity * 1000), seed])
    values = rng.integers(-128, 128, n).astype(np.int8)
    values[rng.random(n) < sparsity] = 0
    return values


def special_arrays() -> Iterator[tuple[str, Int8Array]]:
    """What has broken encoders of sparse formats before, by name."""
    yield "all -128", np.full(1000, -128, np.int8)
    yield "all 1", np.full(777, 1, np.int8)
    yield "all zero", np.zeros(5000, np.int8)
    for position in (0, 1, 4998, 4999):
        array = np.zeros(5000, np.int8)
        array[position] = -1
        yield f"one non-zero at {position}", array
    # Dead channels: long empty stretches between dense ones.
    array = random_array(20_000, 0.3)
    for begin in range(500, 20_000, 2500):
        array[begin : begin + 2000] = 0
    yield "dead channels", array
    # Distances around every limit: 4 bits, 8 bits, int8 base deltas.
    for distance in (15, 16, 17, 127, 128, 254, 255, 256, 257, 510, 511, 70_000):
        array = np.zeros(6 * distance + 1, np.int8)
        array[::distance] = 100
        yield f"every {distance}th", array
    # PSR: blocks on both sides of a count of 255, whole and cut short.
    for n in (255, 256, 511, 512, 513):
        for zeros in (0, 1, 2):
            array = np.full(n, 5, np.int8)
            array[: zeros * 7 : 7] = 0
            yield f"{n} with {zeros} zeros", array
    yield "more than 65535", random_array(70_000, 0.95)
