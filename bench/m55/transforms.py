# SPDX-License-Identifier: Apache-2.0
"""What the steps between a format and the tensor cost: instructions and estimated cycles.

    python bench/m55/transforms.py

Decodes one tensor of 64 x 576 weights in the format dense with each of the transforms of
docs/format.md, section 2.1, and prints the counts for each weight, those of dense itself taken off.
`stridepack.cost.transforms` has costs that follow from them.
"""

from collections.abc import Iterator

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from run import PATHS, Case, build, measure

from stridepack.packed import Packed
from stridepack.transforms.apply import Live, Prediction, Transforms

SHAPE = (64, 576)
COMPILER = "clang-19"


def cases() -> Iterator[tuple[str, Case]]:
    """What is decoded, dense without transforms first."""
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 20, SHAPE).astype(np.int8)

    def case(transforms: Transforms, values: np.ndarray = weights) -> Case:
        made = Case("transforms", "dense", 0.0, [values])
        made.packed = [Packed.encode(values, "dense", transforms=transforms)]
        return made

    yield "dense", case(Transforms())
    for kind in range(5):
        for distance, second in ((64, 192), (4, 4), (1, 1)):
            name = f"prediction {kind} from {distance} and {second}"
            yield name, case(Transforms(None, Prediction(kind, distance, second)))
    for share in (0.2, 0.5, 0.9):
        rows = rng.random(SHAPE[0]) < share
        yield (
            f"{share:.0%} live rows",
            case(Transforms(Live(SHAPE[1], rows)), weights * rows[:, None]),
        )
        for n_columns in (16, 96, 276, 576):
            columns = rng.random(n_columns) < share
            values = weights.reshape(-1)[: weights.size // n_columns * n_columns]
            values = values.reshape(-1, n_columns) * columns
            name = f"{share:.0%} of {n_columns} columns live"
            yield name, case(Transforms(Live(columns=columns)), values)
        for unit, name in ((1, "columns"), (SHAPE[1], "rows")):
            classes = rng.random(SHAPE[1] if unit == 1 else SHAPE[0]) < share
            of = f"{share:.0%} of the {name} in the second class"
            yield of, case(Transforms(Live(unit=unit, classes=classes)))


@click.command(help=__doc__)
def main() -> None:
    build()
    names, all_cases = zip(*cases(), strict=True)
    paths = (*PATHS, "m4")
    results = {path: measure(path, COMPILER, list(all_cases)) for path in paths}
    table = Table("transform, for each weight", title_justify="left")
    for path in paths:
        table.add_column(f"{path}: instr.", justify="right")
        table.add_column("est. cycles" if path in PATHS else "stack", justify="right")
    for i, (name, case) in enumerate(zip(names, all_cases, strict=True)):
        row = [name]
        for path in paths:
            here, dense = results[path][i], results[path][0]
            n, n_dense = case.n_weights, all_cases[0].n_weights
            row.append(f"{here.instructions[0] / n - dense.instructions[0] / n_dense:.2f}")
            cycles = here.cycles and here.cycles[0] / n - dense.cycles[0] / n_dense
            row.append(f"{cycles:.2f}" if here.cycles else str(here.stack_bytes))
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
