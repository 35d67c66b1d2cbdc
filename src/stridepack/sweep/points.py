# SPDX-License-Identifier: Apache-2.0
"""Points: dictionaries of plain values."""

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

Point = Mapping[str, Any]


def grid(**values: Iterable[Any]) -> list[dict[str, Any]]:
    """All combinations of values; the last name changes fastest.

    A value None is left out of its points, and a name without values out of all.

    >>> grid(model=["a", "b"], tile=[None, 4096], seed=[])
    [{'model': 'a'}, {'model': 'a', 'tile': 4096}, {'model': 'b'}, {'model': 'b', 'tile': 4096}]
    """
    given = {name: list(some) for name, some in values.items()}
    given = {name: some for name, some in given.items() if some}
    return [
        {name: value for name, value in zip(given, some, strict=True) if value is not None}
        for some in itertools.product(*given.values())
    ]


def key_of(point: Point) -> str:
    """The same text for equal points.

    >>> key_of({"tile": 4096, "model": "a"})
    '{"model": "a", "tile": 4096}'
    """
    return json.dumps(point, sort_keys=True)
