# SPDX-License-Identifier: Apache-2.0
"""Losslessly pack pruned int8 neural-network weights so that they fit a microcontroller's Flash.

Public are the names of `__all__`, and the modules `stridepack.pruning` (needs PyTorch) and
`stridepack.reference` (the file format as plain NumPy). All other modules are private: they may
change in any version.
"""

from stridepack import _stopped  # noqa: F401, I001 (before all that takes time: Ctrl-C)

from importlib.metadata import version

from stridepack._memory import set_max_memory
from stridepack.cost import targets
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
from stridepack.files import (
    PackResult,
    Stored,
    Verification,
    pack_file,
    read_bundle,
    read_weights,
    unpack_file,
    verify_files,
    write_bundle,
)
from stridepack.formats import formats
from stridepack.groups import Groups, find_groups
from stridepack.packed import Packed
from stridepack.plan.budget import Budget
from stridepack.plan.budget_plan import BudgetPlan, PlannedTensor
from stridepack.plan.smallest import Choice, pack, plan
from stridepack.plan.within import plan_within
from stridepack.shrink import ShrinkResult, shrink
from stridepack.tensor import WeightTensor
from stridepack.tflite.comparison import Comparison
from stridepack.tflite.constants import read_tflite

__version__ = version("stridepack")

__all__ = [
    "Budget",
    "BudgetError",
    "BudgetPlan",
    "Choice",
    "Comparison",
    "CorruptDataError",
    "ExportError",
    "Groups",
    "InputError",
    "MissingDependencyError",
    "ModelError",
    "OutputError",
    "PackResult",
    "Packed",
    "PlannedTensor",
    "ShrinkResult",
    "Stored",
    "StridepackError",
    "Verification",
    "WeightTensor",
    "find_groups",
    "formats",
    "pack",
    "pack_file",
    "plan",
    "plan_within",
    "read_bundle",
    "read_tflite",
    "read_weights",
    "set_max_memory",
    "shrink",
    "targets",
    "unpack_file",
    "verify_files",
    "write_bundle",
]


def __dir__() -> list[str]:
    """The public names only: `dir(stridepack)` and completion leave the private modules out."""
    return [*__all__, "__version__"]
