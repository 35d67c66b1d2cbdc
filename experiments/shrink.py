# SPDX-License-Identifier: Apache-2.0
"""Shrink trained networks without training, and record what is left on all test images.

    python -m experiments.shrink resnet8 cifar10 --flash 23000 21500 20000

For each seed, each sparsity and each number of bytes: `stridepack.shrink` with the first training
images, without their labels; accuracy of the result on all test images, by LiteRT's reference
kernels. The .tflite files and NETWORK_DATASET_shrink.json go to experiments/results, and a table of
ResNet8's points into docs/shrink.md. Of each network only the smallest file stays a .tflite, and
the others become .tflite.xz.
"""

from __future__ import annotations

import argparse
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np

import stridepack as sp
from experiments import data as datasets
from experiments.int8 import int8_outputs, quantised
from experiments.measures import POST_TRAINING, RESULTS, model_of, points
from experiments.networks import RECIPES
from experiments.train import DATA
from stridepack.files.atomic import write_files
from stridepack.shrink.rate import RATES

CALIBRATION_IMAGES = 2800  # of the training set; a quarter of them is held back
GUIDE = Path("docs/shrink.md")
BEGIN, END = "<!-- shrink-results -->", "<!-- /shrink-results -->"
SHARED = ("sparsity", "seed", "epochs", "input")  # fields of the network that is shrunk


def shrunk(
    source: dict[str, Any], flash: int, train: datasets.Images, test: datasets.Images
) -> tuple[bytes, dict[str, Any]]:
    """A smaller model of a recorded point, and its record."""
    file = RESULTS / source["tflite"]
    pixels = train.pixels[:CALIBRATION_IMAGES]
    result = sp.shrink(file, quantised(pixels, *input_scale(file)), flash=flash)
    guesses = int8_outputs(result.model, test.pixels).argmax(axis=1)
    name = f"{file.stem}_shrink_{flash}.tflite"
    record = {
        **{field: source[field] for field in SHARED},
        "method": POST_TRAINING,
        "from": source["tflite"],
        "accuracy": float(np.mean(guesses == test.labels.numpy())),
        "accuracy_before": source["accuracy"],
        "tflite": name,
        "bytes": len(result.model),
        "flash": flash,
        "spk_nbytes": result.after.nbytes,
        "spk_nbytes_before": result.before.nbytes,
        "steps": {t.name: t.step for t in result.tensors if t.step != 1},
        "snr": result.after.quality.snr,
        "agreement": result.after.quality.agreement,
        "calibration_images": result.n_calibration,
    }
    return result.model, record


def input_scale(model: Path) -> tuple[float, int]:
    """Scale and zero point of the input of a model."""
    from ai_edge_litert.interpreter import Interpreter

    scale, zero_point = Interpreter(str(model)).get_input_details()[0]["quantization"]
    return float(scale), int(zero_point)


def record(curve: str, entry: dict[str, Any]) -> None:
    """Put a point into the curve's JSON, in place of an earlier one of the same file."""
    names = (entry["tflite"], f"{entry['tflite']}.xz")
    kept = [p for p in points(f"{curve}_shrink") if p["tflite"] not in names]
    write(curve, [*kept, entry])


def write(curve: str, entries: list[dict[str, Any]]) -> None:
    """Write the points of a curve; their files are compressed where that is due."""
    smallest: dict[tuple[str, str], int] = {}
    for of in entries:
        key = of["method"], of["from"]
        smallest[key] = min(of["flash"], smallest.get(key, of["flash"]))
    for of in entries:
        if of["flash"] > smallest[of["method"], of["from"]] and of["tflite"].endswith(".tflite"):
            compress(of)
    key = ("seed", "sparsity", "flash")
    ordered = sorted(entries, key=lambda p: [p[name] for name in key])
    network, dataset = curve.split("_")
    content = {"network": network, "dataset": dataset, "points": ordered}
    text = json.dumps(content, indent=2) + "\n"
    write_files({RESULTS / f"{curve}_shrink.json": text.encode()})


def compress(entry: dict[str, Any]) -> None:
    """Make a .tflite.xz of the file of a point."""
    plain = RESULTS / entry["tflite"]
    entry["tflite"] = f"{plain.name}.xz"
    small = lzma.compress(plain.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
    write_files({RESULTS / entry["tflite"]: small})
    plain.unlink()


def spk_nbytes(point: dict[str, Any]) -> int:
    """Bytes of the .spk file of a point."""
    return RATES["spk"].of_model(model_of(point), point["tflite"])


def table() -> str:
    """ResNet8's points in Markdown: a row for each method, sparsity and number of bytes."""
    rows = [
        "| ResNet8, CIFAR-10 | `.spk` before | accuracy | `.spk` after | accuracy (each seed) |",
        "|---|--:|--:|--:|--:|",
    ]
    groups: dict[tuple[str, float, int], list[dict[str, Any]]] = {}
    for point in points("resnet8_cifar10_shrink"):
        key = point["method"], point["sparsity"], -point["flash"]
        groups.setdefault(key, []).append(point)
    for (method, sparsity, _), group in sorted(groups.items()):
        start = f"{sparsity:.0%} pruned" if sparsity else "not pruned"
        name = f"`shrink`, {start}" if method == POST_TRAINING else method
        before, after = ([p[f"spk_nbytes{s}"] for p in group] for s in ("_before", ""))
        accuracy_before, accuracy = (
            [p[name] for p in group] for name in ("accuracy_before", "accuracy")
        )
        each = ", ".join(f"{value:.2%}" for value in accuracy)
        rows.append(
            f"| {name} | {np.mean(before):,.0f} "
            f"| {np.mean(accuracy_before):.2%} | **{np.mean(after):,.0f}** "
            f"| **{np.mean(accuracy):.2%}** ({each}) |"
        )
    return "\n".join(rows)


def write_table() -> None:
    """Put the table between its marks in the guide."""
    text = GUIDE.read_text()
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    write_files({GUIDE: f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}".encode()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("network", choices=RECIPES)
    parser.add_argument("dataset", choices=datasets.DATASETS)
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"default {DATA}/DATASET")
    parser.add_argument("--sparsity", type=float, nargs="+", default=[0.0], metavar="FRACTION")
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--flash", type=int, nargs="+", required=True, metavar="BYTES")
    options = parser.parse_args()
    curve = f"{options.network}_{options.dataset}"
    sources = [
        point
        for point in points(curve)
        if point["sparsity"] in options.sparsity and point["seed"] in options.seed
    ]
    folder = options.data or DATA / options.dataset
    train = datasets.load(options.dataset, folder, "train")
    test = datasets.load(options.dataset, folder, "test")
    for source in sources:
        for flash in options.flash:
            model, entry = shrunk(source, flash, train, test)
            write_files({RESULTS / entry["tflite"]: model})
            record(curve, entry)
            write_table()
            print(f"{entry['tflite']}: {entry['accuracy']:.4f} in {entry['spk_nbytes']} bytes")


if __name__ == "__main__":
    main()
