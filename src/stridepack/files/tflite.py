"""Packed .tflite files: which DECODE type for which tensor."""

from collections.abc import Sequence
from pathlib import Path

from stridepack._words import listed
from stridepack.errors import BudgetError, InputError
from stridepack.files.job import DECODERS, Chosen, OnDone, PackJob, Stored
from stridepack.formats import check_options, formats, options_of
from stridepack.plan.options import AUTO
from stridepack.plan.within import Goal
from stridepack.tensor import WeightTensor
from stridepack.tflite.firmware import firmware_of
from stridepack.tflite.pack import PackedModel, pack_tflite, unpack_tflite
from stridepack.tflite.types import DecodeType, decode_type, decode_types
from stridepack.tflite.types.blob import Blob


def choose_tflite(
    job: PackJob, tensors: Sequence[WeightTensor], overhead: int, on_done: OnDone | None
) -> Chosen:
    """The DECODE type for each tensor that makes the file smallest. What it adds is counted."""
    _check(job)
    packed = pack_tflite(
        job.model.read_bytes(),
        _types(job),
        min_size=job.options.min_size,
        file=str(job.model),
        on_done=on_done,
    )
    flash = job.goal.budget.flash if job.goal else None
    if flash is not None and len(packed.data) > flash:
        raise BudgetError(
            f"`flash={flash}` is too small for {job.output}. The smallest file takes "
            f"{len(packed.data):,} bytes, which is {len(packed.data) - flash:,} more. A .spk or "
            ".c file is usually smaller.",
            flash=flash,
        )
    stored = [_stored(tensor, packed) for tensor in tensors]
    firmware = firmware_of(job.model.read_bytes(), packed.data, (s.format for s in stored))
    return Chosen(stored, model=packed.data, firmware=firmware)


def write_tflite(output: Path, chosen: Chosen) -> dict[Path, bytes]:
    """The content of the file."""
    return {output: chosen.model}


def unpack_tflite_file(path: Path) -> bytes:
    """The dense model of a packed .tflite."""
    return unpack_tflite(path.read_bytes(), file=str(path))


def _check(job: PackJob) -> None:
    """Refuse what cannot be promised of a .tflite."""
    if job.model.suffix.lower() != ".tflite":
        raise InputError(
            f"{job.output}: a .tflite file can only be made from another .tflite file, and "
            f"{job.model} is not one. Write a .c or .spk file."
        )
    if job.options.tile is not None:
        raise InputError(
            f"`tile={job.options.tile}` does not work with .tflite output, because TensorFlow Lite "
            "Micro decodes whole tensors. Leave it out, or write a .c or .spk file.",
            tile=job.options.tile,
        )
    if job.goal is not None:
        _check_goal(job.goal)


def _check_goal(goal: Goal) -> None:
    """Of all that can be planned, a .tflite knows only the size of the file."""
    if (sram := goal.budget.sram) is not None:
        raise InputError(
            f"`sram={sram}` does not work with .tflite output. TensorFlow Lite Micro decodes whole "
            "tensors into its arena. `stridepack verify` shows how large that arena is. Write a .c "
            "or .spk file to decode into a small buffer.",
            sram=sram,
        )
    given = {
        "max_cycles": goal.budget.cycles,
        "objective": goal.objective,
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
    return [Blob(name, options_of(name, options)) for name in chosen]


def _stored(tensor: WeightTensor, packed: PackedModel) -> Stored:
    if payload := packed.payloads.get(tensor.name):
        return Stored(tensor, payload.format, payload.nbytes)
    return Stored(tensor, "dense", tensor.size, packed.notes.get(tensor.name, ""))
