# SPDX-License-Identifier: Apache-2.0
"""Sizes of the four networks with initial weights, pruned by magnitude: no training needed.

    python -m experiments.initial

Compressed size depends on the sparsity and hardly on the network, the paper finds; this shows it
for the networks whose training takes an accelerator. Writes experiments/results/initial_sizes.json.
"""

from __future__ import annotations

import json

import torch

from bench.published import SPARSITIES
from experiments.data import DATASETS
from experiments.measures import RESULTS, sizes
from experiments.networks import PAPERS_DATASET, RECIPES
from stridepack.files.atomic import write_files
from stridepack.pruning import MagnitudePruner, to_arrays


def main() -> None:
    records = []
    for network, recipe in RECIPES.items():
        for sparsity in SPARSITIES:
            torch.manual_seed(0)
            model = recipe.build(DATASETS[PAPERS_DATASET[network]].classes)
            total = sum(p.numel() for p in model.parameters())
            pruner = MagnitudePruner(
                model, sparsity, end=0, larger_than=recipe.larger_than, exclude=recipe.exclude
            )
            pruner.step(0)
            arrays = to_arrays(model)
            # as TensorFlow Lite stores them: output channels first, input channels last
            tensors = [
                arrays[name].values.reshape(*arrays[name].values.shape[:2], -1).swapaxes(1, 2)
                for name in pruner.masks
            ]
            records.append(
                {
                    "network": network,
                    "sparsity": sparsity,
                    "weights": total,
                    "prunable_weights": sum(t.size for t in tensors),
                    "nbytes": sizes([t.reshape(-1) for t in tensors]),
                }
            )
            print(json.dumps(records[-1]), flush=True)
    content = json.dumps(records, indent=1) + "\n"
    write_files({RESULTS / "initial_sizes.json": content.encode()})


if __name__ == "__main__":
    main()
