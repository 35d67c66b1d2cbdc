"""Files of arrays in: .npy, .npz and .safetensors."""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stridepack.errors import MissingDependencyError, ModelError
from stridepack.tensor import WeightTensor


def read_npy(path: Path) -> list[WeightTensor]:
    """Read one array; it is named after the file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"{path}: not a readable .npy file: {error}") from error
    if not isinstance(array, np.ndarray):
        raise ModelError(f"{path}: not a .npy file")
    return _int8_only(path, {path.stem: array})


def read_npz(path: Path) -> list[WeightTensor]:
    """Read all int8 arrays of an archive."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not a readable .npz file: {error}") from error
    return _int8_only(path, arrays)


def read_safetensors(path: Path) -> list[WeightTensor]:
    """Read all int8 tensors of a safetensors file."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise MissingDependencyError(
            "reading .safetensors needs the package safetensors: "
            "pip install 'stridepack[safetensors]'"
        ) from error
    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            # NumPy has no type for some tensors (bfloat16); only the int8 ones are loaded.
            types = {name: file.get_slice(name).get_dtype() for name in names}
            arrays = {name: file.get_tensor(name) for name in names if types[name] == "I8"}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not a readable .safetensors file: {error}") from error
    return _int8_only(path, arrays, {name: t for name, t in types.items() if t != "I8"})


def _int8_only(
    path: Path,
    arrays: Mapping[str, npt.NDArray[np.generic]],
    others: Mapping[str, str] | None = None,
) -> list[WeightTensor]:
    """The int8 arrays; a warning for each other one, an error when nothing is left."""
    left_out = dict(others or {})
    tensors = []
    for name, array in arrays.items():
        if array.dtype == np.int8:
            tensors.append(WeightTensor(name, array.astype(np.int8, copy=False), origin=path.name))
        else:
            left_out[name] = str(array.dtype)
    if not tensors:
        found = ", ".join(f"{name} ({dtype})" for name, dtype in left_out.items()) or "nothing"
        raise ModelError(f"{path}: no int8 arrays, found {found}: quantise the model first")
    for name, dtype in left_out.items():
        warnings.warn(f"{path}: {name} is {dtype}, not int8: left out", stacklevel=3)
    return tensors
