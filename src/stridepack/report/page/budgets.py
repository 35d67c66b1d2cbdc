# SPDX-License-Identifier: Apache-2.0
"""Limits of a model in a TOML file, and whether a model keeps them."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stridepack._words import listed
from stridepack.errors import ModelError, reason

_ARENA = "arena"
_FILE = "file"

# What can be limited, and where the numbers of a report have it.
_OF_TOTAL = {
    "flash": "nbytes",
    "cycles": "cycles",
    "sram": "largest_tensor",
    "code": "code_nbytes",
    "stack": "stack_nbytes",
}
LIMITS = (*_OF_TOTAL, _ARENA, _FILE)


def read_budgets(path: Path, nbytes: Callable[[str], int]) -> dict[str, int]:
    """The table [budgets] of a TOML file: integers, or texts with a unit such as "48 KiB".

    Raises
    ------
    ModelError
        When the file cannot be read, or holds something else.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
    table = content.get("budgets")
    if not isinstance(table, dict) or not table:
        raise ModelError(f"{path}: it needs a table [budgets], with {listed(LIMITS)}.")
    budgets = {}
    for name, value in table.items():
        if name not in LIMITS:
            raise ModelError(f"{path}: {name!r} cannot be limited. Choose {listed(LIMITS)}.")
        if isinstance(value, str) and name != "cycles":
            value = nbytes(value)  # noqa: PLW2901
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ModelError(f"{path}: {name} = {value!r} is not possible. Give an integer.")
        budgets[name] = value
    return budgets


def exceeded(numbers: Mapping[str, Any], budgets: Mapping[str, int]) -> list[str]:
    """A sentence for each budget that the model of a report does not keep."""
    said = []
    for name, most in budgets.items():
        value = budget_value(numbers, name)
        if value is None:
            said.append(f"{name} is not known for this model, so its budget cannot be checked.")
        elif value > most:
            said.append(f"{name} is {value:,}, which is {value - most:,} more than {most:,}.")
    return said


def budget_value(numbers: Mapping[str, Any], name: str) -> int | None:
    """What a model has of that which a budget limits; None where it is not known."""
    if name == _ARENA:
        arena = numbers["total"]["arena"]
        return None if arena is None else int(arena["after"])
    if name == _FILE:
        return max(numbers["files"].values(), default=None) if numbers["files"] else None
    value = numbers["total"][_OF_TOTAL[name]]
    return None if value is None else int(value)
