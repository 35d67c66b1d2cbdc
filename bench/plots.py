# SPDX-License-Identifier: Apache-2.0
"""How formats look in every figure, and how figures are saved."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

LABELS = {"rle": "RLE", "dcsr": "dCSR", "psr": "PSR", "rans": "rANS", "huffman": "Huffman"}
# Okabe and Ito's palette, told apart by colour-blind readers too
LOOKS = {
    "dense": ("#777777", "v"),
    "hybrid": ("#D55E00", "o"),
    "rle": ("#0072B2", "s"),
    "dcsr": ("#009E73", "^"),
    "psr": ("#CC79A7", "D"),
    "bitmap": ("#000000", "P"),
    "rans": ("#E69F00", "X"),
    "huffman": ("#56B4E9", "*"),
}
OTHERS = ("#F0E442", "p")

plt.rcParams.update(
    {
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.size": 9,
        "grid.alpha": 0.3,
        "legend.frameon": False,
        "savefig.dpi": 150,
    }
)


def label(format: str) -> str:
    """Its name in figures."""
    return LABELS.get(format, format)


def color(format: str) -> str:
    """Its colour in figures."""
    return LOOKS.get(format, OTHERS)[0]


def style(format: str) -> dict[str, Any]:
    """Keywords of Axes.plot."""
    look = dict(zip(("color", "marker"), LOOKS.get(format, OTHERS), strict=True))
    return look | {"markersize": 4, "label": label(format), "linewidth": 1.3}


def save(figure: Figure, file: Path) -> None:
    """Write a PNG, and close the figure."""
    # no version and date of matplotlib inside, so that the same figure is the same file
    figure.savefig(file, metadata={"Software": None})
    plt.close(figure)
