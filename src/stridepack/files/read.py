"""Read the weights of any file."""

from os import PathLike
from pathlib import Path

from stridepack.errors import ModelError
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
    check_can_be_packed(path)
    read = type_of(path).read
    if read is None:
        raise ModelError(
            f"{path}: files of this kind cannot be read. "
            f"Give a {suffixes(lambda file_type: file_type.read)} file."
        )
    check_is_file(path)
    return read(path)


def check_is_file(path: Path) -> None:
    """Raise ModelError where there is no such file."""
    if path.is_dir():
        raise ModelError(f"{path} is a directory. Give a file.")
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file.")
