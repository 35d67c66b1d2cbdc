# SPDX-License-Identifier: Apache-2.0
"""The paper's figures, each a function from data to a PNG file. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench import plots

Curve = Mapping[float, float]  # by sparsity

PAPERS = ("hybrid", "rle", "dcsr", "psr")


def _style(format: str) -> dict[str, Any]:
    if format == "entropy_bound":
        return {"color": "#777777", "linestyle": ":", "label": "entropy bound"}
    return plots.style(format)


def _percent(axes: Axes, which: str = "x", digits: int = 0) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.{digits}%}"))


def _log(axes: Axes) -> None:
    """A logarithmic y axis whose labels are numbers as people write them."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _save(figure: Figure, file: Path) -> None:
    figure.tight_layout()
    plots.save(figure, file)


def accuracy_and_compression(
    file: Path,
    title: str,
    *,
    accuracy: Curve,
    spread: Mapping[float, Sequence[float]],
    baseline: float,
    paper: Curve,
    compression: Mapping[str, Curve],
) -> None:
    """Fig. 5: accuracy of the int8 model, and dense size over packed size, against sparsity.

    `paper` holds the paper's changes of accuracy, added to our baseline.
    """
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(5.5, 6), sharex=True)
    top.plot(list(accuracy), list(accuracy.values()), color="black", marker="o", markersize=4)
    for sparsity, values in spread.items():
        top.plot([sparsity] * len(values), values, color="black", marker=".", alpha=0.4, ls="")
    top.plot(
        list(paper), list(paper.values()), "s", color="#D55E00", mfc="none", label="paper's change"
    )
    top.axhline(baseline, color="#777777", ls=":", label="dense")
    top.axhline(baseline - 0.01, color="#777777", ls="--", label="dense - 1 point")
    top.set_ylabel("accuracy, int8, test images")
    top.set_title(title, fontsize=9)
    _percent(top, "y", 1)
    top.legend(loc="lower left")
    for format, curve in compression.items():
        bottom.plot(list(curve), list(curve.values()), **_style(format))
    bottom.axhline(1, color="#777777", lw=0.8)
    bottom.set_ylim(0.4, 4)
    bottom.set_ylabel("compression rate (dense / packed)")
    bottom.set_xlabel("sparsity")
    _percent(bottom)
    bottom.legend(ncols=2)
    _save(figure, file)


def pareto(
    file: Path, title: str, fronts: Mapping[str, Sequence[tuple[float, float]]], dense: Any
) -> None:
    """Fig. 6: accuracy against the size of the packed weights; `fronts` holds (bytes, accuracy)."""
    figure, axes = plt.subplots(figsize=(5.5, 4))
    for format, front in fronts.items():
        axes.plot([x / 1000 for x, _ in front], [y for _, y in front], **_style(format))
    axes.axvline(dense[0] / 1000, color="#777777", ls=":")
    axes.axhline(dense[1], color="#777777", ls=":")
    axes.set_xlabel("prunable weights, packed (kB = 1000 bytes)")
    axes.set_ylabel("accuracy, int8, test images")
    axes.set_title(title, fontsize=9)
    _percent(axes, "y", 1)
    axes.legend(loc="lower right")
    _save(figure, file)


def size_and_accuracy(
    file: Path, title: str, curves: Mapping[str, Sequence[tuple[float, float]]]
) -> None:
    """Fig. 6 with what changes the weights: `curves` hold (bytes, change of accuracy in points)."""
    figure, axes = plt.subplots(figsize=(5.5, 4))
    looks = zip(plots.LOOKS.values(), curves.items(), strict=False)
    for (color, marker), (name, curve) in looks:
        x, y = [nbytes / 1000 for nbytes, _ in curve], [change for _, change in curve]
        axes.plot(x, y, color=color, marker=marker, markersize=4, lw=1.3, label=name)
    axes.axhline(0, color="#777777", ls=":")
    axes.axhline(-1, color="#777777", ls="--")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("prunable weights, packed (kB = 1000 bytes)")
    axes.set_ylabel("accuracy against the dense network, points")
    axes.set_title(title, fontsize=9)
    axes.legend(loc="lower right")
    _save(figure, file)


