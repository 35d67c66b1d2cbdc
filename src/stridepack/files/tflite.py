# SPDX-License-Identifier: Apache-2.0
"""Packed .tflite files, and arrays that hold one: which DECODE type for which tensor."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stridepack._words import listed
from stridepack.errors import InputError, StridepackError
from stridepack.files.job import DECODERS, Chosen, OnDone, PackJob, Stored
from stridepack.files.kinds import holds_tflite, kind_of, tflite_bytes
from stridepack.files.remarks import about_model
from stridepack.formats import check_options, formats, options_of
from stridepack.plan.budget import OBJECTIVES
from stridepack.plan.options import AUTO
from stridepack.tensor import WeightTensor
from stridepack.tflite.arena.goal import RamGoal
from stridepack.tflite.firmware import firmware_of
from stridepack.tflite.pack import PackedModel, pack_tflite, unpack_tflite
from stridepack.tflite.types import DecodeType, decode_type, decode_types
from stridepack.tflite.types.blob import Blob


def choose_tflite(
    job: PackJob, tensors: Sequence[WeightTensor], overhead: int, on_done: OnDone | None
) -> Chosen:
    """The DECODE type for each tensor that makes the file smallest, within limits of RAM.

    All that it adds to the file is counted.
    """
    model = tflite_bytes(job.model)
    packed = pack_tflite(
        model,
        _types(job),
        min_size=job.options.min_size,
        reference_kernels=job.reference_kernels,
        file=str(job.model),
        ram=_ram(job),
        on_done=on_done,
    )
    stored = [_stored(tensor, packed) for tensor in tensors]
    firmware = None
    if not packed.is_refused:  # else no firmware runs it
        firmware = firmware_of(model, packed.data, (s.format for s in stored))
    return Chosen(
        stored,
        model=packed.data,
        dense_nbytes=len(model),
        array=job.array,
        ram=packed.ram,
        remarks=about_model(packed, stored),
        warnings=list(packed.limits),
        firmware=firmware,
    )


def write_tflite(output: Path, chosen: Chosen) -> dict[Path, bytes]:
    """The content of the file."""
    return {output: chosen.model}


def unpack_tflite_file(path: Path) -> bytes:
    """The dense model of a packed .tflite, or of an array that holds one."""
    return unpack_tflite(tflite_bytes(path), file=str(path))


def arena_nbytes(model: Path, *, min_size: int) -> tuple[int, int]:
    """Bytes of tensor arena that a .tflite model needs as it is, and as `pack` packs it.

    Raises
    ------
    StridepackError
        When the model cannot be packed or run.
    """
    packed = pack_tflite(tflite_bytes(model), min_size=min_size, file=str(model), ram=RamGoal())
    if packed.ram is None or not packed.ram.measured:
        raise StridepackError(f"{model}: the TensorFlow Lite Micro interpreter cannot run it.")
    return packed.ram.before, packed.ram.after


def check_tflite_job(job: PackJob) -> None:
    """Refuse what cannot be promised of a .tflite."""
    if not holds_tflite(job.model):
        is_file = kind_of(job.output) == ".tflite"
        what = "a .tflite file" if is_file else "an array that holds a .tflite file"
        raise InputError(
            f"{job.output}: {what} can only be made from a .tflite file, or from C text with an "
            f"array that holds one. {job.model} is neither. Write a .c or .spk file."
        )
    if job.options.tile is not None:
        raise InputError(
            f"`tile={job.options.tile}` does not work with .tflite output, because TensorFlow Lite "
            "Micro decodes whole tensors. Leave it out, or write a .c or .spk file.",
            tile=job.options.tile,
        )
    _check_ram(job)


def _ram(job: PackJob) -> RamGoal:
    """What is asked of the file and its RAM. A .tflite has no other use for SRAM than the arena."""
    if job.goal is None:
        return job.ram
    budget = job.goal.budget
    arena = job.ram.arena if budget.sram is None else budget.sram
    return replace(
        job.ram, arena=arena, flash=budget.flash, smallest=job.goal.objective == OBJECTIVES[0]
    )


def _check_ram(job: PackJob) -> None:
    """Of all that can be planned, a .tflite knows the size of its file and its tensor arena."""
    if job.ram.arena is not None and job.ram.arena < 0:
        raise InputError(
            f"`arena={job.ram.arena}` is negative. An arena takes at least 0 bytes.",
            arena=job.ram.arena,
        )
    if job.ram.decompression_memory and job.decoder != DECODERS[0]:
        raise InputError(
            f"`decompression_memory=True` does not work with `decoder={job.decoder}`. Only the "
            "DECODE operators of TensorFlow Lite Micro itself write into such memory. Leave one of "
            "both out.",
            decompression_memory=True,
            decoder=job.decoder,
        )
    if job.goal is None:
        return
    goal = job.goal
    if goal.budget.sram is not None and job.ram.arena is not None:
        raise InputError(
            f"`sram={goal.budget.sram}` and `arena={job.ram.arena}` mean the same for .tflite "
            "output. Give one of them.",
            sram=goal.budget.sram,
            arena=job.ram.arena,
        )
    if goal.objective == OBJECTIVES[0] and job.ram.in_ram:
        raise InputError(
            f"`objective={goal.objective}` asks for the smallest file whatever the RAM, and "
            "`in_ram=True` for the smallest sum of both. Give one of them.",
            objective=goal.objective,
            in_ram=True,
        )
    given = {
        "max_cycles": goal.budget.cycles,
        "objective": None if goal.objective == OBJECTIVES[0] else goal.objective,
        "target": goal.target,
        "count_code": goal.count_code or None,
    }
    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"`{name}={value}` does not work with .tflite output. What decoding costs in "
                "TensorFlow Lite Micro is not known, so formats are chosen by size alone. "
                "Write a .c or .spk file for the C runtime instead.",
                **{name: value},
            )


def _types(job: PackJob) -> list[DecodeType]:
    """DECODE types to choose from, by the decoder and the format that were asked for."""
    decoder, format = job.decoder, job.options.format
    if decoder not in DECODERS:
        raise InputError(
            f"`decoder={decoder}` is unknown. Choose {listed(DECODERS)}.", decoder=decoder
        )
    stock = decoder == DECODERS[0]
    names = decode_types() if stock else formats()[1:]
    if format not in (AUTO, "dense", *names):
        other = "add `decoder=stridepack`" if stock else "leave `decoder=stridepack` out"
        decodes = "An unmodified TensorFlow Lite Micro" if stock else "The decoder of stridepack"
        raise InputError(
            f"{decodes} does not decode `format={format}`. Choose dense, {', '.join(names)}, or "
            f"{other}.",
            format=format,
            decoder="stridepack",
        )
    chosen = names if format == AUTO else () if format == "dense" else (format,)
    options = job.options.of_formats
    if stock:
        for name, value in options.items():
            raise InputError(
                f"`{name}={value}` has no effect on .tflite output that an unmodified TensorFlow "
                "Lite Micro decodes. Leave it out, or add `decoder=stridepack`.",
                **{name: value, "decoder": "stridepack"},
            )
        return [decode_type(name) for name in chosen]
    check_options(chosen, options)
    return [
        Blob(name, options_of(name, options), transforms=job.options.transforms) for name in chosen
    ]


def _stored(tensor: WeightTensor, packed: PackedModel) -> Stored:
    if payload := (packed.payloads | packed.already).get(tensor.name):
        return Stored(tensor, payload.format, payload.nbytes)
    return Stored(tensor, "dense", tensor.size, packed.notes.get(tensor.name, ""))
