# SPDX-License-Identifier: Apache-2.0
"""The work of `stridepack sweep`: what a model takes with certain options."""

import dataclasses
import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from stridepack.files.read import read_weights
from stridepack.files.spk import write_bundle
from stridepack.plan.options import AUTO
from stridepack.plan.rules import SMALL
from stridepack.plan.smallest import plan
from stridepack.shrink import read_data, shrink
from stridepack.sweep.points import Point, key_of
from stridepack.sweep.remote import fetched, joined, name_of, write
from stridepack.tensor import WeightTensor


def measure(point: Point) -> dict[str, Any]:
    """Pack a model as a .spk file and say how large it is.

    Parameters
    ----------
    point : mapping
        "model" : address of any file that `stridepack pack` reads.
        "format", "tile", "min_size" : as there.
        "sparsity" : zero the smallest weights first, so that each tensor of at least 2,048
        elements has this share of zeros. Nothing is trained: only sizes follow from it.
        "flash", "data" : shrink the model to so many bytes first, with the samples of that address.
        "keep" : a folder for the packed file.

    Returns
    -------
    dict
        "nbytes" : of the .spk file. "dense_nbytes" : of the weights. "sparsity" : of all weights.
        "formats" : how many tensors have which format. "accuracy", "accuracy_before" or
        "agreement" : of a shrunk model, on the samples that were held back. "file" : what was kept.
    """
    with tempfile.TemporaryDirectory(prefix="stridepack-") as folder:
        return _measured(point, Path(folder))


def _measured(point: Point, folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    with fetched(point["model"]) as model:
        if "flash" in point:
            shrunk, result = _shrunk(model, point, folder)
            tensors = read_weights(shrunk)
        else:
            tensors = read_weights(model)
    if "sparsity" in point:
        tensors = [pruned(tensor, point["sparsity"]) for tensor in tensors]
    choices = plan(
        tensors,
        point.get("format", AUTO),
        tile=point.get("tile"),
        min_size=point.get("min_size", 0),
    )
    file = folder / "packed.spk"
    nbytes = write_bundle(file, {choice.tensor.name: choice.packed for choice in choices})
    formats: dict[str, int] = {}
    for choice in choices:
        formats[choice.packed.format] = formats.get(choice.packed.format, 0) + 1
    size = sum(tensor.size for tensor in tensors)
    result |= {
        "nbytes": nbytes,
        "dense_nbytes": size,
        "sparsity": round(1 - sum(tensor.n_non_zero for tensor in tensors) / max(1, size), 6),
        "formats": formats,
    }
    if "keep" in point:
        of_point = hashlib.sha256(key_of(point).encode()).hexdigest()[:12]
        name = f"{Path(name_of(point['model'])).stem}-{of_point}.spk"
        result["file"] = joined(point["keep"], name)
        write(result["file"], file.read_bytes())
    return result


def _shrunk(model: Path, point: Point, folder: Path) -> tuple[Path, dict[str, Any]]:
    """A smaller model, and how good it is."""
    with fetched(point["data"]) as data:
        inputs, labels = read_data(data)
    shrunk = shrink(model, inputs, labels, flash=point["flash"])
    file = folder / "shrunk.tflite"
    file.write_bytes(shrunk.model)
    after = shrunk.after.quality
    quality: dict[str, float | None] = {"agreement": after.agreement}
    if labels is not None:
        quality |= {"accuracy": after.accuracy, "accuracy_before": shrunk.before.quality.accuracy}
    return file, {name: round(value, 6) for name, value in quality.items() if value is not None}


def pruned(tensor: WeightTensor, sparsity: float) -> WeightTensor:
    """The tensor with this share of zeros at least: the smallest magnitudes, the first of equals.

    Small tensors stay as they are, as when a network is pruned.
    """
    n_zeros = round(sparsity * tensor.size)
    if tensor.size < SMALL or n_zeros <= tensor.size - tensor.n_non_zero:
        return tensor
    values = tensor.values.copy()
    flat = values.reshape(-1)
    magnitude = np.abs(flat.astype(np.int16))
    flat[np.argsort(magnitude, kind="stable")[:n_zeros]] = 0
    return dataclasses.replace(tensor, values=values)