def size_and_error(file: Path, curves: Mapping[str, Mapping[str, Any]]) -> None:
    """Error of the outputs, and samples that keep their class, against the packed size.

    `curves` hold the points of each model, the untouched model first.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    looks = zip(plots.LOOKS.values(), curves.items(), strict=False)
    for (color, marker), (title, curve) in looks:
        before, *points = curve["points"]
        style = {"color": color, "marker": marker, "markersize": 4, "lw": 1.3}
        size = [p["spk_nbytes"] / before["spk_nbytes"] for p in points]
        label = f"{title}: {before['spk_nbytes'] / 1000:.0f} kB"
        left.plot(size, [p["snr"] for p in points], label=label, **style)
        if before["agreement"] is not None:
            right.plot(size, [p["agreement"] for p in points], **style)
    for axes in (left, right):
        _percent(axes)
        axes.set_xlabel("packed size after shrink, of that without it")
    _percent(right, "y", digits=1)
    left.set_ylabel("signal-to-noise ratio of the outputs, dB")
    right.set_ylabel("samples that keep their class")
    left.legend(loc="upper left", fontsize=7)
    figure.suptitle("Inputs that were made for this, no labels", fontsize=9)
    _save(figure, file)


def decode_per_tensor(file: Path, bars: Mapping[float, Mapping[str, Mapping[str, float]]]) -> None:
    """Fig. 7: estimated cycles for each tensor; `bars[sparsity][format][tensor]`."""
    figure, panels = plt.subplots(1, len(bars), figsize=(9, 3.6), sharey=True)
    for axes, (sparsity, formats) in zip(panels, bars.items(), strict=True):
        width = 0.8 / len(formats)
        for i, (format, cycles) in enumerate(formats.items()):
            x = [j + (i - (len(formats) - 1) / 2) * width for j in range(len(cycles))]
            color = plots.color(format)
            axes.bar(x, list(cycles.values()), width, color=color, label=plots.label(format))
            axes.set_xticks(range(len(cycles)), list(cycles), rotation=25, ha="right")
        _log(axes)
        axes.set_title(f"sparsity {sparsity:.0%}", fontsize=9)
    panels[0].set_ylabel("estimated cycles")
    panels[0].legend(ncols=2, fontsize=8)
    _save(figure, file)


def decode_over_sparsity(
    file: Path, cycles: Mapping[str, Curve], paper: Mapping[str, Curve]
) -> None:
    """Fig. 8: estimated cycles for all of ResNet8; the paper's measured ones as open marks."""
    figure, axes = plt.subplots(figsize=(5.5, 4))
    for format, curve in cycles.items():
        axes.plot(list(curve), [c / 1000 for c in curve.values()], **_style(format))
    for format, curve in paper.items():
        style = _style(format) | {"label": None, "mfc": "none", "linestyle": ""}
        axes.plot(list(curve), [c / 1000 for c in curve.values()], **style)
    axes.plot([], [], color="#777777", marker="o", mfc="none", ls="", label="paper, board, DDR4")
    axes.set_xlabel("sparsity")
    axes.set_ylabel("kilocycles, six tensors (lines: estimated)")
    _log(axes)
    _percent(axes)
    axes.legend(ncols=2, fontsize=8)
    _save(figure, file)


def groups_and_remainder(file: Path, shares: Mapping[str, Curve]) -> None:
    """Fig. 9: share of the non-zeros in groups of each size and in the remainder."""
    figure, axes = plt.subplots(figsize=(6.5, 4))
    sparsities = [100 * s for s in next(iter(shares.values()))]
    shades = ["#08306b", "#2171b5", "#6baed6", "#c6dbef", "#bbbbbb"]
    labels = [f"groups of {n}" if n.isdigit() else n for n in shares]
    rows = [[100 * share for share in curve.values()] for curve in shares.values()]
    axes.stackplot(sparsities, rows, labels=labels, colors=shades)
    axes.set_xlabel("sparsity (%)")
    axes.set_ylabel("share of the non-zeros (%)")
    axes.set_ylim(0, 100)
    axes.set_xlim(min(sparsities), max(sparsities))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), reverse=True, fontsize=8)
    _save(figure, file)


def residual_histogram(file: Path, histograms: Mapping[str, Mapping[int, float]]) -> None:
    """Fig. 10: errors of the linear prediction; the shaded range fits four bits."""
    figure, panels = plt.subplots(1, len(histograms), figsize=(3 * len(histograms), 3), sharey=True)
    for axes, (name, histogram) in zip(panels, histograms.items(), strict=True):
        axes.bar(list(histogram), list(histogram.values()), width=1, color="#0072B2")
        axes.axvspan(-8.5, 7.5, color="#E69F00", alpha=0.15)
        axes.set_xlim(-24, 24)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("error (elements)")
    panels[0].set_ylabel("share of the non-zeros")
    _percent(panels[0], "y")
    _save(figure, file)


def occupancy(file: Path, effects: Mapping[float, Mapping[float, Any]]) -> None:
    """Fig. 11: bytes of non-zeros (dark) and overhead (light) by group size and threshold."""
    figure, panels = plt.subplots(1, len(effects), figsize=(9, 3.6), sharey=True)
    for axes, (sparsity, by_theta) in zip(panels, effects.items(), strict=True):
        width = 0.8 / len(by_theta)
        for i, (theta, effect) in enumerate(by_theta.items()):
            parts = effect["parts"]
            x = [j + (i - (len(by_theta) - 1) / 2) * width for j in range(len(parts))]
            non_zeros = [p["non_zeros"] / 1000 for p in parts.values()]
            overhead = [p["overhead"] / 1000 for p in parts.values()]
            color = f"C{i}"
            label = f"θ = {theta}: overhead {effect['overhead']:.0%}"
            axes.bar(x, non_zeros, width, color=color, label=label)
            axes.bar(x, overhead, width, bottom=non_zeros, color=color, alpha=0.4)
            axes.set_xticks(range(len(parts)), list(parts))
        axes.set_title(f"sparsity {sparsity:.0%}", fontsize=9)
        axes.set_xlabel("group size")
        axes.legend(fontsize=8)
    panels[0].set_ylabel("kB (1000 bytes)")
    _save(figure, file)
