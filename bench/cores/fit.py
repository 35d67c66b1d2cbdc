# SPDX-License-Identifier: Apache-2.0
"""Fit what `stridepack inspect --target` says of other cores than the M55 to what run.py counted.

    python bench/cores/fit.py           # after run.py
    python bench/cores/fit.py --check   # exit 1 when _fitted_cores.py does not follow from them

As bench/m55/fit.py, with instructions instead of cycles: a sum of costs, none of them negative,
times the counts of `stridepack.cost.work_of`, which are read from bench/m55/tensors.json. What the
transforms cost is fitted to the rows of "transforms". What is printed is the largest error on what
was fitted, and on all other workloads, models included, which the fit has not seen.

Writes src/stridepack/cost/_fitted_cores.py, with the code and stack of every decoder.
"""

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from run import COUNTS, TENSORS, transforms
from scipy.optimize import nnls
from workloads import FITTED

from stridepack.cost.transforms import KINDS, Costs, transform_costs

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "m55/tensors.json"
OUTPUT = HERE.parent.parent / "src/stridepack/cost/_fitted_cores.py"
NOTE = "Generated from bench/cores by bench/cores/fit.py. Do not edit."
DIGITS = 4  # of a cost
ALIKE = {"cortex-m33": "cortex-m4"}  # cores whose instructions are those of another one
MANY = ("predicted", "few", "alone")  # fields of Costs with a cost for each kind of prediction


class Counted:
    """The tensors of one format: counts of work, and instructions by core."""

    def __init__(self, columns: list[str], rows: list[list[Any]], of_m55: dict[str, Any]) -> None:
        self.work: list[str] = of_m55["work"]
        n = len(of_m55["columns"])
        work_of = {tuple(row[:3]): row[n:] for row in of_m55["rows"]}
        self.rows = [row for row in rows if tuple(row[:3]) in work_of]
        self.work_counts = np.array([work_of[tuple(row[:3])] for row in self.rows], float)
        self.instructions = {
            core: np.array([row[i] for row in self.rows], float)
            for i, core in enumerate(columns)
            if i >= 4
        }
        self.fitted = np.array([row[0] in FITTED for row in self.rows])

    def fit(self, core: str) -> dict[str, float]:
        """Instructions for each of the counts."""
        total, counts = self.instructions[core][self.fitted], self.work_counts[self.fitted]
        known = counts.any(axis=0)
        costs, _ = nnls(counts[:, known] / total[:, None], np.ones(total.size))
        names = (name for name, is_known in zip(self.work, known, strict=True) if is_known)
        return dict(zip(names, map(_rounded, costs), strict=True))

    def errors(self, core: str, costs: dict[str, float]) -> npt.NDArray[np.float64]:
        """Relative error of each tensor; not a number where there is no estimate."""
        cost = np.array([costs.get(name, 0.0) for name in self.work])
        unknown = np.array([name not in costs for name in self.work])
        error = self.work_counts @ cost / self.instructions[core] - 1
        error[self.work_counts[:, unknown].any(axis=1)] = np.nan
        return error


def _rounded(cost: float) -> float:
    return float(f"{cost:.{DIGITS}g}")


def read() -> dict[str, Counted]:
    """All formats."""
    data, of_m55 = json.loads(TENSORS.read_text()), json.loads(WORK.read_text())
    return {name: Counted(data["columns"], data["rows"][name], of_m55[name]) for name in of_m55}


def names_of_costs() -> list[tuple[str, int | None]]:
    """Each number in a `Costs`: its field, and the kind of prediction where there is one."""
    return [
        (field.name, kind)
        for field in fields(Costs)
        for kind in (range(KINDS) if field.name in MANY else (None,))
    ]


def costs_of(numbers: dict[tuple[str, int | None], float]) -> dict[str, Any]:
    """Arguments of `Costs` from its numbers."""
    arguments: dict[str, Any] = {}
    for (name, kind), number in numbers.items():
        if kind is None:
            arguments[name] = number
        else:
            arguments.setdefault(name, []).append(number)
    return {name: tuple(x) if isinstance(x, list) else x for name, x in arguments.items()}


def fit_transforms(dense: dict[str, dict[str, float]]) -> tuple[dict[str, Any], dict[str, float]]:
    """Arguments of `Costs` for each core, and the largest error; dense: the costs of the format.

    The steps themselves are told apart from the format by what was fitted for it.
    """
    from stridepack.cost import work_of

    data = json.loads(TENSORS.read_text())
    recorded = {row[2]: row for row in data["rows"]["dense"] if row[0] == "transforms"}
    cases = [case for case in transforms() if case.packed[0].transforms]
    names = names_of_costs()
    units = [Costs(**costs_of({n: float(n == name) for n in names})) for name in names]
    features = np.array([[transform_costs(c.packed[0], unit) for unit in units] for c in cases])
    fitted, worst = {}, {}
    for i, core in enumerate(data["columns"]):
        if i < 4:
            continue
        total = np.array([recorded[case.names[0]][i] for case in cases], float)
        format_costs = np.array(
            [
                sum(dense[core].get(name, 0) * n for name, n in work_of(case.packed[0]).items())
                for case in cases
            ]
        )
        costs, _ = nnls(features / total[:, None], (total - format_costs) / total)
        fitted[core] = costs_of(dict(zip(names, map(_rounded, costs), strict=True)))
        worst[core] = float(np.abs((features @ costs + format_costs) / total - 1).max())
    return fitted, worst


