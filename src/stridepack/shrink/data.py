# SPDX-License-Identifier: Apache-2.0
"""The samples that a model is tried on: read, checked, and split in two.

One part calibrates: it decides how weights are rounded. The other part is held back, and only
measures what came out.
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._memory import Allowance
from stridepack._words import counted
from stridepack.errors import InputError, ModelError
from stridepack.files.npy import open_archive
from stridepack.files.read import check_is_file

Array = npt.NDArray[Any]

# With fewer samples, what is measured on them says nothing.
MIN_SAMPLES = 16

# One of four samples in a row is held back, all over the data: often labels sort them.
_HELD_BACK_EACH = 4


@dataclass(frozen=True, eq=False)
class Samples:
    """Some samples.

    Attributes
    ----------
    inputs : ndarray
        As the model takes them, the first axis counts the samples.
    labels : ndarray of int64 or None
        The right class of each sample.
    """

    inputs: Array
    labels: npt.NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.inputs)

    def split(self) -> tuple["Samples", "Samples"]:
        """The samples to calibrate with, and those that are held back."""
        n = len(self) // _HELD_BACK_EACH
        held_back = _one_of_each(n, n * _HELD_BACK_EACH)
        held_back = np.append(held_back, np.zeros(len(self) - len(held_back), np.bool_))
        return self._where(~held_back), self._where(held_back)

    def first(self, n: int) -> "Samples":
        """At most n of them, spread over all."""
        if len(self) <= n:
            return self
        return self._where(_one_of_each(n, len(self)))

    def _where(self, chosen: npt.NDArray[np.bool_]) -> "Samples":
        return Samples(self.inputs[chosen], None if self.labels is None else self.labels[chosen])


def _one_of_each(n: int, n_samples: int) -> npt.NDArray[np.bool_]:
    """One sample of each of n parts of nearly the same length, as if by chance.

    Always the same place of a part would be wrong for data in which the classes take turns, or in
    which variants of one sample follow each other. The same for the same arguments.
    """
    begins = np.arange(n + 1) * n_samples // n if n else np.zeros(1, np.int64)
    number = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hash
    chance = (number ^ (number >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(33)
    chosen = np.zeros(n_samples, np.bool_)
    chosen[begins[:-1] + (chance % np.diff(begins).astype(np.uint64)).astype(np.int64)] = True
    return chosen


def read_data(path: str | PathLike[str]) -> tuple[Array, Array | None]:
    """The arrays `inputs` and `labels` of a .npz file; None where it has no labels.

    Raises
    ------
    ModelError
        When the file cannot be read, or has no array `inputs`.
    """
    path = Path(path)
    check_is_file(path)
    with open_archive(path) as archive:
        wanted = {name: of for name, of in archive.headers.items() if name in ("inputs", "labels")}
        Allowance(str(path), path.stat().st_size).take(sum(of.nbytes for of in wanted.values()))
        arrays = {name: archive.read(name) for name in wanted}
    if "inputs" not in arrays:
        found = ", ".join(sorted(archive.headers)) or "nothing"
        raise ModelError(
            f"{path}: it has no array named inputs, only {found}. Write it with "
            "np.savez(path, inputs=...)."
        )
    return arrays["inputs"], arrays.get("labels")


def check_samples(inputs: Array, labels: Array | None, source: dict[str, Any]) -> Samples:
    """Samples that a model takes.

    Parameters
    ----------
    inputs : ndarray
        In the type of the model's input, or real numbers, which are quantised.
    labels : ndarray or None
    source : dict
        The model's input, as LiteRT describes it: shape, dtype, quantization.

    Raises
    ------
    InputError
        For data that do not fit the model, or that nothing can be learnt from.
    """
    inputs = np.asarray(inputs)
    expected = tuple(int(n) for n in source["shape"][1:])
    if inputs.ndim == 0 or inputs.shape[1:] != expected:
        wanted = ", ".join(["n", *map(str, expected)])
        raise InputError(
            f"The inputs have the shape {_tuple(inputs.shape)}. The model needs ({wanted}), where "
            "n counts the samples."
        )
    if len(inputs) < MIN_SAMPLES:
        raise InputError(
            f"The data hold {counted(len(inputs), 'sample')}. At least {MIN_SAMPLES} are needed, "
            "and some hundred are better."
        )
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        bad = int(np.argmin(np.isfinite(inputs).reshape(len(inputs), -1).all(axis=1)))
        raise InputError(f"Sample {bad} of the inputs has an element that is not a finite number.")
    converted = _to_type_of(inputs, source)
    if (converted == converted[:1]).all():
        raise InputError(
            "All samples of the inputs are equal. Nothing can be learnt from them about what the "
            "model does with others."
        )
    return Samples(converted, None if labels is None else _check_labels(labels, len(inputs)))


def _to_type_of(inputs: Array, source: dict[str, Any]) -> Array:
    dtype = np.dtype(source["dtype"])
    if inputs.dtype == dtype:
        return inputs
    if inputs.dtype.kind != "f":
        raise InputError(
            f"The inputs are {inputs.dtype}. The model needs {dtype}, or real numbers (float32), "
            "which are quantised as its input asks for."
        )
    if dtype.kind == "f":
        return inputs.astype(dtype)
    scale, zero_point = source["quantization"]
    if not scale:
        raise InputError(
            f"The inputs are {inputs.dtype}, and the model's {dtype} input has no scale to "
            f"quantise them with. Give them as {dtype}."
        )
    limits = np.iinfo(dtype)
    levels = np.rint(inputs.astype(np.float64) / scale) + zero_point
    quantised: Array = np.clip(levels, limits.min, limits.max).astype(dtype)
    return quantised


def _check_labels(labels: Array, n: int) -> npt.NDArray[np.int64]:
    labels = np.asarray(labels)
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"The labels are {labels.dtype} of shape {_tuple(labels.shape)}. There must be one "
            f"integer for each of the {n} samples."
        )
    if (labels < 0).any():
        raise InputError(f"The labels have {labels.min()}. Classes are numbered from 0 on.")
    return labels.astype(np.int64)


def _tuple(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
