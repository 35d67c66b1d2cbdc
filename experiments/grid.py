# SPDX-License-Identifier: Apache-2.0
"""Train networks on the grid until they pack into a number of bytes, and record what they reach.

    python -m experiments.grid resnet8 cifar10 --seed 1 2 --flash 14300

For each seed and each number of bytes: training with a `GridQuantizer` goes on from the recorded
network that is not pruned; conversion to int8; accuracy of the int8 .tflite on all test images. The
.tflite goes to experiments/results, and a record of it into NETWORK_DATASET_shrink.json. Every run
resumes from its checkpoint.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments import data as datasets
from experiments.device import Trainer
from experiments.int8 import to_int8
from experiments.loop import train
from experiments.measures import RESULTS, TRAINED, points
from experiments.networks import RECIPES
from experiments.recorded import load_recorded
from experiments.shrink import record, spk_nbytes, write_table
from experiments.train import DATA, RUNS
from stridepack.files.atomic import write_files
from stridepack.pruning import GridQuantizer

PEAK_RATE = 0.04  # of the learning rate
SHRINKING = 0.5  # of the epochs, after which the size is held
IMAGES = 2000  # for the statistics of batch normalisation at first


@dataclasses.dataclass(frozen=True)
class GridRun:
    """One network trained on the grid, in cycles of a learning rate that falls (SGDR)."""

    network: str
    dataset: str
    seed: int
    flash: int
    epochs: int
    distil: bool
    cycles: int = 1

    @property
    def curve(self) -> str:
        return f"{self.network}_{self.dataset}"

    @property
    def name(self) -> str:
        return f"{self.curve}_grid_{self.flash}_seed{self.seed}"

    @property
    def start(self) -> dict[str, Any]:
        """The record of the network that is not pruned."""
        records = points(self.curve)
        return next(p for p in records if (p["sparsity"], p["seed"]) == (0.0, self.seed))

    def rate(self, epoch: float) -> float:
        """Warm-up over a quarter of an epoch, then half a cosine down to zero."""
        epoch %= self.epochs
        warm = min(1.0, 4 * epoch)
        return warm * PEAK_RATE * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

    def train(self, data: datasets.Images) -> nn.Module:
        """The trained model in eval mode, its weights on their grids."""
        trainer = Trainer(self.network, accelerator="cpu", precision="bfloat16")
        recipe = RECIPES[self.network]
        model = recipe.build(datasets.DATASETS[self.dataset].classes)
        images = datasets.normalise(data.pixels[:IMAGES])
        load_recorded(RESULTS / self.start["tflite"], model, images)
        teacher = copy.deepcopy(model).eval() if self.distil else None
        quantizer = GridQuantizer(model, self.flash, end=SHRINKING * self.epochs)
        train(
            model,
            data,
            recipe,
            trainer,
            epochs=self.cycles * self.epochs,
            rate=self.rate,
            seed=self.seed + 500,
            checkpoint=str(Path(RUNS) / self.curve / f"seed{self.seed}" / f"grid_{self.flash}.pt"),
            identity=dataclasses.asdict(self),
            pruner=quantizer,
            teacher=teacher,
        )
        quantizer.fit()
        return model.eval()


def measured(run: GridRun, train: datasets.Images, test: datasets.Images) -> dict[str, Any]:
    """Train, convert and evaluate one network; write its .tflite; return its record."""
    tflite, score, float_score = to_int8(run.name, run.train(train), train, test)
    file = RESULTS / f"{run.name}.tflite"
    write_files({file: tflite})
    return {
        "sparsity": 0.0,
        "seed": run.seed,
        "epochs": {**run.start["epochs"], "grid": run.cycles * run.epochs},
        "input": datasets.INPUT,
        "method": TRAINED,
        "from": run.start["tflite"],
        "distilled": run.distil,
        "accuracy": round(score, 4),
        "float_accuracy": round(float_score, 4),
        "accuracy_before": run.start["accuracy"],
        "tflite": file.name,
        "bytes": len(tflite),
        "flash": run.flash,
        "spk_nbytes": spk_nbytes({"tflite": file.name}),
        "spk_nbytes_before": spk_nbytes(run.start),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("network", choices=RECIPES)
    parser.add_argument("dataset", choices=datasets.DATASETS)
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"default {DATA}/DATASET")
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--flash", type=int, nargs="+", required=True, metavar="BYTES")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--cycles", type=int, default=4, help="repetitions of these epochs")
    parser.add_argument("--distil", action="store_true", help="learn from the network before, too")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = options.data or DATA / options.dataset
    train_images = datasets.load(options.dataset, folder, "train")
    test_images = datasets.load(options.dataset, folder, "test")
    curve = f"{options.network}_{options.dataset}"
    for flash in options.flash:
        for seed in options.seed:
            of = (options.network, options.dataset, seed, flash)
            run = GridRun(*of, options.epochs, options.distil, options.cycles)
            entry = measured(run, train_images, test_images)
            record(curve, entry)
            write_table()
            print(f"{entry['tflite']}: {entry['accuracy']:.4f} in {entry['spk_nbytes']} bytes")


if __name__ == "__main__":
    main()
