"""Train a dense baseline, then prune and retrain it; every run resumes from its checkpoint.

    python -m experiments.train resnet8 cifar10 --sparsity 0.5 --seed 1

writes build/experiments/resnet8_cifar10/seed1/dense.pt and sparsity_50.pt. The dense baseline of a
seed is shared by all its sparsities. Interrupt it at any time; the same command goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments import data as datasets
from experiments.networks import RECIPES, Recipe
from stridepack.files.atomic import write_files
from stridepack.pruning import GridQuantizer, MagnitudePruner, distillation_loss

BATCH = 128
BATCHES_PER_STEP: dict[type, int] = {MagnitudePruner: 50, GridQuantizer: 10}
RUNS = Path("build/experiments")
DATA = Path("../shared/data")


def save_atomically(content: bytes, file: Path) -> None:
    """A reader sees the old file or the whole new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_files({file: content})


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), 0.0, weight_decay=0.01)
    return torch.optim.SGD(model.parameters(), 0.0, 0.9, weight_decay=2e-4, nesterov=True)


def dense_rate(recipe: Recipe, epochs: int) -> Callable[[float], float]:
    """Linear warm-up over two epochs, then half a cosine down to zero."""
    warm_up = min(2.0, epochs / 4)

    def rate(epoch: float) -> float:
        if epoch < warm_up:
            return recipe.peak_rate * epoch / warm_up
        done = (epoch - warm_up) / (epochs - warm_up)
        return recipe.peak_rate * (1 + math.cos(math.pi * done)) / 2

    return rate


def pruning_rate(recipe: Recipe, pruning: int, retraining: int) -> Callable[[float], float]:
    """The rates of Section IV-A; with fewer retraining epochs the decays come sooner, in scale."""

    def rate(epoch: float) -> float:
        if recipe.cosine_to is not None:
            done = epoch / (pruning + retraining)
            span = recipe.rate - recipe.cosine_to
            return recipe.cosine_to + span * (1 + math.cos(math.pi * done)) / 2
        scale = retraining / recipe.retraining_epochs
        return recipe.rate * 0.1 ** sum(epoch >= pruning + d * scale for d in recipe.decays)

    return rate


def loss_of(model: nn.Module, teacher: nn.Module | None, x: Tensor, labels: Tensor) -> Tensor:
    if teacher is None:
        return F.cross_entropy(model(x), labels)
    with torch.no_grad():
        answers = teacher(x)
    return distillation_loss(model(x), answers, labels)


def state_of(pruner: MagnitudePruner | GridQuantizer | None) -> str:
    if isinstance(pruner, GridQuantizer):
        return f"{pruner.nbytes():,} bytes"
    sparsities = pruner.sparsities().values() if pruner else [0.0]
    return f"sparsity {max(sparsities):.3f}"


