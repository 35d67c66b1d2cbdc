# SPDX-License-Identifier: Apache-2.0
"""The paper's tables and figures from committed results, ours and the peers' beside the paper's.

    python -m experiments.paper          # or: make paper

Reads experiments/results (trained models, sizes of initial weights) and bench/m55/results.json.
Writes table1.md, fig5.png to fig11.png and the data of each as JSON to experiments/results/paper.
Also writes the tables of docs/paper.md. experiments/table1.py and experiments/tables.py make them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import counts, published
from bench.published import SPARSITIES
from experiments import figures, measures, table1, tables
from experiments.data import DATASETS
from experiments.measures import POST_TRAINING, RESULTS, TRAINED, Sizes, Weights
from experiments.networks import TITLES

OUTPUT = RESULTS / "paper"
THETAS = (0.5, 0.8, 1.0)
SHOWN = 0.3, 0.7  # sparsities at which the paper compares thresholds and decodes

Point = dict[str, Any]


def write(name: str, data: Any) -> None:
    (OUTPUT / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")


# --- figures 5 and 6 ------------------------------------------------------------------------------


def suffix_of(curve: str) -> str:
    """What the names of the figures of a curve end with."""
    return {"resnet8_cifar10": "", "mobilenetv2_cifar10": "_mobilenetv2"}.get(curve, f"_{curve}")


def tensors_of(curve: str, points: Sequence[Point]) -> dict[float, list[Weights]]:
    """The pruned weights of the first seed of a curve by their sparsity, where files are here."""
    seed = min(p["seed"] for p in points)
    return {
        p["sparsity"]: measures.pruned_tensors(p, measures.network_of(curve))
        for p in points
        if p["seed"] == seed and (RESULTS / p["tflite"]).exists()
    }


def figure_5_and_6(curve: str, points: Sequence[Point], sizes: Sizes) -> None:
    network = measures.network_of(curve)
    accuracy = measures.accuracy_of(points)
    formats = [f for f in next(iter(sizes.values())) if f != "dense"]
    dense = measures.sizes_by_sparsity(sizes, "dense")
    packed = {
        f: {s: size for s, size in measures.sizes_by_sparsity(sizes, f).items() if s > 0}
        for f in formats
    }
    compression = {f: {s: dense[s] / size for s, size in of.items()} for f, of in packed.items()}
    spread: dict[float, list[float]] = {}
    for point in points:
        spread.setdefault(point["sparsity"], []).append(point["accuracy"])
    fronts = {f: [(size, accuracy[s]) for s, size in of.items()] for f, of in packed.items()}
    changes = published.ACCURACY_CHANGE[TITLES[network]]
    title = f"{TITLES[network]} on {DATASETS[measures.dataset_of(curve)].ours}"
    if size := points[0].get("resolution"):
        title += f" at {size}x{size}"
    suffix = suffix_of(curve)
    figures.accuracy_and_compression(
        OUTPUT / f"fig5{suffix}.png",
        title,
        accuracy=accuracy,
        spread=spread,
        baseline=accuracy[0],
        paper={
            s: accuracy[0] + change / 100 for s, change in zip(SPARSITIES, changes, strict=True)
        },
        compression=compression,
    )
    figures.pareto(OUTPUT / f"fig6{suffix}.png", title, fronts, (dense[0], accuracy[0]))
    data = {"accuracy": accuracy, "spread": spread, "compression": compression, "fronts": fronts}
    write(f"fig5_6{suffix}", data)


def figure_6_shrink(network: str, curve: str) -> None:
    """Sizes and accuracies of what `shrink` and training on the grid made of a curve's networks."""
    dense = {p["seed"]: p["accuracy"] for p in measures.points(curve) if not p["sparsity"]}

    def mean(points: Sequence[Point], size: Callable[[Point], float]) -> list[tuple[float, float]]:
        """Mean bytes and change of accuracy over the seeds of each setting, by size."""
        groups: dict[tuple[Any, Any], list[tuple[float, float]]] = {}
        for p in points:
            change = 100 * (p["accuracy"] - dense[p["seed"]])
            groups.setdefault((p["sparsity"], p.get("flash")), []).append((size(p), change))
        means = (
            (np.mean(x), np.mean(y)) for x, y in (zip(*g, strict=True) for g in groups.values())
        )
        return sorted((float(x), round(float(y), 3)) for x, y in means)

    def smallest(point: Point) -> float:
        return measures.smallest(measures.pruned_tensors(point, network))

    lossless = [p for p in measures.points(curve) if p["seed"] in dense]
    changes = published.ACCURACY_CHANGE[TITLES[network]]
    footprints = published.FOOTPRINT[TITLES[network]]["hybrid"]
    curves = {
        "lossless: smallest format": mean(lossless, smallest),
        "paper: pruned, hybrid": sorted(zip(footprints, changes, strict=True)),
    }
    shrunk = measures.points(f"{curve}_shrink")
    for sparsity in sorted({p["sparsity"] for p in shrunk if p["method"] == POST_TRAINING}):
        start = f"{sparsity:.0%} pruned" if sparsity else "not pruned"
        some = [p for p in shrunk if (p["method"], p["sparsity"]) == (POST_TRAINING, sparsity)]
        curves[f"shrink, {start}"] = mean(some, smallest)
    trained = [p for p in shrunk if p["method"] == TRAINED]
    if trained:
        curves[TRAINED] = mean(trained, smallest)
    title = f"{TITLES[network]} on {DATASETS[measures.dataset_of(curve)].ours}"
    figures.size_and_accuracy(OUTPUT / "fig6_shrink.png", title, curves)
    write("fig6_shrink", curves)


