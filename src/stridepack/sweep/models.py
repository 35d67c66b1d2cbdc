# SPDX-License-Identifier: Apache-2.0
"""The work of `stridepack sweep`: what a model takes with certain options."""

import dataclasses
import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from stridepack.errors import BudgetError, InputError
from stridepack.files.job import Stored
from stridepack.files.pack import pack_file
from stridepack.files.read import read_weights
from stridepack.files.spk import write_bundle
from stridepack.plan.options import AUTO
from stridepack.plan.rules import SMALL
from stridepack.plan.smallest import plan
from stridepack.shrink import read_data, shrink
from stridepack.sweep.points import Point, key_of
from stridepack.sweep.remote import fetched, joined, name_of, put
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
        Not with "sparsity".
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
    file = folder / "packed.spk"
    if "flash" in point and "sparsity" in point:
        raise InputError(
            "`sparsity` and `flash` do not go together. The quality of a shrunk model would be "
            "told of one whose weights were set to zero afterwards. Sweep them one after the other."
        )
    with fetched(point["model"]) as model:
        if "flash" in point:
            shrunk, result = _shrunk(model, point, folder)
            stored = _packed(shrunk, file, point)
        else:
            stored = _packed(model, file, point)
    nbytes = file.stat().st_size
    if nbytes > point.get("flash", nbytes):
        raise BudgetError(
            f"`flash={point['flash']}` is exceeded. The model was shrunk to so many bytes for the "
            f"default options of `pack`, and with those of this point it takes {nbytes:,} bytes, "
            f"which is {nbytes - point['flash']:,} more. Allow that much, or leave the others out.",
            flash=point["flash"],
        )
    size = sum(one.tensor.size for one in stored)
    n_non_zero = sum(one.tensor.n_non_zero for one in stored)
    result |= {
        "nbytes": nbytes,
        "dense_nbytes": size,
        "sparsity": round(1 - n_non_zero / max(1, size), 6),
        "formats": dict(Counter(one.format for one in stored)),
    }
    if "keep" in point:
        of_point = hashlib.sha256(key_of(point).encode()).hexdigest()[:12]
        name = f"{Path(name_of(point['model'])).stem}-{of_point}.spk"
        result["file"] = joined(point["keep"], name)
        put(file, result["file"])
    return result


def _packed(model: Path, file: Path, point: Point) -> list[Stored]:
    """Write the packed file. A .safetensors file that is packed as it is streams through."""
    options: dict[str, Any] = {"tile": point.get("tile"), "min_size": point.get("min_size", 0)}
    if "sparsity" not in point:
        return pack_file(model, file, point.get("format", AUTO), **options).tensors
    tensors = [pruned(tensor, point["sparsity"]) for tensor in read_weights(model)]
    choices = plan(tensors, point.get("format", AUTO), **options)
    write_bundle(file, {choice.tensor.name: choice.packed for choice in choices})
    return [Stored(c.tensor, c.packed.format, c.packed.nbytes) for c in choices]


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
