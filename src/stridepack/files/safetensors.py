# SPDX-License-Identifier: Apache-2.0
"""Files of the package safetensors in: the int8 tensors, with the scales that belong to them.

Only the header is read at first. Each tensor is read when somebody asks for it, so that a file may
be larger than the memory.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._next_steps import TORCH
from stridepack.errors import MissingDependencyError, ModelError, reason
from stridepack.files.arrays import check_shape
from stridepack.files.left_out import by_type, warn_left_out
from stridepack.tensor import WeightTensor

# How the scales and zero points of a tensor are called after it: by compressed-tensors and others,
# and by quanto, whose values are called weight._data.
_SCALES = ("{}_scale", "{}._scale")
_ZERO_POINTS = ("{}_zero_point", "{}._zeropoint")
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """An int8 tensor that has not been read.

    Attributes
    ----------
    name : str
    shape : tuple of int
    file : Contents
        Where it is.
    """

    name: str
    shape: tuple[int, ...]
    file: "Contents"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def read(self, *, scales: bool = True) -> WeightTensor:
        """The tensor. scales: whether it gets its scales, too."""
        file, of = self.file, self.name.removesuffix("._data")
        values = file.int8(self.name)
        scale = file.first_of(_SCALES, of, file.is_scale) if scales else None
        zeros = file.first_of(_ZERO_POINTS, of, file.is_int8)
        zero_point = 0
        if zeros is not None:
            flat = file.int8(zeros).ravel()
            zero_point = int(flat[np.argmax(flat != 0)]) if flat.size else 0
        return WeightTensor(
            self.name,
            values,
            zero_point,
            file.path.name,
            scales=None if scale is None else file.floats(scale),
        )


class Contents:
    """What a .safetensors file holds.

    Raises
    ------
    ModelError
        When the file cannot be read, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            from safetensors import SafetensorError, safe_open
        except ImportError as error:
            raise MissingDependencyError(
                "Reading .safetensors files needs the package safetensors. Install it with "
                "`pip install 'stridepack[safetensors]'`."
            ) from error
        self.path = path
        try:
            with safe_open(path, framework="numpy") as file:  # checks the whole header
                names = list(file.keys())
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                self._header: dict[str, Any] = json.loads(file.read(size))
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(
                f"{path}: this is not a .safetensors file, or it is damaged: {reason(error)}."
            ) from error
        self._data = 8 + size
        self.types: dict[str, str] = {name: self._header[name]["dtype"] for name in names}
        self.entries = [
            Entry(name, self.shape(name), self) for name in names if self.types[name] == "I8"
        ]
        for entry in self.entries:
            check_shape(path, entry.name, entry.shape)

    @property
    def others(self) -> Mapping[str, str]:
        """The types of the tensors that are not int8, by name."""
        return {name: type_name for name, type_name in self.types.items() if type_name != "I8"}

    @property
    def has_scales(self) -> bool:
        """Whether there are scales of an int8 tensor."""
        return any(
            self.first_of(_SCALES, entry.name.removesuffix("._data"), self.is_scale)
            for entry in self.entries
        )

    def first_of(self, patterns: tuple[str, ...], of: str, fits: Any) -> str | None:
        """The first name after `of` that is there and fits."""
        return next((name for p in patterns if fits(name := p.format(of))), None)

    def is_int8(self, name: str) -> bool:
        """Whether there is such an int8 tensor."""
        return self.types.get(name) == "I8"

    def is_scale(self, name: str) -> bool:
        """Whether there is such a tensor of floating-point numbers."""
        return self.types.get(name) in (*_FLOATS, "BF16")

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor."""
        return tuple(self._header[name]["shape"])

    def int8(self, name: str) -> npt.NDArray[np.int8]:
        """The values of an int8 tensor."""
        values = np.empty(self.shape(name), np.int8)
        self._read_into(name, values.reshape(-1).view(np.uint8))
        return values

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """The values of a tensor of floating-point numbers.

        Read here, because NumPy has no bfloat16, and safetensors needs another package for it.
        """
        begin, end = self._header[name]["data_offsets"]
        data = np.empty(end - begin, np.uint8)
        self._read_into(name, data)
        if self.types[name] == "BF16":  # the upper half of a float32
            floats = (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            floats = data.view(_FLOATS[self.types[name]]).astype(np.float32)
        return floats.reshape(self.shape(name))

    def _read_into(self, name: str, data: npt.NDArray[np.uint8]) -> None:
        begin = self._header[name]["data_offsets"][0]
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self._data + begin)
                done = 0
                while done < data.size and (n := file.readinto(data[done:].data)):
                    done += n
        except OSError as error:
            raise ModelError(f"{self.path}: the file cannot be read: {reason(error)}.") from error
        if done < data.size:
            raise ModelError(
                f"{self.path}: the file ends within tensor {name!r}. It has become shorter while "
                "it was read. Run the command again when nobody writes it any more."
            )


def read_safetensors(path: Path) -> list[WeightTensor]:
    """Read all int8 tensors; a warning says what is left out.

    A tensor ``layer.weight`` gets its scales from ``layer.weight_scale``, where that is there, and
    its zero point from ``layer.weight_zero_point``.
    """
    contents = Contents(path)
    check_not_empty(path, [contents])
    tensors = [entry.read() for entry in contents.entries]
    warn_of_others(path, [contents])
    return tensors


def check_not_empty(path: Path, files: list[Contents]) -> None:
    """Raise ModelError where files have no int8 tensors. path: how they are called."""
    if not any(file.entries for file in files):
        others = {name: kind for file in files for name, kind in file.others.items()}
        raise ModelError(
            f"{path}: it holds no int8 tensors, but {by_type(others) or 'nothing'}. Quantise the "
            f"model to int8 first. If it is a PyTorch model: {TORCH}"
        )


def warn_of_others(path: Path, files: list[Contents]) -> None:
    """Warn of what is left out of files."""
    others = {name: kind for file in files for name, kind in file.others.items()}
    with_scales = any(file.has_scales for file in files)
    warn_left_out(path, others, "only int8 tensors are packed", with_scales)
