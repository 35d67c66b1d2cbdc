# SPDX-License-Identifier: Apache-2.0
"""Run a fuzz target for long, and add what it took to bench/results/fuzz.json.

    python long.py fuzz_blob build/tests/fuzz/fuzz_blob -max_total_time=3600 ...

The processor time is that of the target and its children. The file counts the runs on the sources
of one digest (tested.py), from 0 where these have changed, and beside them all runs. A run that
finds something exits with 1 and adds nothing. `python bench/documents.py` makes the table of
docs/security.md from the file.
"""

import datetime
import fcntl
import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import tested

RESULTS = Path(__file__).resolve().parents[2] / "bench/results/fuzz.json"
# What libFuzzer, fuzz_tflite.py and fuzz_differential.py say at the end
INPUTS = re.compile(r"number_of_executed_units: *([\d]+)|: ([\d,]+) (?:mutants|tensors), ")


def add(before: dict[str, Any] | None, sources: str, cpu_seconds: int, inputs: int) -> Any:
    """What the file says of a target after a run on the sources of this digest."""
    entry = before or {"all_cpu_seconds": 0, "all_inputs": 0}
    again = entry if entry.get("sources") == sources else {"cpu_seconds": 0, "inputs": 0}
    return {
        "sources": sources,
        "last_run": datetime.date.today().isoformat(),
        "cpu_seconds": again["cpu_seconds"] + cpu_seconds,
        "inputs": again["inputs"] + inputs,
        "all_cpu_seconds": entry["all_cpu_seconds"] + cpu_seconds,
        "all_inputs": entry["all_inputs"] + inputs,
    }


def main() -> None:
    target, *command = sys.argv[1:]
    sources = tested.digest(target)  # before a long run, in which they may change
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    found = INPUTS.findall("".join(lines))
    if run.returncode or not found:
        sys.exit(1)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    with RESULTS.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # several targets may run at once (`make -j2 long`)
        file.seek(0)
        results = json.loads(file.read() or "{}")
        results[target] = add(
            results.get(target),
            sources,
            round(spent.ru_utime + spent.ru_stime),
            sum(int("".join(x).replace(",", "")) for x in found),
        )
        file.truncate(0)
        file.write(json.dumps(dict(sorted(results.items())), indent=2) + "\n")


if __name__ == "__main__":
    main()
