# SPDX-License-Identifier: Apache-2.0
"""Numbers: what counts as an integer, and sums of which a part may not be known."""

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

Number = TypeVar("Number", int, float)


def is_integer(value: Any, least: int | None = None) -> bool:
    """Whether a value is an integer, also one of NumPy or a float without a fraction."""
    if isinstance(value, bool | np.bool_):
        return False
    try:
        return bool(value == int(value)) and (least is None or bool(value >= least))
    except (TypeError, ValueError, OverflowError):
        return False


def total(numbers: Iterable[Number | None]) -> Number | None:
    """The sum of numbers, None where one of them is not known, which is None.

    >>> total([1, 2]), total([1, None])
    (3, None)
    """
    known = list[Number]()
    for number in numbers:
        if number is None:
            return None
        known.append(number)
    return sum(known)
