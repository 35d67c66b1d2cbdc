"""Losslessly pack pruned int8 neural-network weights so that they fit a microcontroller's Flash."""

from importlib.metadata import version

from stridepack.errors import (
    CorruptDataError,
    ExportError,
    InputError,
    MissingDependencyError,
    ModelError,
    OutputError,
    StridepackError,
)
from stridepack.formats import formats
from stridepack.io import read_tflite, read_weights
from stridepack.packed import Packed
from stridepack.planner import pack, plan
from stridepack.search import Groups, find_groups
from stridepack.tensor import WeightTensor

__version__ = version("stridepack")

__all__ = [
    "CorruptDataError",
    "ExportError",
    "Groups",
    "InputError",
    "MissingDependencyError",
    "ModelError",
    "OutputError",
    "Packed",
    "StridepackError",
    "WeightTensor",
    "find_groups",
    "formats",
    "pack",
    "plan",
    "read_tflite",
    "read_weights",
]
