# SPDX-License-Identifier: Apache-2.0
"""Table I of the paper, memory footprint: our payload bytes beside the paper's.

    python bench/sizes.py                 # all four networks, under a minute
    python bench/sizes.py --network ResNet8

Weights are Gaussian, pruned by magnitude tensor by tensor; sizes depend on the sparsity and hardly
on anything else (the paper's own finding). "payload" leaves out the headers, 48 bytes a tensor.
Writes bench/results/sizes.json.
"""

import json
import math
from pathlib import Path

import click
import numpy as np
from networks import NETWORKS, pruned_weights
from published import FOOTPRINT, SPARSITIES, WEIGHTS, as_in_paper
from rich.console import Console
from rich.table import Table

import stridepack as sp
from stridepack.plan.measure import in_every_format

RESULTS = Path(__file__).parent / "results/sizes.json"


def payloads(network: str, sparsity: float, seed: int) -> dict[str, int]:
    """Payload bytes of a whole network in every format."""
    rng = np.random.default_rng(seed)
    weights = [pruned_weights(shape, sparsity, rng) for shape in NETWORKS[network]()]
    tensors = [sp.WeightTensor("", values) for values in weights]
    every = in_every_format(tensors, lambda packed: packed.payload_nbytes)
    return {name: sum(of[name] for of in every) for name in sp.formats()}


@click.command(help=__doc__)
@click.option("--network", type=click.Choice(list(NETWORKS)), multiple=True, help="Default: all.")
@click.option("--seed", default=0, show_default=True)
def main(network: tuple[str, ...], seed: int) -> None:
    records = []
    console = Console(width=130)
    for name in network or NETWORKS:
        n = sum(math.prod(shape) for shape in NETWORKS[name]())
        table = Table(
            title=f"{name}, payload bytes: {n:,} weights, the paper {WEIGHTS[name][0]:,.0f}",
            title_justify="left",
        )
        table.add_column("format")
        for sparsity in SPARSITIES:
            table.add_column(f"{sparsity:.0%}: ours", justify="right")
            table.add_column("of dense", justify="right")
            table.add_column("paper", justify="right")
            table.add_column("diff.", justify="right")
        rows = {format: [] for format in sp.formats()}
        for i, sparsity in enumerate(SPARSITIES):
            for format, size in payloads(name, sparsity, seed).items():
                paper = FOOTPRINT[name].get(format, (None,) * 3)[i]
                record = {"network": name, "sparsity": sparsity, "format": format, "seed": seed}
                record |= {"n_weights": n, "payload_nbytes": size, "of_dense": size / n}
                cells = [as_in_paper(size), f"{size / n:.3f}", "", ""]
                if paper is not None:
                    of_dense = paper / WEIGHTS[name][0]
                    record |= {"paper_nbytes": paper, "paper_of_dense": of_dense}
                    difference = size / n / of_dense - 1
                    record["difference"] = difference
                    cells[2:] = [as_in_paper(paper), f"{difference:+.1%}"]
                records.append(record)
                rows[format] += cells
        for format, cells in rows.items():
            table.add_row(format, *cells)
        console.print(table)
    console.print("diff.: of bytes per weight, since the numbers of weights differ a little")
    if not network:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(records, indent=1) + "\n")
        console.print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
