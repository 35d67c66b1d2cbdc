# SPDX-License-Identifier: Apache-2.0
"""Bytes against decoding time: every format on networks, beside what others make of them.

    python bench/frontier.py              # after `python bench/m55/run.py`; a few minutes

Bytes a weight are those of whole blobs, headers included, on tensors of at least 2048 weights;
cycles are the estimate of bench/m55 for a Cortex-M55 with Helium. H0 is the zero-order entropy of
the values, zeros included, tables not counted: no code that looks at one weight at a time is
smaller. Networks are not pruned, pruned, and shrunk; two sets of Gaussian weights are beside them.
Others, by size alone: what Arm's Ethos-U NPUs decode in hardware (mlw_codec of ethos-u-vela), zstd
at level 19, brotli at level 11, and NNC (the best of what nnc.py tries), tensor by tensor, without
headers.

Writes bench/results/frontier.json and docs/frontier.png. Needs `pip install 'stridepack[peers]'`;
NNC is left out unless `pip install --no-deps nncodec` was run, too.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import counts
import nnc
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import stridepack as sp
from stridepack.tensor import WeightTensor

sys.path.insert(0, str(Path(__file__).parent / "m55"))
import matplotlib.pyplot as plt
import plots
import workloads

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results/frontier.json"
ROOT = HERE.parent
FIGURE = ROOT / "docs/frontier.png"
MODELS = (ROOT / "examples", ROOT / "experiments/results", ROOT.parent / "shared/data/models")

SHOWN = {  # workload of bench/m55, sparsity of a synthetic one -> title
    ("resnet8", 0.5): "ResNet8's shapes, Gaussian, 50 % zeros",
    ("resnet8", 0.7): "ResNet8's shapes, Gaussian, 70 % zeros",
    ("resnet8_cifar10_00_seed1", None): "ResNet8, CIFAR-10, not pruned",
    ("mlperf_tiny_ad01_int8", None): "MLPerf Tiny's anomaly detection, not pruned",
    ("kws_dscnn_sparse_l_70", None): "DS-CNN-L, keyword spotting, 70 % pruned",
    ("mobilenetv2_cifar10_sparse80", None): "MobileNetV2, CIFAR-10, 80 % pruned",
    ("mlperf_tiny_vww_96_int8", None): "MLPerf Tiny's person detection",
    ("resnet8_cifar10_00_seed1_shrink_20500", None): "ResNet8, CIFAR-10, shrunk",
    ("resnet8_cifar10_70_seed1_shrink_16500", None): "ResNet8, CIFAR-10, 70 % pruned and shrunk",
}


def peers() -> dict[str, Callable[[np.ndarray], int]]:
    """Bytes that each of the others makes of an int8 tensor; NNC only where it is installed."""
    try:
        import brotli
        import zstandard
        from ethosu import mlw_codec
    except ImportError as error:
        raise click.ClickException(f"{error}: pip install 'stridepack[peers]'") from error
    level_19 = zstandard.ZstdCompressor(level=19, write_checksum=False, write_content_size=False)
    encode_nnc = nnc.encoder()
    return {
        "mlw_codec": lambda values: len(mlw_codec.encode(values.reshape(-1).tolist())),
        "zstd": lambda values: len(level_19.compress(values.tobytes())),
        "brotli": lambda values: len(brotli.compress(values.tobytes(), quality=11)),
        **({"NNC": encode_nnc} if encode_nnc else {}),
    }


def tensors_of(workload: str, sparsity: float | None) -> list[np.ndarray] | None:
    """Those that bench/m55 decoded; None for a model that is not at hand."""
    if sparsity is not None:
        for synthetic in workloads.synthetic(0):
            if (synthetic.name, synthetic.sparsity) == (workload, sparsity):
                return list(synthetic.tensors.values())
    for path in (folder / f"{workload}.tflite" for folder in MODELS):
        if path.exists():
            return list(workloads.model(path, 2**30).tensors.values())
    return None


def measure(workload: str, sparsity: float | None) -> dict[str, Any] | None:
    """What is shown of a workload; None where the model, or bench/m55's count of it, is missing."""
    tensors = tensors_of(workload, sparsity)
    records = [
        record
        for record in counts.records(workload, "helium")
        if sparsity in (None, record["sparsity"])
    ]
    if not records or tensors is None:
        return None
    n = sum(t.size for t in tensors)
    if records[0]["weights"] != n:
        raise click.ClickException(
            f"{workload}: bench/m55 has {records[0]['weights']:,} weights, this model {n:,}"
        )
    return {
        "workload": workload,
        "sparsity": sparsity if sparsity is not None else records[0]["sparsity"],
        "title": SHOWN[workload, sparsity],
        "weights": n,
        "entropy_nbytes": round(sum(WeightTensor("", t).entropy_nbytes for t in tensors)),
        "formats": {
            record["format"]: {
                "nbytes": record["blob_bytes"],
                "cycles_per_weight": record["cycles_per_weight"],
                "instructions_per_weight": record["instructions_per_weight"],
            }
            for record in records
        },
        "peers": {
            name: sum(encode(np.ascontiguousarray(t)) for t in tensors)
            for name, encode in peers().items()
        },
    }


