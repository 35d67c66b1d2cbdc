"""Pack a model file: read it, choose how each tensor is stored, write the output."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from stridepack.errors import InputError
from stridepack.files.atomic import write_files
from stridepack.files.job import DECODERS, PackJob, Stored
from stridepack.files.read import read_weights
from stridepack.files.table import suffixes, type_of
from stridepack.plan.budget import Budget
from stridepack.plan.budget_plan import BudgetPlan
from stridepack.plan.options import AUTO, PackOptions
from stridepack.plan.rules import DEFAULT_MIN_SIZE
from stridepack.plan.within import Goal
from stridepack.tensor import WeightTensor
from stridepack.tflite.firmware import Firmware


@dataclass(frozen=True)
class PackResult:
    """What `pack_file` did.

    Attributes
    ----------
    tensors : list of Stored
    files : dict of Path to int
        Bytes of each file.
    plan : BudgetPlan or None
        Where one was asked for.
    firmware : Firmware or None
        For a .tflite in which something is packed: what TensorFlow Lite Micro needs to run it.
    """

    tensors: list[Stored]
    files: dict[Path, int]
    plan: BudgetPlan | None = None
    firmware: Firmware | None = None


def pack_file(
    model: str | PathLike[str],
    output: str | PathLike[str],
    format: str = AUTO,
    *,
    decoder: str = DECODERS[0],
    tile: int | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
    budget: Budget | None = None,
    objective: str | None = None,
    target: str | None = None,
    count_code: bool = False,
    on_start: Callable[[list[WeightTensor]], None] | None = None,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> PackResult:
    """Pack the weights of a model file. The output's suffix decides what is written.

    ``.tflite`` : the model with DECODE operators, for TensorFlow Lite Micro.
    ``.c`` : C source, and its header beside it.
    ``.spk`` : all tensors by name in one file.

    Every tensor is unpacked again and compared before anything is written.

    Parameters
    ----------
    model, output : str or PathLike
    format, tile, min_size, **options
        As in `stridepack.plan`. For ``.tflite``, whole tensors only.
    decoder : str
        For ``.tflite``: what will decode it. "tflm": TensorFlow Lite Micro as it is; `format` is
        one of its own DECODE types then, and has no options. "stridepack": our formats, and an
        operator of ours that decodes them, which firmware registers by its name (runtime/tflm).
    budget, objective, target, count_code : optional
        With any of them, ``.c`` and ``.spk`` are planned by `stridepack.plan_within`. Flash is what
        blobs, names and tables take: all of a ``.spk``. For ``.tflite`` only a budget of Flash is
        possible, the size of the file, which is as small as it gets with or without one.
    on_start, on_done : callable, optional
        Called with the tensors before packing, and with the number of elements after each tensor.

    Returns
    -------
    PackResult

    Raises
    ------
    StridepackError
        One of its children; nothing was written.
    """
    asked_for_plan = (budget, objective, target, count_code) != (None, None, None, False)
    job = PackJob(
        Path(model),
        Path(output),
        PackOptions(format, tile, min_size, options),
        decoder,
        Goal(budget or Budget(), objective, target, count_code) if asked_for_plan else None,
    )
    return run(job, on_start, on_done)


def run(
    job: PackJob,
    on_start: Callable[[list[WeightTensor]], None] | None = None,
    on_done: Callable[[int], None] | None = None,
) -> PackResult:
    """`pack_file`, with its options as one value."""
    if job.output.is_dir():
        raise InputError(
            f"{job.output} is a directory. Give a file name, such as "
            f"{job.output / job.model.with_suffix('.spk').name}."
        )
    file_type = type_of(job.output)
    if file_type.choose is None or file_type.write is None:
        raise InputError(
            f"{job.output}: files of this kind cannot be written. Choose a name that ends in "
            f"{suffixes(lambda t: t.write)}."
        )
    if job.output.resolve() == job.model.resolve():
        raise InputError(
            f"{job.output}: the output would overwrite the model. Choose another name."
        )
    tensors = read_weights(job.model)
    if on_start:
        on_start(tensors)
    overhead = file_type.overhead(tensor.name for tensor in tensors)
    chosen = file_type.choose(job, tensors, overhead, on_done)
    files = file_type.write(job.output, chosen)
    write_files(files)
    sizes = {path: len(data) for path, data in files.items()}
    return PackResult(chosen.tensors, sizes, chosen.plan, chosen.firmware)
