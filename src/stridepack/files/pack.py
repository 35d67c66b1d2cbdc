# SPDX-License-Identifier: Apache-2.0
"""Pack a model file: read it, choose how each tensor is stored, write the output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from stridepack.errors import InputError
from stridepack.files.atomic import new_files, write_files
from stridepack.files.c_array import array_name
from stridepack.files.c_names import check_c_output
from stridepack.files.checkpoint import check_folder, check_targets, open_shards
from stridepack.files.job import DECODERS, PackJob, Stored
from stridepack.files.kinds import is_index, kind_of
from stridepack.files.open_files import allow_open_files
from stridepack.files.outputs import check_output, refuse_to_overwrite
from stridepack.files.read import reader_of
from stridepack.files.safetensors import Contents, Entry, check_not_empty, warn_of_others
from stridepack.files.stream import Shard, pack_shards
from stridepack.files.table import check_has_name, suffixes, type_of
from stridepack.plan.budget import Budget
from stridepack.plan.budget_plan import BudgetPlan
from stridepack.plan.options import AUTO, PackOptions
from stridepack.plan.within import Goal
from stridepack.tensor import WeightTensor
from stridepack.tflite.arena.goal import RamGoal, RamUse
from stridepack.tflite.firmware import Firmware

# It gets what is known of all tensors before the first is packed.
OnStart = Callable[[Sequence[WeightTensor] | Sequence[Entry]], None]


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
    model_nbytes : tuple of int or None
        For a .tflite, and for an array that holds one: bytes of the model before and after.
    ram : RamUse or None
        The tensor arena before and after, for a .tflite.
    remarks, warnings : list of str
        Sentences on the model, and on what will not work with it.
    firmware : Firmware or None
        For a .tflite in which something is packed: what TensorFlow Lite Micro needs to run it.
    """

    tensors: list[Stored]
    files: dict[Path, int]
    plan: BudgetPlan | None = None
    model_nbytes: tuple[int, int] | None = None
    ram: RamUse | None = None
    remarks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    firmware: Firmware | None = None


