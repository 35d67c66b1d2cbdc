"""Files of the package safetensors in: the int8 tensors, with the scales that belong to them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._next_steps import TORCH
from stridepack.errors import MissingDependencyError, ModelError
from stridepack.files.left_out import by_type, warn_left_out
from stridepack.tensor import WeightTensor

# How the scales and zero points of a tensor are called after it: by compressed-tensors and others,
# and by quanto, whose values are called weight._data.
_SCALES = ("{}_scale", "{}._scale")
_ZERO_POINTS = ("{}_zero_point", "{}._zeropoint")
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def read_safetensors(path: Path) -> list[WeightTensor]:
    """Read all int8 tensors; a warning says what is left out.

    A tensor ``layer.weight`` gets its scales from ``layer.weight_scale``, where that is there, and
    its zero point from ``layer.weight_zero_point``.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise MissingDependencyError(
            "Reading .safetensors files needs the package safetensors. Install it with "
            "`pip install 'stridepack[safetensors]'`."
        ) from error
    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            types = {name: file.get_slice(name).get_dtype() for name in names}
            arrays = {name: file.get_tensor(name) for name in names if types[name] == "I8"}
        scales = _read_floats(path, types)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: this is not a .safetensors file, or it is damaged: {error}"
        ) from error
    others = {name: type_name for name, type_name in types.items() if type_name != "I8"}
    if not arrays:
        raise ModelError(
            f"{path}: it holds no int8 tensors, but {by_type(others) or 'nothing'}. Quantise the "
            f"model to int8 first. If it is a PyTorch model: {TORCH}"
        )
    tensors = [_tensor(path, name, values, arrays, scales) for name, values in arrays.items()]
    with_scales = any(tensor.scales is not None for tensor in tensors)
    warn_left_out(path, others, "only int8 tensors are packed", with_scales)
    return tensors


def _tensor(
    path: Path,
    name: str,
    values: npt.NDArray[np.int8],
    arrays: dict[str, npt.NDArray[np.int8]],
    scales: dict[str, npt.NDArray[np.float32]],
) -> WeightTensor:
    of = name.removesuffix("._data")
    scale = next((scales[s.format(of)] for s in _SCALES if s.format(of) in scales), None)
    zero_points = next((arrays[z.format(of)] for z in _ZERO_POINTS if z.format(of) in arrays), None)
    zero_point = 0
    if zero_points is not None and zero_points.size:
        flat = zero_points.ravel()
        zero_point = int(flat[np.argmax(flat != 0)])
    return WeightTensor(name, values, zero_point, path.name, scales=scale)


def _read_floats(path: Path, types: dict[str, str]) -> dict[str, npt.NDArray[np.float32]]:
    """The scales of a file that safetensors has accepted.

    Read here, because NumPy has no bfloat16, and safetensors needs another package for it.
    """
    wanted = [
        name
        for name, type_name in types.items()
        if type_name in (*_FLOATS, "BF16") and name.endswith("_scale")
    ]
    if not wanted:
        return {}
    found = {}
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(size))
        for name in wanted:
            begin, end = header[name]["data_offsets"]
            file.seek(8 + size + begin)
            data, shape = file.read(end - begin), header[name]["shape"]
            if types[name] == "BF16":  # the upper half of a float32
                floats = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
            else:
                floats = np.frombuffer(data, _FLOATS[types[name]]).astype(np.float32)
            found[name] = floats.reshape(shape)
    return found