def draw(entries: list[dict[str, Any]], file: Path) -> None:
    """A panel for each workload: formats as points, entropy and peers as levels."""
    figure, axes = plt.subplots(3, 3, figsize=(12, 10.5))
    for panel, entry in zip(axes.flat, entries, strict=False):
        n = entry["weights"]
        points = {
            name: (0.0 if name == "dense" else of["cycles_per_weight"], of["nbytes"] / n)
            for name, of in entry["formats"].items()
        }
        best = [
            point
            for point in points.values()
            if not any(x <= point[0] and y < point[1] for x, y in points.values())
        ]
        panel.step(*zip(*sorted(best), strict=True), where="post", color="#BBBBBB", linewidth=1)
        for name, point in points.items():
            panel.plot(*point, **plots.style(name) | {"markersize": 7, "linestyle": ""})
        levels = {name: nbytes / n for name, nbytes in entry["peers"].items()}
        levels["H0"] = entry["entropy_nbytes"] / n
        bottom, top = levels["H0"] - 0.1, max(y for _, y in points.values()) + 0.05
        panel.set_ylim(bottom, top)
        panel.axhline(levels["H0"], color="#777777", linestyle=":")
        text = bottom
        for name, level in sorted(levels.items(), key=lambda item: item[1]):
            text = max(level, text + (top - bottom) * 0.055)  # no label on another one
            panel.annotate(
                f"{name} {level:.3f}",
                xy=(1, level),
                xytext=(1.06, text),
                xycoords=("axes fraction", "data"),
                textcoords=("axes fraction", "data"),
                verticalalignment="center",
                fontsize=8,
                arrowprops={
                    "arrowstyle": "-",
                    "color": "#777777",
                    "linewidth": 0.7,
                    "relpos": (0, 0.5),
                    "shrinkA": 1,
                    "shrinkB": 0,
                },
            )
        panel.set_xlim(left=0 - panel.get_xlim()[1] * 0.02)
        panel.set_title(entry["title"], fontsize=9, loc="left")
        panel.set_xlabel("estimated cycles a weight, Helium")
        panel.set_ylabel("bytes a weight")
    for panel in axes.flat[len(entries) :]:
        panel.set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels))
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    plots.save(figure, file)


@click.command(help=__doc__)
def main() -> None:
    entries = []
    console = Console(width=130)
    for workload, sparsity in track(SHOWN, console=console, transient=True):
        if entry := measure(workload, sparsity):
            entries.append(entry)
        else:
            folders = ", ".join(str(folder) for folder in MODELS)
            console.print(f"left out: {workload}: not in {folders}, or not in {counts.RESULTS}")
    if nnc.encoder() is None:
        console.print(f"left out: NNC: {nnc.MISSING}")
    for entry in entries:
        n = entry["weights"]
        table = Table("", "bytes a weight", "of H0", "instr.", "est. cycles", title=entry["title"])
        for name, of in entry["formats"].items():
            table.add_row(
                *(name, f"{of['nbytes'] / n:.3f}", f"{of['nbytes'] / entry['entropy_nbytes']:.3f}"),
                *(f"{of['instructions_per_weight']:.2f}", f"{of['cycles_per_weight']:.2f}"),
            )
        for name, nbytes in entry["peers"].items():
            table.add_row(name, f"{nbytes / n:.3f}", f"{nbytes / entry['entropy_nbytes']:.3f}")
        console.print(table)
    RESULTS.write_text(json.dumps(entries, indent=1) + "\n")
    draw(entries, FIGURE)
    console.print(f"wrote {RESULTS} and {FIGURE}, of {', '.join(sp.formats())}")


if __name__ == "__main__":
    main()
