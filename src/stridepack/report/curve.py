# SPDX-License-Identifier: Apache-2.0
"""`shrink --curve`: bytes against what is left of the outputs, as data or as a plot."""

import io
import json
import math
from pathlib import Path

from stridepack.errors import InputError, MissingDependencyError
from stridepack.report.shrink import shrink_report
from stridepack.shrink import ShrinkResult

_PLOTS = (".png", ".svg")


def check_curve_file(path: Path) -> None:
    """Refuse what `curve_file` could not write, before anything takes time.

    Raises
    ------
    InputError
        For another suffix.
    MissingDependencyError
        When matplotlib is needed and not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in (".json", *_PLOTS):
        raise InputError(
            f"{path}: this suffix cannot be written. Choose a name that ends in .json, .png or "
            ".svg."
        )
    if suffix in _PLOTS:
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError(
                "Plots need the package matplotlib. Install it with `pip install matplotlib`, or "
                "write a .json file."
            ) from error


def curve_file(path: Path, result: ShrinkResult) -> bytes:
    """The content of the file, by its suffix."""
    if path.suffix.lower() in _PLOTS:
        return _plot(result, path.suffix.lower()[1:])
    return (json.dumps(shrink_report(result), indent=2) + "\n").encode()


def _plot(result: ShrinkResult, kind: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "stridepack"  # the same file for the same result
    what, values = _vertical(result)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([point.nbytes / 1000 for point in result.curve], values, marker=".")
    axes.set_xlabel(f"kB of the packed file ({result.packed_as})")
    axes.set_ylabel(f"{what} on {result.n_held_back} samples held back")
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else {})
    return buffer.getvalue()


def _vertical(result: ShrinkResult) -> tuple[str, list[float]]:
    """What the plot shows: accuracy, else agreement, else the signal-to-noise ratio."""
    qualities = [point.quality for point in result.curve]
    accuracies = [q.accuracy for q in qualities if q.accuracy is not None]
    agreements = [q.agreement for q in qualities if q.agreement is not None]
    if len(accuracies) == len(qualities):
        return "accuracy in %", [100 * value for value in accuracies]
    if len(agreements) == len(qualities):
        return "unchanged classes in %", [100 * value for value in agreements]
    return "signal-to-noise ratio in dB", [
        q.snr if q.snr < math.inf else math.nan for q in qualities
    ]
