# SPDX-License-Identifier: Apache-2.0
"""One training of a network, whose state is kept after each epoch: the loop and its rates."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments import data as datasets
from experiments.device import Trainer
from experiments.networks import Recipe
from stridepack.pruning import GridQuantizer, MagnitudePruner, distillation_loss
from stridepack.sweep import remote

BATCH = 128
BATCHES_PER_STEP: dict[type, int] = {MagnitudePruner: 50, GridQuantizer: 10}


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


def save_checkpoint(
    checkpoint: str,
    model: dict[str, Tensor],
    epoch: int,
    identity: dict[str, Any],
    **more: dict[str, Any],
) -> None:
    """Write what `resume` reads. more: the state of the optimizer, where epochs are left."""
    buffer = io.BytesIO()
    torch.save({"model": model, "epoch": epoch, "identity": identity, **more}, buffer)
    remote.write(checkpoint, buffer.getvalue())


def resume(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    checkpoint: str,
    identity: dict[str, Any],
) -> int:
    """Load the checkpoint if there is one; return how many epochs it has done.

    Raises
    ------
    SystemExit
        When it belongs to a run with other options.
    """
    if not remote.exists(checkpoint):
        return 0
    content = io.BytesIO(remote.read(checkpoint))
    saved = torch.load(content, map_location="cpu")  # wherever it was written
    if saved["identity"] != identity:
        raise SystemExit(
            f"{checkpoint} belongs to the run {saved['identity']}, this one is {identity}:\n"
            "give the same options, or a --label"
        )
    model.load_state_dict(saved["model"])
    if "optimizer" in saved:  # a finished training does without
        optimizer.load_state_dict(saved["optimizer"])
    epochs: int = saved["epoch"]
    return epochs


def train(
    model: nn.Module,
    data: datasets.Images,
    recipe: Recipe,
    trainer: Trainer,
    *,
    epochs: int,
    rate: Callable[[float], float],
    seed: int,
    checkpoint: str,
    identity: dict[str, Any],
    pruner: MagnitudePruner | GridQuantizer | None = None,
    teacher: nn.Module | None = None,
) -> None:
    """Train `model` in place; go on from `checkpoint`, written after each epoch, if it exists.

    Each epoch draws from a generator of its own, so a resumed run sees the same images. With a
    `teacher`, half of the loss is the distance from its answers.

    Raises
    ------
    TimeIsUp
        When epochs are left, and no time for the next one.
    SystemExit
        When the images are fewer than a batch has.
    """
    optimizer = optimizer_of(model, recipe)
    start = resume(model, optimizer, checkpoint, identity)
    if start < epochs and len(data.labels) < BATCH:
        raise SystemExit(
            f"{len(data.labels)} training images are too few: a batch has {BATCH}. Give more."
        )
    callee, optimizer = trainer.setup(model, optimizer)
    teacher = teacher and teacher.to(trainer.device)
    steps, part = len(data.labels) // BATCH, trainer.part(BATCH)
    for epoch in range(start, epochs):
        trainer.check_time(f"{checkpoint}: stopped after epoch {epoch}/{epochs}")
        began = time.monotonic()
        callee.train()
        total_loss = torch.zeros((), device=trainer.device)
        generator = torch.Generator().manual_seed(seed * 1000 + epoch)
        torch.manual_seed(seed * 1000 + epoch)  # for dropout
        batches = datasets.augmented_batches(data, BATCH, generator, trainer.device, part)
        for step, (x, labels) in enumerate(batches):
            now = epoch + step / steps
            if pruner and step % BATCHES_PER_STEP[type(pruner)] == 0:
                pruner.step(now)
            for group in optimizer.param_groups:
                group["lr"] = rate(now)
            with trainer.fabric.autocast():
                loss = loss_of(callee, teacher, trainer.ordered(x), labels)
            total_loss += loss.detach()
            if isinstance(pruner, GridQuantizer):
                loss = loss + pruner.penalty()
            optimizer.zero_grad()
            trainer.fabric.backward(loss)
            optimizer.step()
        if trainer.is_first:
            more = {"optimizer": optimizer.state_dict()} if epoch + 1 < epochs else {}
            save_checkpoint(checkpoint, model.state_dict(), epoch + 1, identity, **more)
            trainer.end_epoch(took := time.monotonic() - began)
            print(
                f"{checkpoint}: epoch {epoch + 1}/{epochs}, loss {total_loss.item() / steps:.4f}, "
                f"{state_of(pruner)}, {took:.0f} s",
                flush=True,
            )
