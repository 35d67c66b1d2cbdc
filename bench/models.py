# SPDX-License-Identifier: Apache-2.0
"""Whole models: every format, the entropy bound, and the packed .tflite in the stock interpreter.

    python bench/models.py                            # the bundled model
    python bench/models.py ../shared/data/models/*.tflite

Totals count tensors of at least 2048 elements in their format and smaller ones as they are, blob
headers included. Packed .tflite files are measured as they are written: with each DECODE type alone
and with the best for each tensor, which then runs in the interpreter. Rows in
bench/results/models.json of models that are not measured this time stay.
"""

import json
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

import stridepack as sp
from stridepack.files.spk import build_bundle
from stridepack.plan.measure import in_every_format
from stridepack.plan.rules import SMALL
from stridepack.plan.smallest import plan
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.pack import pack_tflite
from stridepack.tflite.types import decode_type, decode_types
from stridepack.tflite.types.blob import Blob

RESULTS = Path(__file__).parent / "results/models.json"
BUNDLED = Path(__file__).parent.parent / "examples/resnet8_cifar10_50.tflite"


def measure_model(path: Path) -> dict[str, object]:
    tensors = sp.read_tflite(path)
    sizes = in_every_format(tensors, lambda packed: packed.nbytes)
    small = sum(t.size for t in tensors if t.size < SMALL)
    large = [(t, s) for t, s in zip(tensors, sizes, strict=True) if t.size >= SMALL]
    model = path.read_bytes()
    packed = pack_tflite(model, min_size=SMALL)
    alone = {
        name: pack_tflite(model, [decode_type(name)], min_size=SMALL) for name in decode_types()
    }
    blobs = pack_tflite(model, map(Blob, sp.formats()[1:]), min_size=SMALL)
    comparison = compare_outputs(model, packed.data, n_inputs=3)
    n_zeros = sum(t.size - t.n_non_zero for t, _ in large)
    return {
        "model": path.name,
        "weights": sum(t.size for t in tensors),
        "large_weights": sum(t.size for t, _ in large),
        "sparsity_of_large": n_zeros / max(1, sum(t.size for t, _ in large)),
        "nbytes": {name: small + sum(s[name] for _, s in large) for name in sp.formats()},
        "spk_nbytes": len(build_bundle({c.tensor.name: c.packed for c in plan(tensors)})),
        "entropy_nbytes": sum(t.entropy_nbytes for t in tensors),
        "tflite_nbytes": len(model),
        "packed_tflite_nbytes": len(packed.data),
        "packed_tflite_nbytes_alone": {name: len(p.data) for name, p in alone.items()},
        "packed_tflite_nbytes_blobs": len(blobs.data),
        "n_tensors_packed": Counter(p.format for p in packed.payloads.values()),
        "outputs_equal": comparison.equal,
        "arena_nbytes": comparison.arena_nbytes,
    }


@click.command(help=__doc__)
@click.argument("models", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(models: tuple[Path, ...]) -> None:
    rows = {}
    if RESULTS.exists():
        rows = {row["model"]: row for row in json.loads(RESULTS.read_text())}
    for path in models or (BUNDLED,):
        rows[path.name] = measure_model(path)
    table = Table(
        *("model", "weights", *sp.formats(), ".spk", "entropy"),
        *(".tflite", *decode_types(), "packed", "arena", "blobs in .tflite"),
    )
    for row in rows.values():
        arena = " -> ".join(f"{size:,}" for size in row["arena_nbytes"])
        table.add_row(
            *(row["model"], f"{row['weights']:,}"),
            *(f"{size:,}" for size in row["nbytes"].values()),
            *(f"{row['spk_nbytes']:,}", f"{row['entropy_nbytes']:,.0f}"),
            f"{row['tflite_nbytes']:,}",
            *(f"{size:,}" for size in row["packed_tflite_nbytes_alone"].values()),
            *(f"{row['packed_tflite_nbytes']:,}", arena),
            f"{row['packed_tflite_nbytes_blobs']:,}",
        )
    Console(width=260).print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(list(rows.values()), indent=1) + "\n")


if __name__ == "__main__":
    main()