def pack_file(
    model: str | PathLike[str],
    output: str | PathLike[str],
    format: str = AUTO,
    *,
    decoder: str = DECODERS[0],
    tile: int | None = None,
    min_size: int | None = None,
    transforms: bool = True,
    budget: Budget | None = None,
    objective: str | None = None,
    target: str | None = None,
    count_code: bool = False,
    array: str | None = None,
    arena: int | None = None,
    in_ram: bool = False,
    decompression_memory: bool = False,
    reference_kernels: bool = False,
    names: bool = True,
    on_start: OnStart | None = None,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> PackResult:
    """Pack the weights of a model file. The output's suffix decides what is written.

    ``.tflite`` : the model with DECODE operators, for TensorFlow Lite Micro.
    ``.cc``, ``.cpp`` : the same as a C++ array, and its header beside it.
    ``.c`` : blobs for the C library as C source, and its header beside it.
    ``.spk`` : all tensors by name in one file.

    Every tensor is unpacked again and compared before anything is written.

    Parameters
    ----------
    model, output : str or PathLike
    format, tile, transforms, **options
        As in `stridepack.plan`. For ``.tflite``, whole tensors only, and transforms only with
        ``decoder="stridepack"``.
    min_size : int, optional
        Tensors of fewer elements stay dense. Default: 0 for ``.c`` and ``.spk``, where every tensor
        is packed that gets smaller, and 2048 for ``.tflite``, where each packed tensor needs an
        operator that runs in every inference, and a buffer in RAM.
    decoder : str
        For ``.tflite``: what will decode it. "tflm": TensorFlow Lite Micro as it is; `format` is
        one of its own DECODE types then, and has no options. "stridepack": our formats, and an
        operator of ours that decodes them, which firmware registers by its name (runtime/tflm).
    budget, objective, target, count_code : optional
        With any of them, ``.c`` and ``.spk`` are planned by `stridepack.plan_within`. Flash is what
        blobs, names and tables take: all of a ``.spk``. For ``.tflite`` it is the size of the
        file, `sram` is the same as `arena`, and of the others only ``objective="size"`` is
        possible: the smallest file, whatever its arena.
    reference_kernels : bool
        For ``.tflite``: also pack weights that only the kernels of CMSIS-NN need while the
        interpreter starts (LSTM, SVDF). Firmware with CMSIS-NN cannot run such a file.
    names : bool
        For ``.spk``: False leaves the names of the tensors out, and writes a header beside the file
        with the number of each tensor. See `write_bundle`.
    array : str, optional
        For ``.cc`` and ``.cpp``: the name of the array. Default: that of the file, after ``g_``.
    arena : int, optional
        For ``.tflite``: the most bytes of tensor arena, as the interpreter on this host measures
        it. The tensors are packed that give the smallest file within it. Default: as many as make
        file and arena together as small as possible, so that none takes more RAM than it saves.
    in_ram : bool
        For ``.tflite``: the file is loaded into RAM. The sum of file, arena and decompression
        memory is made as small as possible, within `arena` if that is given, too.
    decompression_memory : bool
        For ``.tflite``: the firmware gives DECODE operators memory of their own with
        ``SetDecompressionMemory``. ``result.ram.decompression`` says how much it must be.
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
        PackOptions(
            format,
            tile,
            type_of(Path(output)).min_size if min_size is None else min_size,
            options,
            transforms,
        ),
        decoder,
        Goal(budget or Budget(), objective, target, count_code) if asked_for_plan else None,
        array,
        RamGoal(arena, in_ram=in_ram, decompression_memory=decompression_memory),
        reference_kernels,
        names,
    )
    return run(job, on_start, on_done)


def run(
    job: PackJob,
    on_start: OnStart | None = None,
    on_done: Callable[[int], None] | None = None,
) -> PackResult:
    """`pack_file`, with its options as one value."""
    if is_index(job.model):
        return _run_checkpoint(job, on_start, on_done)
    if job.output.is_dir():
        raise InputError(
            f"{job.output} is a directory. Give a file name, such as "
            f"{job.output / job.model.with_suffix('.spk').name}."
        )
    check_has_name(job.output)
    file_type = type_of(job.output)
    if file_type.choose is None or file_type.write is None:
        raise InputError(
            f"{job.output}: files of this kind cannot be written. Choose a name that ends in "
            f"{suffixes(lambda t: t.write)}."
        )
    refuse_to_overwrite(job.output, job.model, "model")
    file_type.check(job.output)
    check_output(job.output)
    if job.array is not None:
        _check_array(job.array, job.output)
    if not job.names:
        _check_nameless(job.output)
    read = reader_of(job.model)
    file_type.check_job(job)
    if kind_of(job.model) == ".safetensors" and kind_of(job.output) == ".spk" and not job.goal:
        return _stream(job, [Shard(Contents(job.model), job.output)], None, on_start, on_done)
    tensors = read(job.model)
    if on_start:
        on_start(tensors)
    overhead = file_type.overhead(job, (tensor.name for tensor in tensors))
    chosen = file_type.choose(job, tensors, overhead, on_done)
    files = file_type.write(job.output, chosen)
    for path in files:
        refuse_to_overwrite(path, job.model, "model")
    write_files(files)
    sizes = {path: len(data) for path, data in files.items()}
    model_nbytes = (chosen.dense_nbytes, len(chosen.model)) if chosen.model else None
    return PackResult(
        chosen.tensors,
        sizes,
        chosen.plan,
        model_nbytes=model_nbytes,
        ram=chosen.ram,
        remarks=chosen.remarks,
        warnings=chosen.warnings,
        firmware=chosen.firmware,
    )


def _run_checkpoint(
    job: PackJob, on_start: OnStart | None, on_done: Callable[[int], None] | None
) -> PackResult:
    """Pack the shards of a checkpoint into a directory."""
    check_folder(job.model, job.output)
    if job.goal:
        raise InputError(
            f"{job.model}: a plan needs all tensors of a model at once, and those of a checkpoint "
            "in several files stream through one after the other. Leave the budgets, "
            "`objective`, `target` and `count_code` out, or pack its files one by one."
        )
    if job.array is not None:
        _check_array(job.array, job.output)
    shards = open_shards(job.model, job.output)
    check_targets(job.output, shards)
    if not job.names:
        for shard in shards:
            check_c_output(shard.output)
    folder = None if job.output.is_dir() else job.output
    return _stream(job, shards, folder, on_start, on_done)


def _stream(
    job: PackJob,
    shards: list[Shard],
    folder: Path | None,
    on_start: OnStart | None,
    on_done: Callable[[int], None] | None,
) -> PackResult:
    """Pack files whose tensors stream through. folder: a directory to be made for them."""
    contents = [shard.contents for shard in shards]
    check_not_empty(job.model, contents)
    warn_of_others(job.model, contents)
    with_int8 = [shard for shard in shards if shard.contents.entries]
    if on_start:
        on_start([entry for shard in with_int8 for entry in shard.contents.entries])
    if folder or len(with_int8) > 1:
        allow_open_files(len(with_int8) * (1 if job.names else 2))
    with new_files(folder) as new:
        tensors, sizes, remarks = pack_shards(job, with_int8, new, on_done)
    return PackResult(tensors, sizes, remarks=remarks)


def _check_nameless(output: Path) -> None:
    """Refuse to leave names out where they are needed, or a header that would not be ours."""
    if kind_of(output) != ".spk":
        raise InputError(
            f"`names=False` is for .spk output only. Leave it out, or choose an output that ends "
            f"in .spk, not {output}.",
            names=False,
        )
    check_c_output(output)


def _check_array(array: str, output: Path) -> None:
    """Refuse the name of an array where none is written, or one that is no name."""
    if kind_of(output) != ".cc":
        raise InputError(
            f"`array={array}` is for .cc and .cpp output only. Leave it out, or choose an output "
            f"that ends in .cc, not {output}.",
            array=array,
        )
    array_name(output, array)
