"""Losslessly pack pruned int8 neural-network weights so that they fit a microcontroller's Flash."""

from importlib.metadata import version

from stridepack.budget import Budget
from stridepack.budget_plan import BudgetPlan, PlannedTensor, plan_within
from stridepack.errors import (
    BudgetError,
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
    "Budget",
    "BudgetError",
    "BudgetPlan",
    "CorruptDataError",
    "ExportError",
    "Groups",
    "InputError",
    "MissingDependencyError",
    "ModelError",
    "OutputError",
    "Packed",
    "PlannedTensor",
    "StridepackError",
    "WeightTensor",
    "find_groups",
    "formats",
    "pack",
    "plan",
    "plan_within",
    "read_tflite",
    "read_weights",
]
