# SPDX-License-Identifier: Apache-2.0
"""How a packed file stores each of its tensors."""

from pathlib import Path

from stridepack.errors import InputError
from stridepack.files.job import Stored
from stridepack.files.kinds import kind_of, tflite_bytes
from stridepack.files.read import check_is_file
from stridepack.files.spk import read_bundle
from stridepack.tensor import WeightTensor
from stridepack.tflite.constants import stored_nbytes


def read_stored(packed: Path, tensors: list[WeightTensor]) -> dict[str, Stored]:
    """Format and bytes of each tensor in a packed file, by name.

    Parameters
    ----------
    packed : Path
        A .spk or .tflite file that `pack` has written.
    tensors : list of WeightTensor
        Those of the model that was packed.

    Raises
    ------
    InputError
        For another kind of file, or one that has other tensors.
    """
    check_is_file(packed)
    if kind_of(packed) == ".spk":
        found = {name: (p.format, p.nbytes) for name, p in read_bundle(packed).items()}
    elif kind_of(packed) in (".tflite", ".cc"):
        found = stored_nbytes(tflite_bytes(packed), str(packed))
    else:
        raise InputError(f"{packed} is no packed file. It must be a .spk or .tflite file.")
    missing = [tensor.name for tensor in tensors if tensor.name not in found]
    if missing:
        raise InputError(
            f"{packed} has no tensor {missing[0]!r}. It was packed from another model."
        )
    return {tensor.name: Stored(tensor, *found[tensor.name]) for tensor in tensors}
