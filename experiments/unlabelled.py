# SPDX-License-Identifier: Apache-2.0
"""Bytes against the error of the outputs: `shrink` on models for which there are no labels here.

    python -m experiments.unlabelled

For each model: `stridepack.shrink` with inputs that are made as `MODELS` says, at all sizes from
the untouched model to the smallest plan. Writes experiments/results/unlabelled.json and .png. The
models and photographs are not part of the repository. What is missing is skipped with its reason.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import stridepack as sp
from experiments import data as datasets
from experiments import figures
from experiments.measures import RESULTS
from experiments.train import DATA
from stridepack.files.atomic import write_files
from stridepack.tflite.model import load_model

Array = npt.NDArray[Any]

SAMPLES = 320  # a quarter of them is held back
KEYWORDS = 240  # of the model that takes longest
UNIFORM = 8  # a target must be given
NAME = "unlabelled"


@dataclasses.dataclass(frozen=True)
class Quantisation:
    """Real value = scale * (stored value - zero_point)."""

    scale: float
    zero_point: int

    def stored(self, real: Array) -> npt.NDArray[np.int8]:
        """Real numbers as int8, clipped at the ends."""
        values = np.rint(real / self.scale) + self.zero_point
        return np.clip(values, -128, 127).astype(np.int8)

    def real(self, stored: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
        """What int8 values stand for."""
        return np.float32(self.scale) * (stored.astype(np.float32) - np.float32(self.zero_point))

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest number that can be stored."""
        return self.scale * (-128 - self.zero_point), self.scale * (127 - self.zero_point)


Make = Callable[[Quantisation], npt.NDArray[np.int8]]


def noise(shape: tuple[int, int, int], along: tuple[float, float], seed: int) -> Array:
    """Noise of unit variance over (samples, rows, columns).

    Along rows and columns it is autoregressive of first order, with the correlations `along`
    between neighbours.
    """
    values = np.random.default_rng(seed).standard_normal(shape)
    for axis, correlation in zip((1, 2), along, strict=True):
        moved = np.moveaxis(values, axis, 0)
        for i in range(1, len(moved)):
            moved[i] = correlation * moved[i - 1] + (1 - correlation**2) ** 0.5 * moved[i]
    return values


def keyword_inputs(quantisation: Quantisation) -> npt.NDArray[np.int8]:
    """49 frames of 10 cepstral coefficients."""
    low, high = quantisation.limits
    falling = 1 / np.sqrt(1 + np.arange(10))
    values = noise((KEYWORDS, 49, 10), (0.9, 0), seed=1) * falling * (high - low) / 6
    return quantisation.stored(values)[..., np.newaxis]


def machine_inputs(quantisation: Quantisation) -> npt.NDArray[np.int8]:
    """5 frames of 128 logarithmic mel energies, one after another."""
    low, high = quantisation.limits
    values = noise((SAMPLES, 5, 128), (0.9, 0.95), seed=2)
    return quantisation.stored((low + high) / 2 + values * (high - low) / 8).reshape(SAMPLES, 640)


def photographs(quantisation: Quantisation) -> npt.NDArray[np.int8]:
    """The first photographs of TinyImageNet's validation images, 96 x 96 pixels.

    Raises
    ------
    SystemExit
        When they are not there.
    """
    from torch.nn.functional import interpolate

    images = datasets.load("tinyimagenet", DATA / "tinyimagenet", "test").pixels[:SAMPLES]
    resized = interpolate(images.permute(0, 3, 1, 2).float(), size=(96, 96), mode="bilinear")
    return quantisation.stored(resized.permute(0, 2, 3, 1).numpy() / 255)


# title: file, inputs, what they are, whether the outputs are classes
MODELS: dict[str, tuple[str, Make, str, bool]] = {
    "KWS-L (DS-CNN, keyword spotting)": (
        "kws_dscnn_dense_l.tflite",
        keyword_inputs,
        "noise, 49 frames of 10 coefficients: correlation 0.9 from frame to frame, none between "
        "coefficients; coefficient k has the standard deviation R / (6 sqrt(1 + k)), where R is "
        "the range that the model's first QUANTIZE can store; mean 0; rounded as it rounds",
        True,
    ),
    "ad01 (autoencoder, machine sounds)": (
        "mlperf_tiny_ad01_int8.tflite",
        machine_inputs,
        "noise, 5 frames of 128 mel bands: correlation 0.95 from band to band and 0.9 from frame "
        "to frame; its mean is the middle of the range that the input can store, and its standard "
        "deviation is an eighth of that range",
        False,
    ),
    "VWW (MobileNetV1, is a person there?)": (
        "mlperf_tiny_vww_96_int8.tflite",
        photographs,
        "the first validation photographs of TinyImageNet, 64 x 64 pixels, resized to 96 x 96 "
        "(bilinear); pixels / 255, as the model's input is quantised",
        True,
    ),
}


def input_of(file: Path) -> tuple[Quantisation, bool]:
    """How the input of a model is quantised, and whether it takes real numbers.

    If it does, its first operator, a QUANTIZE, says how.
    """
    model = load_model(file.read_bytes(), str(file))
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.inputs[0]]
    takes_real = tensor.quantization is None or tensor.quantization.scale is None
    if takes_real:
        first = next(op for op in graph.operators if model.operator_name(op) == "QUANTIZE")
        tensor = graph.tensors[first.outputs[0]]
    of = tensor.quantization
    return Quantisation(float(of.scale[0]), int(of.zeroPoint[0])), takes_real


def curve(file: Path, make: Make, description: str, classes: bool) -> dict[str, Any]:
    """Bytes and errors of a model at all sizes; `classes`: whether its outputs are classes."""
    quantisation, takes_real = input_of(file)
    stored = make(quantisation)
    inputs = quantisation.real(stored) if takes_real else stored
    result = sp.shrink(file, inputs, step=UNIFORM, curve=True)
    points = [
        {
            "spk_nbytes": point.nbytes,
            "snr": None if np.isinf(point.quality.snr) else round(point.quality.snr, 2),
            "agreement": point.quality.agreement,
            "steps": point.steps,
        }
        for point in result.curve
        if point.steps != result.after.steps  # the same step in all layers is none of the curve
    ]
    if not classes:  # the largest output has no meaning
        for point in points:
            point["agreement"] = None
    return {
        "model": file.name,
        "inputs": description,
        "calibration_samples": result.n_calibration,
        "held_back_samples": result.n_held_back,
        "points": points,
    }


def saved() -> dict[str, dict[str, Any]]:
    """The curves that are recorded, by title."""
    file = RESULTS / f"{NAME}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def save(curves: dict[str, dict[str, Any]]) -> None:
    """Write the curves and their plot."""
    ordered = {title: curves[title] for title in MODELS if title in curves}
    text = json.dumps(ordered, indent=1) + "\n"
    write_files({RESULTS / f"{NAME}.json": text.encode()})
    figures.size_and_error(RESULTS / f"{NAME}.png", ordered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--models", type=Path, default=DATA / "models", metavar="DIR")
    parser.add_argument("--only", metavar="TEXT", help="models with this in their title")
    options = parser.parse_args()
    for title, (name, make, description, classes) in MODELS.items():
        if options.only and options.only not in title:
            continue
        file = options.models / name
        if not file.exists():
            print(f"{title}: skipped, because there is no file {file}.")
            continue
        try:
            found = curve(file, make, description, classes)
        except SystemExit as error:
            print(f"{title}: skipped, because its inputs cannot be made: {error}")
            continue
        save(saved() | {title: found})
        print(f"{title}: {len(found['points'])} sizes", flush=True)


if __name__ == "__main__":
    main()
