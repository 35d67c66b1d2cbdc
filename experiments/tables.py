# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/paper.md: accuracies, and sizes of trained weights, beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import stridepack as sp
from bench import markers, plots, published
from bench.published import SPARSITIES
from experiments import measures
from experiments.data import DATASETS
from experiments.figures import PAPERS
from experiments.measures import Sizes
from experiments.networks import PAPERS_DATASET, RECIPES, TITLES

DOCUMENT = Path("docs/paper.md")
LARGEST_DIFFERENCE = 0.015

Point = dict[str, Any]
Curves = Mapping[str, Sequence[Point]]


def data_of(curve: str, points: Sequence[Point]) -> str:
    """What a curve was trained and tested on."""
    point = points[0]
    text = DATASETS[measures.dataset_of(curve)].ours
    if size := point.get("resolution"):
        text += f" at {size}x{size}"
    if count := point.get("training_images"):
        text += f", {count:,} training images"
    return text


def epochs_of(points: Sequence[Point]) -> str:
    """Epochs of dense training, pruning and retraining."""
    return " or ".join(dict.fromkeys(" + ".join(map(str, p["epochs"].values())) for p in points))


def accuracy_table(curves: Curves) -> str:
    """Changes of accuracy by pruning, ours and the paper's; networks without a record say so."""
    lines = [
        "| network | data | epochs | seeds | without | 30 % | 50 % | 70 % |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for network, title in TITLES.items():
        papers_data = DATASETS[PAPERS_DATASET[network]].title
        ours = {curve: p for curve, p in curves.items() if measures.network_of(curve) == network}
        for curve, points in ours.items():
            accuracy = measures.accuracy_of(points)
            cells = [f"{title}, ours", data_of(curve, points), epochs_of(points)]
            cells += [str(len({p["seed"] for p in points})), f"{accuracy[0]:.2%}"]
            cells += [
                f"{100 * (accuracy[s] - accuracy[0]):+.2f}" if s in accuracy else ""
                for s in SPARSITIES
            ]
            lines.append(f"| {' | '.join(cells)} |")
        if not any(measures.dataset_of(curve) == PAPERS_DATASET[network] for curve in ours):
            lines.append(f"| {title}, ours | {papers_data} | not trained | | | | | |")
        recipe = RECIPES[network]
        changes = [f"{change:+.2f}" for change in published.ACCURACY_CHANGE[title]]
        epochs = f"? + {recipe.pruning_epochs} + {recipe.retraining_epochs}"
        cells = [f"{title}, the paper", papers_data, epochs, "", "", *changes]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def difference(network: str, format: str, sparsity: float, sizes: Mapping[str, float]) -> float:
    """How much larger than the paper's our bytes a prunable weight are, as a fraction."""
    paper = published.FOOTPRINT[TITLES[network]][format][SPARSITIES.index(sparsity)]
    weights = published.WEIGHTS[TITLES[network]][0]
    return (sizes[format] / sizes["dense"]) / (paper / weights) - 1


def zeros_of(psr: float, weights: float) -> float:
    """The fraction of zeros: PSR takes two bytes for each non-zero and one for 256 weights."""
    return 1 - (psr - weights / 256) / 2 / weights


def sizes_table(curves: Curves, sizes: Mapping[str, Sizes]) -> str:
    """Differences of the bytes of trained weights from the paper's; those above 1.5 % are bold."""
    lines = [
        "| network | data | epochs | sparsity | zeros | zeros, paper | "
        + " | ".join(plots.label(format) for format in PAPERS)
        + " |",
        "|---|---|---|--:|--:|--:|" + "--:|" * len(PAPERS),
    ]
    for curve, points in curves.items():
        network = measures.network_of(curve)
        for sparsity in SPARSITIES:
            some = [of for (s, _), of in sizes[curve].items() if s == sparsity]
            if not some:
                continue
            mean = {f: sum(of[f] for of in some) / len(some) for f in some[0]}
            by = {format: difference(network, format, sparsity, mean) for format in PAPERS}
            title = TITLES[network]
            papers = papers_zeros(network, sparsity)
            zeros = zeros_of(mean["psr"], mean["dense"])
            row = [title, data_of(curve, points), epochs_of(points), f"{sparsity:.0%}"]
            lines.append(_row([*row, f"{zeros:.1%}", f"{papers:.1%}"], by))
            if differs(by) and papers > zeros:
                of_seeds = [p for p in points if p["sparsity"] == sparsity]
                alike = with_papers_zeros(network, of_seeds, sparsity)
                if alike:
                    row = [title, "the same weights, more zeros", "", f"{sparsity:.0%}"]
                    lines.append(_row([*row, f"{papers:.1%}", f"{papers:.1%}"], alike))
    return "\n".join(lines)


def _row(cells: list[str], by: Mapping[str, float]) -> str:
    texts = [f"{by[format]:+.1%}" for format in PAPERS]
    marked = [
        f"**{text}**" if abs(by[format]) > LARGEST_DIFFERENCE else text
        for format, text in zip(PAPERS, texts, strict=True)
    ]
    return f"| {' | '.join([*cells, *marked])} |"


def papers_zeros(network: str, sparsity: float) -> float:
    """The fraction of zeros in the paper's tensors."""
    title = TITLES[network]
    psr = published.FOOTPRINT[title]["psr"][SPARSITIES.index(sparsity)]
    return zeros_of(psr, published.WEIGHTS[title][0])


def differs(by: Mapping[str, float]) -> bool:
    """Whether the size in any format differs from the paper's by more than it should."""
    return max(map(abs, by.values())) > LARGEST_DIFFERENCE


def with_papers_zeros(
    network: str, points: Sequence[Point], sparsity: float
) -> dict[str, float] | None:
    """The differences if each of our tensors had as many zeros as the paper's; None without files.

    Its smallest weights are the additional zeros.
    """
    point = next((p for p in points if "tflite" in p), None)
    if point is None or not (measures.RESULTS / point["tflite"]).exists():
        return None
    tensors = measures.pruned_tensors(point, network)
    more = measures.with_zeros(tensors, papers_zeros(network, sparsity))
    sizes = {
        format: sum(sp.pack(values, format).payload_nbytes for values in more)
        for format in (*PAPERS, "dense")
    }
    return {format: difference(network, format, sparsity, sizes) for format in PAPERS}


def write(tables: Mapping[str, str], document: Path = DOCUMENT) -> None:
    """Put tables between their markers, such as <!-- accuracy --> and <!-- /accuracy -->."""
    text = document.read_text()
    for name, table in tables.items():
        replaced = markers.replaced(text, name, table)
        if replaced is None:
            raise ValueError(f"{document} has no markers of {name}")
        text = replaced
    document.write_text(text)
