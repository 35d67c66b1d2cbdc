# SPDX-License-Identifier: Apache-2.0
"""Train a dense baseline, then prune and retrain it; every run resumes from its checkpoint.

    python -m experiments.train resnet8 cifar10 --sparsity 0.5 --seed 1

writes build/experiments/resnet8_cifar10/seed1/dense.pt and sparsity_50.pt. The dense baseline of a
seed is shared by all its sparsities. Interrupt it at any time; the same command goes on, on the
same device or on another. With `--minutes 10` it stops by itself after the last epoch that ends in
ten minutes, with exit status 3 when there is more to do.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments import data as datasets
from experiments import device
from experiments.arguments import count
from experiments.device import Trainer
from experiments.loop import dense_rate, pruning_rate, save_checkpoint, train
from experiments.networks import RECIPES
from stridepack.pruning import MagnitudePruner
from stridepack.sweep import remote

RUNS: Path | str = Path("build/experiments")  # or an address, such as "s3://bucket/runs"
DATA = Path("../shared/data")


@dataclasses.dataclass(frozen=True)
class Run:
    """One point of a curve: a network trained dense with a seed, then pruned and retrained."""

    network: str
    dataset: str
    seed: int
    sparsity: float  # 0: the same further epochs without pruning
    dense_epochs: int
    pruning_epochs: int
    retraining_epochs: int
    label: str = ""  # keeps curves of one network apart, such as those of different epochs
    resolution: int | None = None  # of the images, if it is not the data set's
    images: int | None = None  # of the training set, if it is not all of them

    @property
    def curve(self) -> str:
        less = f"{self.resolution}px" if self.resolution else ""
        fewer = f"{self.images}images" if self.images else ""
        return "_".join(filter(None, (self.network, self.dataset, less, fewer, self.label)))

    @property
    def name(self) -> str:
        return f"{self.curve}_{round(self.sparsity * 100):02d}_seed{self.seed}"

    def facts(self) -> dict[str, Any]:
        """What makes it another run than others, without what is the data set's own."""
        return {
            name: value for name, value in dataclasses.asdict(self).items() if value is not None
        }

    def model(self) -> nn.Module:
        torch.manual_seed(self.seed)
        return RECIPES[self.network].build(datasets.DATASETS[self.dataset].classes)

    def checkpoint(self, name: str) -> str:
        """The file of one of its trainings."""
        folder = remote.joined(remote.joined(str(RUNS), self.curve), f"seed{self.seed}")
        return remote.joined(folder, f"{name}.pt")

    def train_dense(self, data: datasets.Images, trainer: Trainer) -> nn.Module:
        """The dense baseline, which all sparsities of a seed share."""
        recipe, model = RECIPES[self.network], self.model()
        train(
            model,
            data,
            recipe,
            trainer,
            epochs=self.dense_epochs,
            rate=dense_rate(recipe, self.dense_epochs),
            seed=self.seed,
            checkpoint=self.checkpoint("dense"),
            identity=self._dense_identity(),
        )
        return model

    def _dense_identity(self) -> dict[str, Any]:
        left_out = ("sparsity", "pruning_epochs", "retraining_epochs", "label")
        return {name: value for name, value in self.facts().items() if name not in left_out}

    def save_dense(self, state: dict[str, Tensor]) -> None:
        """Write a dense baseline that was trained elsewhere as its checkpoint."""
        dense = self.checkpoint("dense")
        save_checkpoint(dense, state, self.dense_epochs, self._dense_identity())

    def train(self, data: datasets.Images, trainer: Trainer | None = None) -> nn.Module:
        """The trained model on the CPU, in eval mode, zeros written into its weights."""
        recipe = RECIPES[self.network]
        trainer = trainer or Trainer(self.network)
        model = self.train_dense(data, trainer)
        pruner = MagnitudePruner(
            model,
            self.sparsity,
            end=self.pruning_epochs,
            larger_than=recipe.larger_than,
            exclude=recipe.exclude,
        )
        epochs = self.pruning_epochs + self.retraining_epochs
        pruned = self.facts()
        del pruned["label"]  # the folder has it; checkpoints from before there were labels go on
        train(
            model,
            data,
            recipe,
            trainer,
            epochs=epochs,
            rate=pruning_rate(recipe, self.pruning_epochs, self.retraining_epochs),
            seed=self.seed + 500,  # other batches than those of the baseline
            checkpoint=self.checkpoint(f"sparsity_{round(self.sparsity * 100):02d}"),
            identity=pruned,
            pruner=pruner,
        )
        pruner.step(epochs)
        pruner.remove()
        return model.cpu().eval()


def add_arguments(parser: argparse.ArgumentParser, several_seeds: bool = False) -> None:
    """The options that describe a run; epochs default to the paper's."""
    parser.add_argument("network", choices=RECIPES)
    parser.add_argument("dataset", choices=datasets.DATASETS)
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"default {DATA}/DATASET")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="of decoded images, default ~/.cache/stridepack"
    )
    if several_seeds:
        parser.add_argument("--seed", type=int, nargs="+", default=[1])
    else:
        parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dense-epochs", type=int)
    parser.add_argument("--pruning-epochs", type=int)
    parser.add_argument("--retraining-epochs", type=int)
    parser.add_argument(
        "--resolution",
        type=count,
        metavar="PIXELS",
        help="images are resized; default: as they are",
    )
    parser.add_argument(
        "--images", type=count, metavar="N", help="train on so many of the images; default: on all"
    )
    parser.add_argument(
        "--label", default="", help="keeps runs with other epochs apart from those that are there"
    )
    device.add_arguments(parser)


def run_of(options: argparse.Namespace, sparsity: float, seed: int) -> Run:
    recipe, resolution = RECIPES[options.network], options.resolution
    if resolution == datasets.DATASETS[options.dataset].image_size:
        resolution = None
    if resolution and not recipe.any_size:
        raise SystemExit(
            f"`--resolution {resolution}`: {options.network} takes images of its data set's size "
            "only. Leave the option out."
        )
    images = options.images
    if images == datasets.DATASETS[options.dataset].training_images:
        images = None
    epochs = {
        name: getattr(recipe, name) if getattr(options, name) is None else getattr(options, name)
        for name in ("dense_epochs", "pruning_epochs", "retraining_epochs")
    }
    run = (options.network, options.dataset, seed, sparsity)
    return Run(*run, **epochs, label=options.label, resolution=resolution, images=images)


def load(options: argparse.Namespace, split: str, trainer: Trainer) -> datasets.Images:
    """The images, on the device where they fit; the first process decodes for the others."""
    folder = options.data or DATA / options.dataset
    with trainer.fabric.rank_zero_first(local=True):
        cache = options.cache or datasets.cache_folder()
        images = datasets.load(
            options.dataset,
            folder,
            split,
            cache,
            resolution=options.resolution,
            count=options.images if split == "train" else None,
        )
    return datasets.Images(trainer.nearby(images.pixels), images.labels)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    add_arguments(parser)
    parser.add_argument("--sparsity", type=float, nargs="+", default=[0.5], metavar="FRACTION")
    return parser.parse_args(arguments)


def main() -> None:
    options = options_of(None)
    trainer = device.trainer_of(options)
    data = load(options, "train", trainer)
    for sparsity in options.sparsity:
        run_of(options, sparsity, options.seed).train(data, trainer)


if __name__ == "__main__":
    main()
