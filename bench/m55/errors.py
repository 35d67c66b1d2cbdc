# SPDX-License-Identifier: Apache-2.0
"""How far the estimates of `inspect --target` are from the full count, for docs/benchmarks.md.

    python bench/m55/errors.py    # after fit.py; writes bench/results/estimates.json

For each format and target the largest relative error: on tensors of networks that the fit has not
seen, and on those of extremes.json with at least 2048 elements, and with fewer. Beside them the
range of instructions of GCC's code over those of clang-19 -O3, from compilers.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from workloads import FITTED

from stridepack.cost._fitted import CYCLES
from stridepack.plan.rules import SMALL

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "results/estimates.json"
TARGETS = {"cortex-m55": "helium", "cortex-m55-scalar": "scalar"}  # path of each


def relative_errors(data: dict[str, Any], path: str, costs: dict[str, float]) -> list[float]:
    """Of every row."""
    n, column = len(data["columns"]), data["columns"].index(f"{path}_cycles")
    estimates = [
        sum(costs[name] * count for name, count in zip(data["work"], row[n:], strict=True) if count)
        for row in data["rows"]
    ]
    pairs = zip(estimates, data["rows"], strict=True)
    return [abs(estimate / row[column] - 1) for estimate, row in pairs]


def summary() -> dict[str, dict[str, dict[str, Any]]]:
    """Format -> path -> what the docstring says."""
    tensors, extremes, compilers = (
        json.loads((HERE / f"{name}.json").read_text())
        for name in ("tensors", "extremes", "compilers")
    )
    return {
        format: {
            path: _of(format, target, path, tensors[format], extremes[format])
            | _ratios(format, path, compilers)
            for target, path in TARGETS.items()
        }
        for format in tensors
    }


def _of(
    format: str, target: str, path: str, tensors: dict[str, Any], extremes: dict[str, Any]
) -> dict[str, float]:
    costs = CYCLES[target][format]
    of_networks = zip(tensors["rows"], relative_errors(tensors, path, costs), strict=True)
    others = list(zip(extremes["rows"], relative_errors(extremes, path, costs), strict=True))
    elements = extremes["columns"].index("elements")
    return {
        "networks": round(max(error for row, error in of_networks if row[0] not in FITTED), 4),
        "extremes": round(max(error for row, error in others if row[elements] >= SMALL), 4),
        "short": round(max(error for row, error in others if row[elements] < SMALL), 4),
    }


def _ratios(format: str, path: str, compilers: list[dict[str, Any]]) -> dict[str, list[float]]:
    own = [row for row in compilers if (row["format"], row["path"]) == (format, path)]
    levels = [name for name in own[0] if name.startswith("-O")]
    return {
        f"GCC {level}": [min(row[level] for row in own), max(row[level] for row in own)]
        for level in levels
    }


@click.command(help=__doc__)
def main() -> None:
    OUTPUT.write_text(json.dumps(summary(), indent=1) + "\n")
    click.echo(f"wrote {OUTPUT}")


if __name__ == "__main__":
    main()
