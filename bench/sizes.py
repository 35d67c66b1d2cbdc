"""Table I of the paper, memory footprint: our payload bytes beside the paper's.

    python bench/sizes.py                 # all four networks, under a minute
    python bench/sizes.py --network ResNet8

Weights are Gaussian, pruned by magnitude tensor by tensor; sizes depend on the sparsity and hardly
on anything else (the paper's own finding). "payload" leaves out the headers, 48 bytes a tensor.
Writes bench/results/sizes.json.
"""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
from networks import NETWORKS, pruned_weights
from rich.console import Console
from rich.table import Table

import stridepack as sp

RESULTS = Path(__file__).parent / "results/sizes.json"
SPARSITIES = (0.3, 0.5, 0.7)

# Table I: total bytes ("k" = 1000) at 30, 50 and 70 % sparsity
PAPER = {
    "ResNet8": {
        "hybrid": (71.23e3, 54.38e3, 35.34e3),
        "rle": (77.44e3, 55.32e3, 33.53e3),
        "dcsr": (82.41e3, 58.92e3, 36.47e3),
        "psr": (103.53e3, 74.03e3, 44.55e3),
    },
    "MobileViT-XXS": {
        "hybrid": (844.80e3, 645.97e3, 425.91e3),
        "rle": (922.72e3, 663.62e3, 409.28e3),
        "dcsr": (986.86e3, 711.25e3, 450.81e3),
        "psr": (1.23e6, 884.66e3, 535.54e3),
    },
    "MobileNetV2": {
        "hybrid": (2.25e6, 1.72e6, 1.12e6),
        "rle": (2.45e6, 1.75e6, 1.06e6),
        "dcsr": (2.60e6, 1.86e6, 1.15e6),
        "psr": (3.27e6, 2.34e6, 1.41e6),
    },
    "ResNet34": {
        "hybrid": (20.49e6, 15.65e6, 10.19e6),
        "rle": (22.33e6, 15.95e6, 9.64e6),
        "dcsr": (23.74e6, 16.98e6, 10.46e6),
        "psr": (29.86e6, 21.35e6, 12.84e6),
    },
}
PAPER_WEIGHTS = {
    "ResNet8": 73.73e3,
    "MobileViT-XXS": 899.07e3,
    "MobileNetV2": 2.33e6,
    "ResNet34": 21.27e6,
}


def payloads(network: str, sparsity: float, seed: int) -> dict[str, int]:
    """Payload bytes of a whole network in every format."""
    rng = np.random.default_rng(seed)
    tensors = [pruned_weights(shape, sparsity, rng) for shape in NETWORKS[network]()]

    def measure(name: str) -> int:
        return sum(sp.pack(values, name).payload_nbytes for values in tensors)

    with ThreadPoolExecutor() as pool:
        return dict(zip(sp.formats(), pool.map(measure, sp.formats()), strict=True))


def as_in_paper(size: float) -> str:
    return f"{size / 1e3:.2f}k" if size < 1e6 else f"{size / 1e6:.2f}M"


@click.command(help=__doc__)
@click.option("--network", type=click.Choice(list(NETWORKS)), multiple=True, help="Default: all.")
@click.option("--seed", default=0, show_default=True)
def main(network: tuple[str, ...], seed: int) -> None:
    records = []
    console = Console(width=130)
    for name in network or NETWORKS:
        n = sum(math.prod(shape) for shape in NETWORKS[name]())
        table = Table(
            title=f"{name}, payload bytes: {n:,} weights, the paper {PAPER_WEIGHTS[name]:,.0f}",
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
                paper = PAPER[name].get(format, (None,) * 3)[i]
                record = {"network": name, "sparsity": sparsity, "format": format, "seed": seed}
                record |= {"n_weights": n, "payload_nbytes": size, "of_dense": size / n}
                cells = [as_in_paper(size), f"{size / n:.3f}", "", ""]
                if paper is not None:
                    of_dense = paper / PAPER_WEIGHTS[name]
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
