# SPDX-License-Identifier: Apache-2.0
"""What the encoders are given: every array that all formats have to carry through.

numpy.random.RandomState, because NumPy guarantees its numbers for all time; Generator's may change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

import stridepack as sp

Int8Array = npt.NDArray[np.int8]

LENGTHS = range(41)  # on both sides of one and two Helium byte vectors


@dataclass(frozen=True)
class Case:
    name: str
    values: Int8Array
    tile: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # skips formats that lack one of them


def random_values(shape: int | Sequence[int], percent_zero: int, seed: int) -> Int8Array:
    """Non-zeros over the whole range of int8, -128 included."""
    rng = np.random.RandomState(seed)
    values = rng.randint(1, 256, shape).astype(np.uint8).view(np.int8)
    values[rng.randint(0, 100, shape) < percent_zero] = 0
    return values


def cases() -> Iterator[Case]:
    yield Case("empty", np.zeros(0, np.int8))
    yield Case("empty_in_three_dimensions", np.zeros((3, 0, 2), np.int8))
    yield Case("scalar", np.array(-5, np.int8))
    yield Case("one_element", np.array([-128], np.int8))
    yield Case("one_zero", np.zeros(1, np.int8))
    yield Case("eight_dimensions", random_values((1, 2, 1, 3, 2, 1, 1, 2), 50, 1))
    yield Case("all_zero", np.zeros(600, np.int8))
    yield Case("all_non_zero", random_values(600, 0, 2))
    yield Case("all_minimum", np.full(300, -128, np.int8))
    for percent in (30, 50, 70, 90):
        yield Case(f"random_{percent}", random_values((8, 3, 3, 16), percent, percent))
    yield Case("dead_channels", _dead_channels())
    yield Case("equidistant", _equidistant())
    yield Case("distances", _distances())
    yield Case("full_blocks", _full_blocks())
    yield Case("trap", _trap())

    yield Case("tiles_of_1", random_values(17, 50, 3), tile=1)
    yield Case("tiles_of_7", random_values(100, 50, 4), tile=7)
    yield Case("tiles_of_16", random_values((13, 16), 60, 5), tile=16)
    yield Case("tiles_of_100", random_values(350, 80, 6), tile=100)
    yield Case("tiles_of_256", random_values(700, 70, 7), tile=256)
    yield Case("tile_of_all_but_one", random_values(65, 50, 8), tile=64)
    yield Case(
        "tiles_of_zeros", np.append(np.zeros(64, np.int8), random_values(40, 20, 9)), tile=16
    )

    wide = random_values(1000, 60, 10)
    yield Case("wide_strides", wide, options={"strides": range(1, 201)})
    yield Case("far_strides", wide, options={"strides": range(240, 496)})
    yield Case("large_sizes", random_values(900, 20, 11), options={"sizes": (255, 77, 2)})
    yield Case("no_groups", wide, options={"sizes": ()})
    yield Case("full_groups", wide, options={"occupancy": 1})
    yield Case("far_groups", _far_groups(), options={"sizes": (4,)})
    yield Case("loose_groups", wide, options={"occupancy": 0.2}, tile=300)

    for width in range(1, 9):
        values = _laplace(1000, 2 ** (width / 2) / 2, 40 + width)
        yield Case(f"width_{width}", values, options={"width": width})
    yield Case("narrow", _laplace((8, 3, 3, 16), 0.4, 50))
    yield Case("narrow_dense", _laplace(800, 3, 51))
    yield Case("narrow_tiles", _laplace(700, 0.7, 52), tile=130)


def lengths() -> Iterator[Case]:
    """Every length around the lane width: one small tensor each, for one bundle."""
    for n in LENGTHS:
        yield Case(f"length_{n}", random_values(n, 40, 100 + n))


def _laplace(shape: int | Sequence[int], scale: float, seed: int) -> Int8Array:
    """Values of which most are near 0 and few are far from it."""
    values = np.random.RandomState(seed).laplace(0, scale, shape)
    return np.clip(np.rint(values), -128, 127).astype(np.int8)


def _dead_channels() -> Int8Array:
    values = random_values((16, 3, 3, 8), 40, 12)
    values[[2, 3, 4, 5, 6, 11, 15]] = 0
    return values


def _equidistant() -> Int8Array:
    """Groups and nothing else: strides of 3, 16 and 1."""
    values = np.zeros(700, np.int8)
    values[1:193:3] = random_values(64, 0, 13)
    values[200:456:16] = random_values(16, 0, 14)
    values[500:548] = random_values(48, 0, 15)
    return values


def _distances() -> Int8Array:
    """On both sides of every limit of a field: 4 bits, int8, u8 and twice that."""
    limits = np.array([16, 32, 127, 255, 272, 510])
    steps = (limits[:, None] + [-1, 0, 1, 2]).reshape(-1)
    positions = np.cumsum([*steps, *steps[::-1]])
    values = np.zeros(int(positions[-1]) + 300, np.int8)
    values[positions] = random_values(len(positions), 0, 16)
    return values


def _far_groups() -> Int8Array:
    """Groups of four that lie far apart: at every place among four of them, up to two bytes far."""
    near = 20
    fours = [[near] * 4]
    for distance in (254, 255, 300, 510):
        fours += [[distance if i == place else near for i in range(4)] for place in range(4)]
    fours += [[69, 69, 69, 69 + more] for more in (-1, 0, 1)]  # 3 * 69 + 3 * 16 = 255
    starts = np.cumsum([distance for four in fours for distance in four])
    values = np.zeros(int(starts[-1]) + 300, np.int8)
    for i, start in enumerate(starts):
        stride = 16 if i >= len(starts) - 12 else 1 + i % 4
        values[start : start + 4 * stride : stride] = random_values(4, 0, 300 + i)
    return values


def _full_blocks() -> Int8Array:
    """psr: blocks with 256, 255, 254 and 253 non-zeros, and a short one that is full."""
    values = random_values(4 * 256 + 100, 0, 17)
    for block, zeros in enumerate([(), (7,), (0, 255), (1, 2, 128)]):
        values[[256 * block + column for column in zeros]] = 0
    return values


def _trap() -> Int8Array:
    """A gap of a group lies over a weight stored elsewhere: who clears gaps destroys it."""
    values = random_values(400, 45, 18)
    groups = sp.find_groups(values)
    owners = groups.remainder.astype(int)
    for size, stride, start in zip(groups.size, groups.stride, groups.start, strict=True):
        owners[start : start + size * stride : stride] += 1
    if not np.any(owners[values != 0] > 1):
        raise AssertionError("no trap in this array: take another seed")
    return values
