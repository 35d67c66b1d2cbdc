# SPDX-License-Identifier: Apache-2.0
"""What inputs of another kind cost: ResNet8 shrunk with them, and its accuracy on the real ones.

    python -m experiments.other_inputs

`shrink` with CIFAR-10's training images, with photographs of TinyImageNet, and with noise, to the
same number of bytes. What it says of the samples held back is recorded beside the accuracy on all
test images. Writes experiments/results/other_inputs.json. Needs CIFAR-10 and TinyImageNet.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import numpy.typing as npt

import stridepack as sp
from experiments import data as datasets
from experiments.int8 import int8_outputs
from experiments.measures import RESULTS, points
from experiments.train import DATA
from experiments.unlabelled import noise
from stridepack.files.atomic import write_files

Array = npt.NDArray[Any]

SAMPLES = 512  # a quarter of them is held back
FLASH = 22_500
FILE = RESULTS / "other_inputs.json"


def photographs() -> Array:
    """TinyImageNet's first validation images, 32 x 32 pixels: the mean of four pixels each."""
    images = datasets.load("tinyimagenet", DATA / "tinyimagenet", "test").pixels[:SAMPLES].numpy()
    return images.reshape(SAMPLES, 32, 2, 32, 2, 3).mean(axis=(2, 4))


def noise_images() -> Array:
    """Noise with a correlation of 0.95 from pixel to pixel, and none between the colours."""
    values = noise((3 * SAMPLES, 32, 32), (0.95, 0.95), seed=3).reshape(SAMPLES, 3, 32, 32)
    return 128 + 64 * values.transpose(0, 2, 3, 1)


def measured(model: str, pixels: Array, test: datasets.Images) -> dict[str, Any]:
    """`shrink` of a model with some images, and the accuracy of the result."""
    inputs = np.clip(np.rint(pixels), 0, 255).astype(int) - 128
    result = sp.shrink(RESULTS / model, inputs.astype(np.int8), flash=FLASH)
    guesses = int8_outputs(result.model, test.pixels).argmax(axis=1)
    return {
        "spk_nbytes": result.after.nbytes,
        "snr": round(result.after.quality.snr, 2),
        "agreement": result.after.quality.agreement,
        "accuracy": float(np.mean(guesses == test.labels.numpy())),
    }


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__.partition("\n")[0] if __doc__ else None
    ).parse_args()
    train = datasets.load("cifar10", DATA / "cifar10", "train")
    test = datasets.load("cifar10", DATA / "cifar10", "test")
    kinds = {
        "CIFAR-10": train.pixels[:SAMPLES].numpy(),
        "TinyImageNet": photographs(),
        "noise": noise_images(),
    }
    start = next(p for p in points("resnet8_cifar10") if (p["sparsity"], p["seed"]) == (0, 1))
    found: dict[str, Any] = {"model": start["tflite"], "accuracy_before": start["accuracy"]}
    for kind, pixels in kinds.items():
        found[kind] = measured(start["tflite"], pixels, test)
        write_files({FILE: (json.dumps(found, indent=1) + "\n").encode()})
        print(f"{kind}: {found[kind]}", flush=True)


if __name__ == "__main__":
    main()
