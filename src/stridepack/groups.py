# SPDX-License-Identifier: Apache-2.0
"""Algorithm 1 of the paper: find groups of equidistant elements (Section III-B-3)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stridepack import _core, _spec
from stridepack._numbers import is_integer
from stridepack._words import listed
from stridepack.errors import InputError

# Table II of the paper
DEFAULT_SIZES = (16, 12, 8, 4)
DEFAULT_STRIDES = tuple(range(1, 17))
DEFAULT_OCCUPANCY = 0.8

ORDERS = ("size", "rate")
GROUP_OVERHEAD = Fraction(3, 2)  # bytes of a group besides its values: stride 0.5, distance 1


@dataclass(frozen=True)
class GroupParams:
    """Which groups to look for.

    Parameters
    ----------
    sizes : iterable of int
        Group sizes S, in elements. Searched in descending order, whatever the order given.
    strides : iterable of int
        Strides D: 1 means adjacent. Swept in ascending order.
    occupancy : float
        Occupancy threshold theta, 0 to 1: a group of size s has at least ceil(theta * s) non-zeros,
        and at least one. The product is taken exactly, of the decimal number that was written.
    order : str
        "size", the paper's: the largest groups first, whatever their occupancy. "rate": those first
        that cost the fewest bytes a non-zero, which makes hybrid smaller. Sizes up to 255.
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    occupancy: float
    order: str

    def __init__(
        self,
        sizes: Iterable[int] = DEFAULT_SIZES,
        strides: Iterable[int] = DEFAULT_STRIDES,
        occupancy: float = DEFAULT_OCCUPANCY,
        order: str = ORDERS[0],
    ) -> None:
        # object.__setattr__: the way to normalise arguments of a frozen dataclass
        object.__setattr__(self, "sizes", _distinct("sizes", sizes)[::-1])
        object.__setattr__(self, "strides", _distinct("strides", strides))
        try:
            object.__setattr__(self, "occupancy", float(occupancy))
        except (TypeError, ValueError):
            raise InputError(
                f"`occupancy={occupancy}` is not possible. It must be a number between 0 and 1.",
                occupancy=occupancy,
            ) from None
        if not 0 <= self.occupancy <= 1:
            raise InputError(
                f"`occupancy={occupancy}` is out of range. It must lie between 0 and 1.",
                occupancy=occupancy,
            )
        object.__setattr__(self, "order", order)
        if order not in ORDERS:
            raise InputError(f"`order={order}` is unknown. Choose {listed(ORDERS)}.", order=order)
        if order == "rate" and self.sizes and self.sizes[0] > _spec.MAX_GROUP_SIZE:
            raise InputError(
                f"`order={order}` works with groups of at most {_spec.MAX_GROUP_SIZE} elements. "
                f"One of the sizes is {self.sizes[0]}.",
                order=order,
            )

    @property
    def min_counts(self) -> tuple[int, ...]:
        """Non-zeros that a group of each size needs, in the order of `sizes`."""
        theta = Fraction(repr(self.occupancy))
        return tuple(max(1, math.ceil(theta * size)) for size in self.sizes)

    @property
    def passes(self) -> tuple[tuple[int, int], ...]:
        """(size, non-zeros needed) of each pass of the search, in order.

        A pass takes groups of one size until none is left that has the non-zeros it needs. By size
        there is a pass for each size; by rate one for each size and count, in ascending order of
        (size + 1.5) / count, the larger group first among equals.
        """
        if self.order == "size":
            return tuple(zip(self.sizes, self.min_counts, strict=True))
        every = [
            (size, count)
            for size, least in zip(self.sizes, self.min_counts, strict=True)
            for count in range(size, least - 1, -1)
        ]
        return tuple(sorted(every, key=lambda p: ((p[0] + GROUP_OVERHEAD) / p[1], -p[0])))


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups in the order found, and what is left.

    Attributes
    ----------
    size, stride, start : ndarray of uint32
        Group j covers the flat positions ``start[j] + i * stride[j]`` for i < size[j] (Eq. (11)).
    remainder : ndarray of bool
        Shape of the mask that was searched; True where no group covers a non-zero.
    """

    size: npt.NDArray[np.uint32]
    stride: npt.NDArray[np.uint32]
    start: npt.NDArray[np.uint32]
    remainder: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.size)


def find_groups(
    mask: npt.ArrayLike,
    sizes: Iterable[int] = DEFAULT_SIZES,
    strides: Iterable[int] = DEFAULT_STRIDES,
    occupancy: float = DEFAULT_OCCUPANCY,
    order: str = ORDERS[0],
) -> Groups:
    """Partition the non-zeros of a mask into groups of equidistant elements and a remainder.

    Algorithm 1 of the paper, with the order of the search that its figures imply: for each size,
    sweep the strides in ascending order, take for each the one best group (most non-zeros, first
    position among equals) if it reaches the threshold, and repeat the sweep until it takes nothing.
    Order "rate" does the same for each size and count of non-zeros, in the order of their cost.

    Parameters
    ----------
    mask : array_like
        Any shape; searched flattened in C order. Non-zero means present.
    sizes, strides, occupancy, order
        See `GroupParams`.

    Returns
    -------
    Groups

    Raises
    ------
    InputError
        For sizes or strides below 1, an occupancy outside 0..1, an unknown order, sizes above 255
        by rate, or more than 2^30 elements.

    Examples
    --------
    >>> g = find_groups([1, 0, 1, 0, 1, 0, 1, 1], sizes=(4,), occupancy=1)
    >>> g.size, g.stride, g.start
    (array([4], dtype=uint32), array([2], dtype=uint32), array([0], dtype=uint32))
    >>> g.remainder.nonzero()[0]
    array([7])
    """
    params = GroupParams(sizes, strides, occupancy, order)
    present = np.asarray(mask) != 0
    check_element_count(present.size)
    size, stride, start, remainder = _core.find_groups(
        np.ascontiguousarray(present).reshape(-1).view(np.uint8),
        params.passes,
        params.strides,
    )
    return Groups(size, stride, start, remainder.view(np.bool_).reshape(present.shape))


def check_element_count(n: int) -> None:
    """Raise InputError for more elements than a blob can hold."""
    if n > _spec.MAX_ELEMENTS:
        raise InputError(
            f"The tensor has {n:,} elements. At most {_spec.MAX_ELEMENTS:,} are possible."
        )


def _distinct(what: str, values: Iterable[int]) -> tuple[int, ...]:
    """The values in ascending order, once each."""
    try:
        given = set(values)
        if isinstance(values, str) or not all(is_integer(value) for value in given):
            raise TypeError
    except TypeError:
        raise InputError(
            f"`{what}={values}` is not possible. It must be several integers, such as (4, 8).",
            **{what: values},
        ) from None
    distinct = tuple(sorted(map(int, given)))
    if distinct and not 1 <= distinct[0] <= distinct[-1] <= _spec.MAX_ELEMENTS:
        wrong = distinct[0] if distinct[0] < 1 else distinct[-1]
        raise InputError(
            f"One of the {what} is {wrong}. Each must lie between 1 and {_spec.MAX_ELEMENTS:,}."
        )
    return distinct
