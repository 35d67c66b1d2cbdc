"""Files of arrays: .npy and .npz in, .npz out."""

import io
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stridepack.errors import ModelError
from stridepack.tensor import WeightTensor


def read_npy(path: Path) -> list[WeightTensor]:
    """Read one array; it is named after the file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(_damaged(path, error)) from error
    if not isinstance(array, np.ndarray):
        raise ModelError(_damaged(path, "it holds several arrays"))
    return _int8_only(path, {path.stem: array})


def read_npz(path: Path) -> list[WeightTensor]:
    """Read all int8 arrays of an archive."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(_damaged(path, error)) from error
    return _int8_only(path, arrays)


def npz(arrays: Mapping[str, npt.NDArray[np.int8]]) -> bytes:
    """A .npz as np.savez writes it, but the same bytes at any time and with any name in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
    return buffer.getvalue()


def _damaged(path: Path, why: object) -> str:
    return f"{path}: this is not a {path.suffix.lower()} file, or it is damaged: {why}"


def _int8_only(path: Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> list[WeightTensor]:
    """The int8 arrays; a warning for each other one, an error when nothing is left."""
    left_out = {}
    tensors = []
    for name, array in arrays.items():
        if array.dtype == np.int8:
            tensors.append(WeightTensor(name, array.astype(np.int8, copy=False), origin=path.name))
        else:
            left_out[name] = str(array.dtype)
    if not tensors:
        found = ", ".join(f"{name} ({dtype})" for name, dtype in left_out.items()) or "nothing"
        raise ModelError(
            f"{path}: it holds no int8 arrays, only {found}. Quantise the model to int8 first."
        )
    for name, dtype in left_out.items():
        warnings.warn(
            f"{path}: array {name} is left out, because it is {dtype} and not int8.", stacklevel=3
        )
    return tensors
