# SPDX-License-Identifier: Apache-2.0
"""Read the weights of any file."""

import os
import stat
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from stridepack.errors import ModelError, reason
from stridepack.files.not_packed import check_can_be_packed
from stridepack.files.table import suffixes, type_of
from stridepack.tensor import WeightTensor


def read_weights(path: str | PathLike[str]) -> list[WeightTensor]:
    """Read all int8 weight tensors of a file.

    The file is a .tflite, as it is or as an array in C text (.cc, .cpp, .c, .h), or a .onnx, .npy,
    .npz, .safetensors or .spk. A packed file (.spk, or .tflite with DECODE operators) gives its
    unpacked tensors. uint8 weights of a .onnx become int8: all values and zero points are 128 less.

    Raises
    ------
    ModelError
        When the file cannot be read, is of another kind, or has no int8 weights. The message says
        how to get int8 weights from it, where that is known.
    CorruptDataError
        When a .spk file is not valid.
    """
    path = Path(path)
    return reader_of(path)(path)


def reader_of(path: Path) -> Callable[[Path], list[WeightTensor]]:
    """What reads a file, which is there and of a kind that can be read.

    Raises
    ------
    ModelError
    """
    check_can_be_packed(path)
    read = type_of(path).read
    if read is None:
        raise ModelError(
            f"{path}: files of this kind cannot be read. "
            f"Give a {suffixes(lambda file_type: file_type.read)} file."
        )
    check_is_file(path)
    return read


def check_is_file(path: Path) -> None:
    """Raise ModelError where there is no such file, or none that can be read."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file.") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
    if stat.S_ISDIR(mode):
        raise ModelError(f"{path} is a directory. Give a file.")
    if not stat.S_ISREG(mode):
        raise ModelError(f"{path} is a pipe, a socket or a device. Give a file.")
    if not os.access(path, os.R_OK):
        raise ModelError(f"{path}: the file cannot be read: Permission denied.")
