# SPDX-License-Identifier: Apache-2.0
"""How long training takes for an image, in every mode, on the CPU.

    python -m experiments.speed              # about twelve minutes of one core
    python -m experiments.speed --eager      # without torch.compile: about two

Writes experiments/results/training_speed.jsonl, and goes on where it was interrupted. It counts
CPU time of one thread, which says the same on a busy machine, and takes the fastest of some steps.
`experiments.device.ON_CPU` has what is fastest.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from experiments.data import DATASETS
from experiments.device import PRECISIONS, Trainer
from experiments.loop import optimizer_of
from experiments.measures import RESULTS
from experiments.networks import PAPERS_DATASET, RECIPES
from stridepack.sweep import Here, grid, run

STEPS = 4
BATCH = 32
OUTPUT = RESULTS / "training_speed.jsonl"


def measure(point: Mapping[str, Any]) -> dict[str, Any]:
    """Milliseconds an image, and the seconds before the first step is done."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    began = time.process_time()
    dataset = DATASETS[PAPERS_DATASET[point["network"]]]
    recipe, size = RECIPES[point["network"]], dataset.image_size
    model = recipe.build(dataset.classes)
    trainer = Trainer(
        point["network"],
        accelerator="cpu",
        precision=point["precision"],
        channels_last=point["channels_last"],
        compiled=point["compiled"],
    )
    callee, optimizer = trainer.setup(model, optimizer_of(model, recipe))
    x, labels = trainer.ordered(torch.randn(BATCH, 3, size, size)), torch.arange(BATCH) % 10
    seconds = []
    for _ in range(STEPS + 1):
        start = time.process_time()
        loss = F.cross_entropy(callee(x), labels)
        optimizer.zero_grad()
        trainer.fabric.backward(loss)
        optimizer.step()
        seconds.append(time.process_time() - start)
    first = time.process_time() - began - sum(seconds[1:])
    best = 1000 * min(seconds[1:]) / BATCH
    return {"ms_an_image": round(best, 2), "seconds_before": round(first, 1), "cpu": cpu()}


def cpu() -> str:
    """The model of this processor, and what it has for bfloat16."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    parts = (line.partition(":") for line in lines)
    facts = {name.strip(): value.strip() for name, _, value in parts}
    flags = [flag for flag in ("avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    return ", ".join([facts.get("model name", "unknown"), *(flags or ["no bfloat16"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    parser.add_argument("--network", nargs="+", default=list(RECIPES), choices=RECIPES)
    options = parser.parse_args()
    points = grid(
        compiled=[False] if options.eager else [False, True],
        network=options.network,
        precision=PRECISIONS,
        channels_last=[True, False],
    )
    run(
        measure,
        points,
        str(OUTPUT),
        Here(),
        retries=0,
        on_done=lambda done: print(done.point, done.result or done.error, flush=True),
    )


if __name__ == "__main__":
    main()
