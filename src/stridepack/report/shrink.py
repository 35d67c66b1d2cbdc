# SPDX-License-Identifier: Apache-2.0
"""`shrink`: what became of each tensor, and what the result is worth."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from stridepack.report.tables import new_table, ratio
from stridepack.report.text import escape
from stridepack.shrink import Point, ShrinkResult
from stridepack.shrink.tensors import TOO_SMALL

_FILES = {"spk": "a .spk file", "tflite": "a .tflite for TensorFlow Lite Micro"}


def shrink_table(result: ShrinkResult) -> Table:
    """Tensor, step, zeros, bytes before and after, share of the error."""
    headings = ("step", "zeros before", "zeros", "bytes before", "bytes", "share of the error")
    table = new_table(None, "tensor", headings)
    for tensor in result.tensors:
        table.add_row(
            escape(tensor.name),
            "-" if tensor.step == 1 else f"{tensor.step:g}",
            ratio(tensor.n_zeros_before, tensor.n_elements),
            ratio(tensor.n_zeros, tensor.n_elements),
            f"{tensor.nbytes_before:,}",
            f"{tensor.nbytes:,}",
            "-" if tensor.step == 1 else f"{tensor.error_share:.0%}",
        )
    table.add_section()
    n = sum(tensor.n_elements for tensor in result.tensors)
    table.add_row(
        f"total of {len(result.tensors)}",
        "",
        ratio(sum(tensor.n_zeros_before for tensor in result.tensors), n),
        ratio(sum(tensor.n_zeros for tensor in result.tensors), n),
        f"{sum(tensor.nbytes_before for tensor in result.tensors):,}",
        f"{sum(tensor.nbytes for tensor in result.tensors):,}",
        "",
        style="bold",
    )
    return table


def shrink_sentences(result: ShrinkResult) -> Iterator[str]:
    """What stayed as it is, and the figures of the whole model."""
    for tensor in result.tensors:
        if tensor.note not in ("", TOO_SMALL):
            yield f"{tensor.name} stays as it is, because {tensor.note}."
    before, after = result.before, result.after
    yield (
        f"Packed into {_FILES[result.packed_as]} it takes {after.nbytes:,} bytes, "
        f"{ratio(after.nbytes, before.nbytes)} of {before.nbytes:,} before."
    )
    yield (
        f"On {result.n_held_back:,} samples that were held back: {quality_text(after)}. "
        f"{result.n_calibration:,} others calibrated it."
    )
    if before.quality.accuracy is not None:
        yield f"The original model has {before.quality.accuracy:.2%} accuracy on them."
    for what, point in (("smaller", result.smaller), ("larger", result.larger)):
        if point is not None:
            yield f"The next {what} plan takes {point.nbytes:,} bytes: {quality_text(point)}."


def shrink_report(result: ShrinkResult) -> dict[str, Any]:
    """The same for --json and for `--curve FILE.json`; `report --shrink` shows it.

    A signal-to-noise ratio is None where the outputs are those of the original model.
    """
    beside = {"smaller": result.smaller, "larger": result.larger}
    return {
        "packed_as": result.packed_as,
        "calibration": result.n_calibration,
        "held_back": result.n_held_back,
        "before": _record(result.before),
        "after": _record(result.after),
        **{name: None if point is None else _record(point) for name, point in beside.items()},
        "tensors": [asdict(tensor) for tensor in result.tensors],
        "layers": [tensor.name for tensor in result.tensors if not tensor.note],
        "points": [_record(point) for point in result.curve],
    }


def _record(point: Point) -> dict[str, Any]:
    quality = point.quality
    return {
        "nbytes": point.nbytes,
        "steps": list(point.steps),
        "snr": None if math.isinf(quality.snr) else quality.snr,
        "agreement": quality.agreement,
        "accuracy": quality.accuracy,
    }


def quality_text(point: Point) -> str:
    """Such as: 82.10% accuracy, 96.48% of the classes unchanged, 20.2 dB."""
    quality = point.quality
    parts = []
    if quality.accuracy is not None:
        parts.append(f"{quality.accuracy:.2%} accuracy")
    if quality.agreement is not None:
        parts.append(f"{quality.agreement:.2%} of the classes unchanged")
    snr = "outputs unchanged" if math.isinf(quality.snr) else f"{quality.snr:.1f} dB of the outputs"
    return ", ".join([*parts, snr])
