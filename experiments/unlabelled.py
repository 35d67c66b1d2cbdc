"""Shrink models without labels, on inputs that are made: bytes against the error of the outputs.

    python -m experiments.unlabelled

For three int8 models of ../shared/data/models and several numbers of bytes: `stridepack.shrink`,
and what it does to the outputs for inputs that are held back. Writes experiments/results/
unlabelled_shrink.json, and its table into docs/shrink.md.

What this shows is how far the outputs move for inputs of such a kind. It cannot show what accuracy
is lost: for that, real inputs are needed, and labels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import stridepack as sp
from experiments import data as datasets
from experiments.measures import RESULTS
from experiments.shrink import replace_between
from experiments.train import DATA, save_atomically
from stridepack.tflite.model import load_model, type_name

MODELS = Path("../shared/data/models")
FILE = RESULTS / "unlabelled_shrink.json"
SAMPLES = 340  # of which a quarter is held back
FRACTIONS = (0.75, 0.55, 0.4)  # of the packed size before

Inputs = npt.NDArray[Any]


def smooth_noise(*shape: int) -> Inputs:
    """int8 noise that changes slowly along the first axis, as spectra of sound do over time."""
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(SAMPLES, *shape))
    for i in range(1, shape[0]):  # neighbours are correlated by 0.9
        noise[:, i] = 0.9 * noise[:, i - 1] + np.sqrt(1 - 0.9**2) * noise[:, i]
    return np.clip(np.rint(noise * 40), -128, 127).astype(np.int8)


def photographs() -> Inputs:
    """int8 images of 96 x 96 pixels, made from those of TinyImageNet by repeating pixels."""
    pixels = datasets.load("tinyimagenet", DATA / "tinyimagenet", "test").pixels
    chosen = pixels[:: len(pixels) // SAMPLES][:SAMPLES].numpy()
    index = np.arange(96) * 64 // 96
    return (chosen[:, index][:, :, index].astype(np.int16) - 128).astype(np.int8)


CASES: dict[str, tuple[str, Callable[[], Inputs], str]] = {
    "keyword spotting (DS-CNN-L)": (
        "kws_dscnn_dense_l.tflite",
        lambda: smooth_noise(49, 10)[..., None],
        "noise, correlated over time",
    ),
    "anomaly detection (ad01)": (
        "mlperf_tiny_ad01_int8.tflite",
        lambda: smooth_noise(5, 128).reshape(SAMPLES, 640),
        "noise, correlated over time",
    ),
    "visual wake words": (
        "mlperf_tiny_vww_96_int8.tflite",
        photographs,
        "photographs of TinyImageNet",
    ),
}


def measured(name: str, file: str, inputs: Inputs, kind: str) -> list[dict[str, Any]]:
    """Records of a model: one for each number of bytes."""
    model = MODELS / file
    inputs = for_input(model, inputs)
    whole = sp.shrink(model, inputs, step=1)
    records = [record(name, file, kind, whole.before, None)]
    for fraction in FRACTIONS:
        flash = int(fraction * whole.before.nbytes)
        records.append(record(name, file, kind, sp.shrink(model, inputs, flash=flash).after, flash))
    return records


def for_input(file: Path, inputs: Inputs) -> Inputs:
    """int8 inputs as the model takes them: real numbers where it quantises its input itself."""
    model = load_model(file.read_bytes(), str(file))
    graph = model.subgraphs[0]
    source = graph.inputs[0]
    if type_name(graph.tensors[source]) == "int8":
        return inputs
    first = next(op for op in graph.operators if source in op.inputs)
    quantization = graph.tensors[first.outputs[0]].quantization
    scale, zero_point = float(quantization.scale[0]), int(quantization.zeroPoint[0])
    return ((inputs.astype(np.float32) - zero_point) * scale).astype(np.float32)


def record(name: str, file: str, kind: str, point: Any, flash: int | None) -> dict[str, Any]:
    return {
        "model": name,
        "tflite": file,
        "inputs": kind,
        "samples": SAMPLES,
        "flash": flash,
        "spk_nbytes": point.nbytes,
        "snr": None if flash is None else round(point.quality.snr, 2),
        "agreement": None if flash is None else point.quality.agreement,
    }


def table(records: list[dict[str, Any]]) -> str:
    rows = [
        "| model | inputs | `.spk` before | after, and signal to noise |",
        "|---|---|--:|---|",
    ]
    for name in dict.fromkeys(r["model"] for r in records):
        first, *others = [r for r in records if r["model"] == name]
        points = ", ".join(f"{r['spk_nbytes']:,} ({r['snr']:.1f} dB)" for r in others)
        rows.append(f"| {name} | {first['inputs']} | {first['spk_nbytes']:,} | {points} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.parse_args()
    records: list[dict[str, Any]] = []
    for name, (file, inputs, kind) in CASES.items():
        records += measured(name, file, inputs(), kind)
        print(f"{name}: {[(r['spk_nbytes'], r['snr']) for r in records if r['model'] == name]}")
        save_atomically((json.dumps({"points": records}, indent=2) + "\n").encode(), FILE)
    replace_between("unlabelled", table(records))


if __name__ == "__main__":
    main()
