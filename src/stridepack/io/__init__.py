"""Files in: models and arrays to lists of weight tensors."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from stridepack.bundle import read_bundle
from stridepack.errors import ModelError
from stridepack.io.arrays import read_npy, read_npz, read_safetensors
from stridepack.io.tflite import read_tflite
from stridepack.tensor import WeightTensor

__all__ = ["read_tflite", "read_weights"]


def _read_unpacked_bundle(path: Path) -> list[WeightTensor]:
    return [WeightTensor(name, packed.unpack()) for name, packed in read_bundle(path).items()]


_READERS: dict[str, Callable[[Path], list[WeightTensor]]] = {
    ".tflite": read_tflite,
    ".npy": read_npy,
    ".npz": read_npz,
    ".safetensors": read_safetensors,
    ".spk": _read_unpacked_bundle,
}


def read_weights(path: str | PathLike[str]) -> list[WeightTensor]:
    """Read all int8 weight tensors of a file: .tflite, .npy, .npz, .safetensors or .spk.

    A packed file (.spk, or .tflite with DECODE operators) gives its unpacked tensors.

    Raises
    ------
    ModelError
        When the file cannot be read, is of another kind, or has no int8 weights.
    CorruptDataError
        When a .spk file is not valid.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ModelError(
            f"{path}: cannot read {path.suffix or 'files without suffix'}; "
            f"known are {', '.join(_READERS)}"
        )
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    return reader(path)
