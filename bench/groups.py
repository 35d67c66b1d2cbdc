# SPDX-License-Identifier: Apache-2.0
"""What the order of the group search, its sizes and its threshold do to hybrid.

    python bench/groups.py                # ResNet8's shapes and the bundled model; seconds
    python bench/groups.py model.tflite   # these models as well

Payload bytes against the paper's choice, and estimated cycles a weight on a Cortex-M55 with Helium
(stridepack.cost). Weights of ResNet8's shapes are Gaussian, pruned by magnitude. Writes
bench/results/groups.json.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from networks import pruned_weights, resnet8
from published import SPARSITIES
from rich.console import Console
from rich.table import Table

import stridepack as sp
from stridepack.cost.estimate import decode_cycles
from stridepack.files import read_weights
from stridepack.groups import DEFAULT_OCCUPANCY, DEFAULT_SIZES, ORDERS
from stridepack.plan.rules import SMALL

RESULTS = Path(__file__).parent / "results/groups.json"
BUNDLED = Path(__file__).parent.parent / "examples/resnet8_cifar10_50.tflite"
TARGET = "cortex-m55"

SIZES = (DEFAULT_SIZES, (16, 12, 8, 6, 4, 3))
OCCUPANCIES = (DEFAULT_OCCUPANCY, 1.0)


def measure(
    tensors: Sequence[np.ndarray], sizes: Sequence[int], occupancy: float, order: str
) -> dict[str, float]:
    """Payload bytes, and estimated cycles a weight."""
    packed = [
        sp.pack(values, "hybrid", sizes=sizes, occupancy=occupancy, order=order)
        for values in tensors
    ]
    cycles = sum(decode_cycles(p, TARGET) or 0.0 for p in packed)
    return {
        "payload_nbytes": sum(p.payload_nbytes for p in packed),
        "cycles_per_weight": round(cycles / sum(p.n_elements for p in packed), 3),
    }


@click.command(help=__doc__)
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True)
def main(models: tuple[Path, ...], seed: int) -> None:
    workloads = {}
    for sparsity in SPARSITIES:
        rng = np.random.default_rng(seed)
        tensors = [pruned_weights(shape, sparsity, rng) for shape in resnet8()]
        workloads[f"ResNet8 {sparsity:.0%}"] = tensors
    for model in (BUNDLED, *models):
        tensors = [t.values for t in read_weights(model) if t.size >= SMALL]
        workloads[model.stem] = tensors

    records = []
    for name, tensors in workloads.items():
        table = Table("order", "sizes", "theta", "payload", "of the paper's", "est. cycles")
        table.title, table.title_justify = name, "left"
        paper = 0.0
        for order in ORDERS:
            for sizes in SIZES:
                for occupancy in OCCUPANCIES:
                    result = measure(tensors, sizes, occupancy, order)
                    paper = paper or result["payload_nbytes"]
                    options = {"order": order, "sizes": sizes, "occupancy": occupancy}
                    records.append({"workload": name, **options, **result})
                    table.add_row(
                        *(order, ",".join(map(str, sizes)), f"{occupancy:g}"),
                        f"{result['payload_nbytes']:,}",
                        f"{result['payload_nbytes'] / paper:.3f}",
                        f"{result['cycles_per_weight']:.2f}",
                    )
        Console(width=120).print(table)
    RESULTS.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