def check_alike(core: str, other: str) -> None:
    """Stop unless two cores took exactly as many instructions wherever both were counted."""
    records = json.loads(COUNTS.read_text())
    counts = {
        name: {
            (r["format"], r["sparsity"]): r["instructions"] for r in records if r["core"] == name
        }
        for name in (core, other)
    }
    if not counts[core].items() <= counts[other].items():
        sys.exit(f"{core} and {other} differ in {COUNTS}: give {core} a fit of its own")


def memories() -> dict[str, dict[str, tuple[int, int]]]:
    """Bytes of code and of stack of the decoders, by core."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for record in json.loads(COUNTS.read_text()):
        of_core = found.setdefault(record["core"], {})
        before = of_core.get(record["format"], (0, 0))
        of_core[record["format"]] = (
            max(before[0], record["text_bytes"]),
            max(before[1], record["stack_bytes"]),
        )
    return found


def module(costs: Any, memory: Any, of_transforms: Any) -> str:
    """The text of _fitted_cores.py. Cores that are alike share what was fitted."""
    lines = ["# SPDX-License-Identifier: Apache-2.0", f'"""{NOTE}"""', ""]
    lines += ["from typing import Any", ""]

    def add(comment: str, name: str, kind: str, value: Any) -> None:
        shared = {core: other for core, other in ALIKE.items() if value[core] is value[other]}
        lines.extend([f"# {comment}", f"{name}: {kind} = {{"])
        add_items({core: of for core, of in value.items() if core not in shared}, 1)
        lines.append("}")
        lines.extend(f'{name}["{core}"] = {name}["{other}"]' for core, other in shared.items())

    def add_items(value: Any, depth: int) -> None:
        for key, inner in value.items():
            if isinstance(inner, dict):
                lines.append(f'{"    " * depth}"{key}": {{')
                add_items(inner, depth + 1)
                lines.append(f"{'    ' * depth}}},")
            else:
                lines.append(f'{"    " * depth}"{key}": {inner},')

    kind = "dict[str, dict[str, dict[str, float]]]"
    add(
        "target -> format -> instructions for each of the counts of work",
        "INSTRUCTIONS",
        kind,
        costs,
    )
    lines.append("")
    kind = "dict[str, dict[str, tuple[int, int]]]"
    add("target -> format -> bytes of code and constants, bytes of stack", "MEMORY", kind, memory)
    lines.append("")
    kind = "dict[str, dict[str, Any]]"
    add("target -> arguments of cost.transforms.Costs", "TRANSFORMS", kind, of_transforms)
    return "\n".join(lines) + "\n"


@click.command(help=__doc__)
@click.option("--check", is_flag=True)
def main(check: bool) -> None:
    formats = read()
    cores = list(next(iter(formats.values())).instructions)
    costs = {core: {name: one.fit(core) for name, one in formats.items()} for core in cores}
    of_transforms, worst = fit_transforms({core: costs[core]["dense"] for core in cores})
    memory = memories()
    for core, other in ALIKE.items():
        check_alike(core, other)
        costs[core], of_transforms[core] = costs[other], of_transforms[other]
    memory = {core: memory[core] for core in costs}
    text = module(costs, memory, of_transforms)
    if check:
        if text != OUTPUT.read_text():
            sys.exit(f"{OUTPUT} differs from bench/cores: run python bench/cores/fit.py")
        return
    OUTPUT.write_text(text)

    table = Table("format", "core", "fitted: worst", "others: worst", "mean", "where")
    for name, one in formats.items():
        for core in cores:
            error = np.abs(one.errors(core, costs[core][name]))
            others = np.where(one.fitted, np.nan, error)
            row = one.rows[int(np.nanargmax(others))]
            table.add_row(
                *(name, core, f"{np.nanmax(error[one.fitted]):.1%}", f"{np.nanmax(others):.1%}"),
                *(f"{np.nanmean(others):.1%}", f"{row[0]} {row[1]:.0%} {row[2]}"),
            )
    console = Console(width=120)
    console.print(table)
    console.print({core: f"transforms: worst {error:.1%}" for core, error in worst.items()})
    console.print(f"wrote {OUTPUT}")


if __name__ == "__main__":
    main()