def train(
    model: nn.Module,
    data: datasets.Images,
    recipe: Recipe,
    *,
    epochs: int,
    rate: Callable[[float], float],
    seed: int,
    checkpoint: Path,
    identity: dict[str, Any],
    pruner: MagnitudePruner | GridQuantizer | None = None,
    teacher: nn.Module | None = None,
    half: bool = False,
) -> None:
    """Train `model` in place; go on from `checkpoint`, written after each epoch, if it exists.

    Each epoch draws from a generator of its own, so a resumed run sees the same images. With a
    `teacher`, half of the loss is the distance from its answers. With `half`, layers are computed
    in bfloat16, in half the time.
    """
    optimizer = optimizer_of(model, recipe)
    start = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        if saved["identity"] != identity:
            raise SystemExit(
                f"{checkpoint} belongs to the run {saved['identity']}, this one is {identity}:\n"
                "give the same options, or a --label"
            )
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["epoch"]

    steps = len(data.labels) // BATCH
    for epoch in range(start, epochs):
        model.train()
        began, total_loss = time.monotonic(), 0.0
        generator = torch.Generator().manual_seed(seed * 1000 + epoch)
        for step, (x, labels) in enumerate(datasets.augmented_batches(data, BATCH, generator)):
            now = epoch + step / steps
            if pruner and step % BATCHES_PER_STEP[type(pruner)] == 0:
                pruner.step(now)
            for group in optimizer.param_groups:
                group["lr"] = rate(now)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                loss = loss_of(model, teacher, x, labels)
            total_loss += loss.item()
            if isinstance(pruner, GridQuantizer):
                loss = loss + pruner.penalty()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        print(
            f"{checkpoint}: epoch {epoch + 1}/{epochs}, loss {total_loss / steps:.4f}, "
            f"{state_of(pruner)}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        buffer = io.BytesIO()
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**state, "epoch": epoch + 1, "identity": identity}, buffer)
        save_atomically(buffer.getvalue(), checkpoint)


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

    @property
    def curve(self) -> str:
        return "_".join(filter(None, (self.network, self.dataset, self.label)))

    @property
    def folder(self) -> Path:
        return RUNS / self.curve / f"seed{self.seed}"

    @property
    def name(self) -> str:
        return f"{self.curve}_{round(self.sparsity * 100):02d}_seed{self.seed}"

    def model(self) -> nn.Module:
        torch.manual_seed(self.seed)
        model = RECIPES[self.network].build(datasets.CLASSES[self.dataset])
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def train(self, data: datasets.Images) -> nn.Module:
        """The trained model in eval mode, zeros written into its weights."""
        recipe = RECIPES[self.network]
        dense = {"network": self.network, "dataset": self.dataset, "seed": self.seed}
        dense |= {"dense_epochs": self.dense_epochs}
        model = self.model()
        train(
            model,
            data,
            recipe,
            epochs=self.dense_epochs,
            rate=dense_rate(recipe, self.dense_epochs),
            seed=self.seed,
            checkpoint=self.folder / "dense.pt",
            identity=dense,
        )

        pruner = MagnitudePruner(
            model,
            self.sparsity,
            end=self.pruning_epochs,
            larger_than=recipe.larger_than,
            exclude=recipe.exclude,
        )
        epochs = self.pruning_epochs + self.retraining_epochs
        pruned = dataclasses.asdict(self)
        del pruned["label"]  # the folder has it; checkpoints from before there were labels go on
        train(
            model,
            data,
            recipe,
            epochs=epochs,
            rate=pruning_rate(recipe, self.pruning_epochs, self.retraining_epochs),
            seed=self.seed + 500,  # other batches than those of the baseline
            checkpoint=self.folder / f"sparsity_{round(self.sparsity * 100):02d}.pt",
            identity=pruned,
            pruner=pruner,
        )
        pruner.step(epochs)
        pruner.remove()
        return model.eval()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that describe a run; epochs default to the paper's."""
    parser.add_argument("network", choices=RECIPES)
    parser.add_argument("dataset", choices=datasets.LAYOUTS)
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"default {DATA}/DATASET")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dense-epochs", type=int)
    parser.add_argument("--pruning-epochs", type=int)
    parser.add_argument("--retraining-epochs", type=int)
    parser.add_argument(
        "--label", default="", help="keeps runs with other epochs apart from those that are there"
    )
    parser.add_argument("--threads", type=int)


def run_of(options: argparse.Namespace, sparsity: float) -> Run:
    recipe = RECIPES[options.network]
    epochs = {
        name: getattr(recipe, name) if getattr(options, name) is None else getattr(options, name)
        for name in ("dense_epochs", "pruning_epochs", "retraining_epochs")
    }
    run = (options.network, options.dataset, options.seed, sparsity)
    return Run(*run, **epochs, label=options.label)


def load(options: argparse.Namespace, split: str) -> datasets.Images:
    return datasets.load(options.dataset, options.data or DATA / options.dataset, split)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    add_arguments(parser)
    parser.add_argument("--sparsity", type=float, nargs="+", default=[0.5], metavar="FRACTION")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    data = load(options, "train")
    for sparsity in options.sparsity:
        run_of(options, sparsity).train(data)


if __name__ == "__main__":
    main()
