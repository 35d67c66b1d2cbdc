"""Unpack a packed file: to a dense model, or to arrays."""

from os import PathLike
from pathlib import Path

from stridepack.errors import InputError, ModelError
from stridepack.files.atomic import write_files
from stridepack.files.read import read_weights
from stridepack.files.table import type_of

_UNPACKS_TO = {".tflite": ".tflite or .npz", ".spk": ".npz"}


def unpack_file(packed: str | PathLike[str], output: str | PathLike[str]) -> int:
    """Unpack a packed .tflite to a dense .tflite, or a .spk or .tflite to .npz.

    Parameters
    ----------
    packed, output : str or PathLike

    Returns
    -------
    int
        Size of the output in bytes.

    Raises
    ------
    StridepackError
        One of its children; nothing was written.
    """
    packed, output = Path(packed), Path(output)
    suffix = packed.suffix.lower()
    if output.resolve() == packed.resolve():
        raise InputError(f"{output}: the output would overwrite the input. Choose another name.")
    if suffix not in _UNPACKS_TO:
        raise InputError(
            f"{packed} cannot be unpacked. Only {' and '.join(_UNPACKS_TO)} files can be."
        )
    if not packed.is_file():
        raise ModelError(f"{packed}: there is no such file.")
    unpack, write_arrays = type_of(packed).unpack, type_of(output).write_arrays
    if unpack is not None and output.suffix.lower() == suffix:
        data = unpack(packed)
    elif write_arrays is not None:
        data = write_arrays({tensor.name: tensor.values for tensor in read_weights(packed)})
    else:
        raise InputError(
            f"{packed} cannot be unpacked to {output}. A {suffix} file unpacks to "
            f"{_UNPACKS_TO[suffix]}."
        )
    write_files({output: data})
    return len(data)
