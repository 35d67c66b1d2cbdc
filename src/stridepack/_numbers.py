"""Numbers that users give: what counts as one."""

from typing import Any

import numpy as np


def is_integer(value: Any, least: int | None = None) -> bool:
    """Whether a value is an integer, also one of NumPy or a float without a fraction."""
    if isinstance(value, bool | np.bool_):
        return False
    try:
        return bool(value == int(value)) and (least is None or bool(value >= least))
    except (TypeError, ValueError, OverflowError):
        return False
