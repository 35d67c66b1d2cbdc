# SPDX-License-Identifier: Apache-2.0
"""Fit what `stridepack inspect --target` says to what run.py counted.

    python bench/m55/fit.py           # after run.py
    python bench/m55/fit.py --check   # exit 1 when _fitted.py does not follow from the results

Decode cycles are modelled as a sum of costs, none of them negative, times the counts of
`stridepack.cost.work_of`: for each format and target, the costs for which the weighted squared
relative errors are least on workloads.FITTED. What is printed is the largest error there, and on
all other workloads, models included, which the fit has not seen. A count that is 0 in all of what
is fitted gets no cost; blobs in which it is not 0 get no estimate.

Writes src/stridepack/cost/_fitted.py, with the code and stack of every decoder from results.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).parent.parent))
from workloads import FITTED

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
TENSORS = HERE / "tensors.json"
OUTPUT = HERE.parent.parent / "src/stridepack/cost/_fitted.py"
NOTE = "Generated from bench/m55 by bench/m55/fit.py. Do not edit."

TARGETS = {"cortex-m55": "helium", "cortex-m55-scalar": "scalar"}  # path of each
COMPILER = "clang-19"
WEIGHTS = {"regular": 0.6}  # what no network has counts less than the others
DIGITS = 4  # of a cost


class Tensors:
    """The rows of tensors.json of one format."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.work: list[str] = data["work"]
        self.columns: list[str] = data["columns"]
        self.rows: list[list[Any]] = data["rows"]
        self.counts = np.array([row[len(self.columns) :] for row in self.rows], float)
        self.fitted = np.array([workload in FITTED for workload in self["workload"]])

    def __getitem__(self, column: str) -> list[Any]:
        i = self.columns.index(column)
        return [row[i] for row in self.rows]

    def label(self, i: int) -> str:
        """Which tensor row i is."""
        workload, sparsity, tensor, n = self.rows[i][:4]
        return f"{workload} {sparsity:.0%} {tensor} ({n:,})"


def fit(tensors: Tensors, path: str) -> dict[str, float]:
    """Cycles for each of the counts."""
    cycles = np.array(tensors[f"{path}_cycles"], float)[tensors.fitted]
    counts = tensors.counts[tensors.fitted]
    known = counts.any(axis=0)
    weights = np.array(
        [
            WEIGHTS.get(workload, 1.0)
            for workload, is_fitted in zip(tensors["workload"], tensors.fitted, strict=True)
            if is_fitted
        ]
    )
    costs, _ = nnls(counts[:, known] / cycles[:, None] * weights[:, None], weights)
    names = (name for name, is_known in zip(tensors.work, known, strict=True) if is_known)
    return {
        name: float(f"{cost:.{DIGITS}g}") for name, cost in zip(names, costs.tolist(), strict=True)
    }


def errors(tensors: Tensors, path: str, costs: dict[str, float]) -> npt.NDArray[np.float64]:
    """Relative error of the estimate of each tensor; not a number where there is none."""
    cost = np.array([costs.get(name, 0.0) for name in tensors.work])
    unknown = np.array([name not in costs for name in tensors.work])
    error = tensors.counts @ cost / np.array(tensors[f"{path}_cycles"], float) - 1
    error[tensors.counts[:, unknown].any(axis=1)] = np.nan
    return error


def memory(records: list[dict[str, Any]], path: str, format: str) -> tuple[int, int]:
    """Bytes of code and of stack of a decoder."""
    own = [
        (record["text_bytes"], record["stack_bytes"])
        for record in records
        if (record["path"], record["compiler"], record["format"]) == (path, COMPILER, format)
        and "decoder" not in record
    ]
    return max(text for text, _ in own), max(stack for _, stack in own)


def module(
    costs: dict[str, dict[str, dict[str, float]]], memories: dict[str, dict[str, tuple[int, int]]]
) -> str:
    """The text of _fitted.py."""
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        f'"""{NOTE}"""',
        "",
        "# target -> format -> cycles for each of the counts of work",
    ]
    lines.append("CYCLES: dict[str, dict[str, dict[str, float]]] = {")
    for target, of_target in costs.items():
        lines.append(f'    "{target}": {{')
        for format, of_format in of_target.items():
            lines.append(f'        "{format}": {{')
            lines += [f'            "{name}": {cost},' for name, cost in of_format.items()]
            lines.append("        },")
        lines.append("    },")
    lines += ["}", "", "# target -> format -> bytes of code and constants, bytes of stack"]
    lines.append("MEMORY: dict[str, dict[str, tuple[int, int]]] = {")
    for target, of_memory in memories.items():
        lines.append(f'    "{target}": {{')
        lines += [f'        "{format}": {nbytes},' for format, nbytes in of_memory.items()]
        lines.append("    },")
    return "\n".join([*lines, "}"]) + "\n"


@click.command(help=__doc__)
@click.option("--check", is_flag=True)
def main(check: bool) -> None:
    formats = {name: Tensors(data) for name, data in json.loads(TENSORS.read_text()).items()}
    records = json.loads(RESULTS.read_text())
    costs = {
        target: {name: fit(tensors, path) for name, tensors in formats.items()}
        for target, path in TARGETS.items()
    }
    memories = {
        target: {name: memory(records, path, name) for name in formats}
        for target, path in TARGETS.items()
    }
    text = module(costs, memories)
    if check:
        if text != OUTPUT.read_text():
            sys.exit(f"{OUTPUT} differs from bench/m55: run python bench/m55/fit.py")
        return
    OUTPUT.write_text(text)

    table = Table("format", "target", "fitted: worst", "others: worst", "mean", "where", "none")
    for name, tensors in formats.items():
        for target, path in TARGETS.items():
            error = np.abs(errors(tensors, path, costs[target][name]))
            others = np.where(tensors.fitted, np.nan, error)
            table.add_row(
                *(name, target, f"{np.nanmax(error[tensors.fitted]):.1%}"),
                *(f"{np.nanmax(others):.1%}", f"{np.nanmean(others):.1%}"),
                tensors.label(int(np.nanargmax(others))),
                str(int(np.isnan(error).sum())),
            )
    console = Console(width=120)
    console.print(table)
    console.print(f"wrote {OUTPUT}")


if __name__ == "__main__":
    main()
