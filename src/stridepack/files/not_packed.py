# SPDX-License-Identifier: Apache-2.0
"""Kinds of models that hold no int8 weights, and what their users do next."""

from pathlib import Path

from stridepack import _next_steps
from stridepack.errors import ModelError
from stridepack.files.kinds import is_index

_KERAS = f"this is a Keras model, whose weights are floating-point numbers. {_next_steps.KERAS}"
_TORCH = f"this is a PyTorch file, which is not read. {_next_steps.TORCH}"
_ONNX_DATA = "it holds data that belong to an ONNX model. Give the .onnx file."

_WHAT_TO_DO = {
    ".h5": _KERAS,
    ".hdf5": _KERAS,
    ".keras": _KERAS,
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".pt2": _TORCH,
    ".ckpt": _TORCH,
    ".ort": "this is an ONNX model in the format of onnxruntime, which is not read. Give the "
    ".onnx file that it was made from.",
    ".data": _ONNX_DATA,
    ".onnx_data": _ONNX_DATA,
    ".pb": "this is a TensorFlow graph. Give the folder of the SavedModel that it belongs to, and "
    "stridepack says how to convert it to an int8 .tflite file.",
}


def check_can_be_packed(path: Path) -> None:
    """Raise ModelError for a model of a kind that cannot be packed, with the next step."""
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            raise ModelError(
                f"{path}: this is the folder of a TensorFlow SavedModel, whose weights are "
                f"floating-point numbers. {_next_steps.SAVED_MODEL}"
            )
        return
    if is_index(path):
        raise ModelError(
            f"{path}: this is the index of a checkpoint in several files. `stridepack pack` packs "
            "all of them into a directory, and `stridepack verify` compares them with it. Here, "
            "give one of its .safetensors files."
        )
    if path.name.lower() == "saved_model.pb":
        check_can_be_packed(path.parent)
    if what := _WHAT_TO_DO.get(path.suffix.lower()):
        raise ModelError(f"{path}: {what}")
