"""Run a fuzz target for long, and add what it took to bench/results/fuzz.json.

    python long.py fuzz_blob build/tests/fuzz/fuzz_blob -max_total_time=3600 ...

The processor time is that of the target and its children. A run that finds something exits with 1
and adds nothing. `python bench/documents.py` makes the table of docs/security.md from the file.
"""

import datetime
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "bench/results/fuzz.json"
# What libFuzzer, fuzz_tflite.py and fuzz_differential.py say at the end
INPUTS = re.compile(r"number_of_executed_units: *([\d]+)|: ([\d,]+) (?:mutants|tensors), ")


def main() -> None:
    target, *command = sys.argv[1:]
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
    today = datetime.date.today().isoformat()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    before = results.get(target, {"cpu_seconds": 0, "inputs": 0, "first": today})
    results[target] = before | {
        "cpu_seconds": before["cpu_seconds"] + round(spent.ru_utime + spent.ru_stime),
        "inputs": before["inputs"] + sum(int("".join(x).replace(",", "")) for x in found),
        "last": today,
    }
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n")


if __name__ == "__main__":
    main()
