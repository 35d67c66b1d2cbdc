# SPDX-License-Identifier: Apache-2.0
"""What bench/m55 counted, for those who show it."""

import json
from pathlib import Path
from typing import Any

CORES = Path(__file__).parent / "cores/counts.json"
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


def of_cores() -> list[dict[str, Any]]:
    """What bench/cores/run.py has counted on other cores."""
    records: list[dict[str, Any]] = json.loads(CORES.read_text())
    return records
