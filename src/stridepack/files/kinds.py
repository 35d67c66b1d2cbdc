# SPDX-License-Identifier: Apache-2.0
"""Kinds of files by their suffix, and the .tflite model that a file holds."""

from pathlib import Path

from stridepack.errors import ModelError, reason
from stridepack.files.c_array_in import model_in_c

# Other names that are used for the same kinds.
_SAME_AS = {
    ".tfl": ".tflite",
    ".lite": ".tflite",
    ".cpp": ".cc",
    ".cxx": ".cc",
    ".hh": ".h",
    ".hpp": ".h",
}
# C text that may hold a .tflite model as an array.
C_TEXT = (".c", ".cc", ".h")


def kind_of(path: Path) -> str:
    """The suffix that stands for the kind of a file.

    >>> kind_of(Path("model.TFL")), kind_of(Path("model_data.cpp")), kind_of(Path("weights.spk"))
    ('.tflite', '.cc', '.spk')
    """
    suffix = path.suffix.lower()
    return _SAME_AS.get(suffix, suffix)


def is_index(path: Path) -> bool:
    """Whether a file is the index of a checkpoint in several files, by its name.

    >>> is_index(Path("model.safetensors.index.json")), is_index(Path("model.json"))
    (True, False)
    """
    return path.name.lower().endswith(".safetensors.index.json")


def holds_tflite(path: Path) -> bool:
    """Whether files of this kind hold a .tflite model, as they are or as an array in C."""
    return kind_of(path) in (".tflite", *C_TEXT)


def tflite_bytes(path: Path) -> bytes:
    """The .tflite model of a file for which `holds_tflite` is true.

    Raises
    ------
    ModelError
        When the file cannot be read, or is C text without such a model.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
    return model_in_c(data, str(path)) if kind_of(path) in C_TEXT else data