# --- figures 7 and 8 ------------------------------------------------------------------------------


def figure_7() -> None:
    bars = {s: measures.decode_cycles_by_tensor(s) for s in SHOWN}
    for formats in bars.values():
        del formats["dense"]
    figures.decode_per_tensor(OUTPUT / "fig7.png", bars)
    write("fig7", bars)


def figure_8() -> None:
    cycles: dict[str, dict[float, float]] = {}
    for record in counts.records("resnet8", "helium"):
        if record["format"] != "dense":
            total = record["cycles_per_weight"] * record["weights"]
            cycles.setdefault(record["format"], {})[record["sparsity"]] = total
    paper = {
        f: dict(zip(SPARSITIES, values, strict=True))
        for f, values in published.CYCLES_RESNET8.items()
    }
    figures.decode_over_sparsity(OUTPUT / "fig8.png", cycles, paper)
    write("fig8", {"estimated_cycles": cycles, "paper_measured_cycles": paper})


# --- figures 9 to 11 ------------------------------------------------------------------------------


def figure_9(tensors: dict[float, list[Weights]], suffix: str) -> None:
    names = [*map(str, measures.GROUP_SIZES), "remainder"]
    shares: dict[str, dict[float, float]] = {name: {} for name in names}
    for sparsity, some in tensors.items():
        counts = measures.grouped(some)
        n = sum(counts[name] for name in names)
        for name in names:
            shares[name][sparsity] = counts[name] / n
    figures.groups_and_remainder(OUTPUT / f"fig9{suffix}.png", shares)
    write(f"fig9{suffix}", {"shares": shares, "paper_grouped_at_0.3": published.GROUPED_AT_30})


def figure_10(tensors: dict[float, list[Weights]], suffix: str) -> None:
    histograms, within = {}, {}
    for sparsity in (s for s in SPARSITIES if s in tensors):
        counts = measures.residuals(tensors[sparsity])
        n = sum(counts.values())
        histograms[f"sparsity {sparsity:.0%}"] = {e: count / n for e, count in counts.items()}
        within[sparsity] = sum(count for e, count in counts.items() if -8 <= e <= 7) / n
    figures.residual_histogram(OUTPUT / f"fig10{suffix}.png", histograms)
    write(f"fig10{suffix}", {"histograms": histograms, "share_of_four_bits": within})


def figure_11(tensors: dict[float, list[Weights]]) -> None:
    effects = {
        s: {theta: measures.occupancy_effect(tensors[s], theta) for theta in THETAS} for s in SHOWN
    }
    figures.occupancy(OUTPUT / "fig11.png", effects)
    write("fig11", effects)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.parse_args()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    curves: dict[str, tuple[Sequence[Point], Sizes]] = {}
    for curve, network in measures.curves().items():
        points = measures.points(curve)
        sizes = {(p["sparsity"], p["seed"]): measures.sizes_of(p, network) for p in points}
        curves[curve] = points, sizes
        sparsities = {p["sparsity"] for p in points}
        if 0 in sparsities and len(sparsities) > 2:
            figure_5_and_6(curve, points, sizes)
    figure_6_shrink("resnet8", "resnet8_cifar10")
    figure_7()
    figure_8()
    for curve, (points, _) in curves.items():
        tensors = tensors_of(curve, points)
        if len(set(SPARSITIES) & set(tensors)) > 1:
            suffix = suffix_of(curve)
            figure_9(tensors, suffix)
            figure_10(tensors, suffix)
            if curve == "resnet8_cifar10":  # as in the paper
                figure_11(tensors)
    (OUTPUT / "table1.md").write_text(table1.text(curves))
    points_of = {curve: points for curve, (points, _) in curves.items()}
    sizes_of = {curve: sizes for curve, (_, sizes) in curves.items()}
    accuracies = tables.accuracy_table(points_of)
    tables.write({"accuracy": accuracies, "trained-sizes": tables.sizes_table(points_of, sizes_of)})
    print(f"wrote {', '.join(sorted(f.name for f in Path(OUTPUT).iterdir()))} to {OUTPUT}")


if __name__ == "__main__":
    main()
