# SPDX-License-Identifier: Apache-2.0
"""A job for `pack_file`, and what is chosen on the way to its output."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from stridepack.packed import Packed
from stridepack.plan.budget_plan import BudgetPlan
from stridepack.plan.options import PackOptions
from stridepack.plan.within import Goal
from stridepack.tensor import Described
from stridepack.tflite.arena.goal import RamGoal, RamUse
from stridepack.tflite.firmware import Firmware

DECODERS = ("tflm", "stridepack")

OnDone = Callable[[int], None]


@dataclass(frozen=True)
class PackJob:
    """What `pack_file` was asked for.

    Attributes
    ----------
    model, output : Path
    options : PackOptions
    decoder : str
        What decodes a .tflite: one of DECODERS.
    goal : Goal or None
        Where the whole model is to be planned.
    array : str or None
        For C++ output: the name of the array, where one was asked for.
    ram : RamGoal
        What is asked of the RAM of a .tflite.
    reference_kernels : bool
        For a .tflite: whether it runs with TensorFlow Lite Micro's own kernels, not CMSIS-NN's.
    names : bool
        For a .spk: whether it has the names of the tensors.
    """

    model: Path
    output: Path
    options: PackOptions
    decoder: str = DECODERS[0]
    goal: Goal | None = None
    array: str | None = None
    ram: RamGoal = field(default_factory=RamGoal)
    reference_kernels: bool = False
    names: bool = True


@dataclass(frozen=True, eq=False, slots=True)
class Stored:
    """How one tensor is stored in an output.

    Attributes
    ----------
    tensor : WeightTensor or TensorCounts
        Counts alone where tensors stream through and their values are not kept.
    format : str
    nbytes : int
        What it takes: a whole blob, or in a .tflite its data and those that DECODE needs.
    note : str
        Why it stays dense, where it was not simply the smallest.
    """

    tensor: Described
    format: str
    nbytes: int
    note: str = ""


@dataclass(frozen=True)
class Chosen:
    """What was chosen for the tensors of a model.

    Attributes
    ----------
    tensors : list of Stored
    blobs : dict of str to Packed
        By name, for outputs that hold blobs.
    model : bytes
        For a .tflite, and for an array that holds one: the whole packed model.
    dense_nbytes : int
        The size of that model before it was packed.
    array : str or None
        For C++ output: the name of the array, where one was asked for.
    names : bool
        For a .spk: whether it has the names of the tensors.
    plan : BudgetPlan or None
        Where one was asked for.
    ram : RamUse or None
        For a .tflite.
    remarks, warnings : list of str
        Sentences on the model, and on what will not work with it.
    firmware : Firmware or None
        For a .tflite in which something is packed: what it needs.
    """

    tensors: list[Stored]
    blobs: dict[str, Packed] = field(default_factory=dict)
    model: bytes = b""
    dense_nbytes: int = 0
    array: str | None = None
    names: bool = True
    plan: BudgetPlan | None = None
    ram: RamUse | None = None
    remarks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    firmware: Firmware | None = None
