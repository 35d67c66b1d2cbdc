"""What bench/m55 counted, for those who show it."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "m55/results.json"
COMPILER = "clang-19"  # also GCC's instructions are there, without cycles


def records(workload: str, path: str | None = None) -> list[dict[str, Any]]:
    """The records of a workload of bench/m55, and of one path ("helium", "scalar", "m4")."""
    return [
        record
        for record in json.loads(RESULTS.read_text())
        if (record["workload"], record["compiler"]) == (workload, COMPILER)
        and path in (None, record["path"])
    ]
