# SPDX-License-Identifier: Apache-2.0
"""Table I: accuracies, sizes and what decoding takes, ours beside the paper's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from bench import counts, plots, published
from bench.published import SPARSITIES, as_in_paper
from experiments import measures, tables
from experiments.figures import PAPERS, Curve
from experiments.measures import RESULTS, Sizes
from experiments.networks import RECIPES, TITLES
from experiments.tables import Point


def trained_of(curve: str, points: Sequence[Point]) -> str:
    """How the points of a curve were trained: data, epochs and seeds."""
    seeds = len({p["seed"] for p in points})
    plural = "s" if seeds > 1 else ""
    epochs = f"{tables.epochs_of(points)} epochs, {seeds} seed{plural}"
    data = "" if measures.dataset_of(curve) == "cifar10" else f"{tables.data_of(curve, points)}, "
    return data + epochs


def footprint_rows(
    network: str, source: str, change: Curve, sizes: dict[float, dict[str, float]]
) -> list[str]:
    rows = []
    for i, sparsity in enumerate(SPARSITIES):
        if sparsity not in sizes:
            continue
        ours = sizes[sparsity]
        cells = [TITLES[network], source, f"{sparsity:.0%}"]
        cells.append(f"{100 * change[sparsity]:+.2f}" if sparsity in change else "")
        cells.append(f"{published.ACCURACY_CHANGE[TITLES[network]][i]:+.2f}")
        for format in PAPERS:
            paper = published.FOOTPRINT[TITLES[network]][format][i]
            relative = tables.difference(network, format, sparsity, ours)
            text = f"{as_in_paper(ours[format])} / {as_in_paper(paper)} ({relative:+.1%})"
            cells.append(text)
        cells += [
            f"{as_in_paper(ours[format])} ({ours[format] / ours['dense']:.3f})"
            for format in ours
            if format not in (*PAPERS, "dense")
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def decode_rows() -> list[str]:
    by_key = {(r["format"], r["sparsity"]): r for r in counts.records("resnet8", "helium")}
    rows = []
    for format in dict.fromkeys(format for format, _ in by_key):
        cells = [format]
        for i, sparsity in enumerate(SPARSITIES):
            record = by_key[format, sparsity]
            cells.append(f"{record['instructions_per_weight']:.3f}")
            cells.append(f"{record['cycles_per_weight']:.2f}")
            paper = published.CYCLES_PER_WEIGHT_RESNET8.get(format)
            cells.append(f"{paper[i]:.2f}" if paper else "")
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def text(curves: Mapping[str, tuple[Sequence[Point], Sizes]]) -> str:
    """The table, and under it what decoding takes."""
    initial = json.loads((RESULTS / "initial_sizes.json").read_text())
    columns = ["network", "weights", "sparsity", "Δ accuracy", "paper's"]
    columns += [f"{plots.label(f)}: ours / paper" for f in PAPERS]
    others = (f for f in initial[0]["nbytes"] if f not in (*PAPERS, "dense"))
    columns += ["entropy bound" if f == "entropy_bound" else plots.label(f) for f in others]
    paper_epochs = [
        f"{recipe.pruning_epochs} + {recipe.retraining_epochs} ({TITLES[network]})"
        for network, recipe in RECIPES.items()
    ]
    lines = [
        "# Table I: ours beside the paper's",
        "",
        "Bytes of the prunable weights, without headers (k = 1000). In brackets: how far our bytes",
        "a weight are from the paper's; for formats that the paper lacks, bytes a weight.",
        "Δ accuracy: in points, int8 on the test images, against the network that had the same",
        "epochs without pruning. Ours: CIFAR-10 in a JPEG-compressed copy, or TinyImageNet where",
        "a row says so; the paper's: CIFAR-10 for ResNet8, TinyImageNet for the others. Epochs: of",
        "dense training + pruning + retraining; several seeds: their mean. *Initial*: weights as",
        "they are before training, pruned by magnitude. The paper prunes + retrains for so many",
        f"epochs: {', '.join(paper_epochs)}. With fewer, a row has a",
        "shortened recipe.",
        "",
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
    ]
    for network in TITLES:
        for curve, (points, sizes) in curves.items():
            if measures.network_of(curve) != network:
                continue
            accuracy = measures.accuracy_of(points)
            change = {s: a - accuracy[0] for s, a in accuracy.items()} if 0 in accuracy else {}
            mean = {
                s: {f: measures.sizes_by_sparsity(sizes, f)[s] for f in next(iter(sizes.values()))}
                for s in accuracy
            }
            lines += footprint_rows(network, trained_of(curve, points), change, mean)
        sizes_of_initial = {r["sparsity"]: r["nbytes"] for r in initial if r["network"] == network}
        lines += footprint_rows(network, "initial", {}, sizes_of_initial)
    lines += [
        "",
        "Decoding ResNet8's tensors on a Cortex-M55 with Helium, a weight: exact instructions,",
        "estimated cycles, and the paper's cycles. The paper's are measured on a board with",
        "weights in DDR4; ours come from a model of the core alone, in which no memory waits:",
        "compare within a column.",
        "",
        "| format | "
        + " | ".join(f"{s:.0%}: instr. | est. cycles | paper" for s in SPARSITIES)
        + " |",
        "|" + "---|" * 10,
        *decode_rows(),
    ]
    return "\n".join(lines) + "\n"
