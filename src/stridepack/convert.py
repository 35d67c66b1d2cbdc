"""Whole files: pack a model into an output of any kind, and unpack it again."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack import bundle
from stridepack.budget import OBJECTIVES, Budget
from stridepack.budget_plan import DEFAULT_TARGET, BudgetPlan, PlannedTensor, plan_within
from stridepack.bundle import build_bundle, read_bundle
from stridepack.emit import c_source
from stridepack.emit.c_source import c_sources
from stridepack.emit.tflite import PackedModel, pack_tflite, unpack_tflite
from stridepack.errors import BudgetError, InputError, ModelError
from stridepack.files import write_files
from stridepack.formats import formats, known_options, options_of
from stridepack.io import read_weights
from stridepack.planner import DEFAULT_MIN_SIZE, Choice, plan
from stridepack.tensor import WeightTensor
from stridepack.tflm import DecodeType, decode_type, decode_types
from stridepack.tflm.blob import Blob

DECODERS = ("tflm", "stridepack")
OUTPUT_SUFFIXES = (".tflite", ".c", ".spk")


@dataclass(frozen=True, eq=False)
class Stored:
    """How one tensor is stored in an output.

    Attributes
    ----------
    tensor : WeightTensor
    format : str
    nbytes : int
        What it takes: a whole blob, or in a .tflite its data and those that DECODE needs.
    note : str
        Why it stays dense, where it was not simply the smallest.
    """

    tensor: WeightTensor
    format: str
    nbytes: int
    note: str = ""


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
    """

    tensors: list[Stored]
    files: dict[Path, int]
    plan: BudgetPlan | None = None


def pack_file(
    model: Path,
    output: Path,
    format: str = "auto",
    *,
    decoder: str = "tflm",
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

    Parameters
    ----------
    model, output : Path
    format, tile, min_size, **options
        As in `stridepack.plan`. For ``.tflite``, whole tensors only.
    decoder : str
        For ``.tflite``: what will decode it. "tflm": TensorFlow Lite Micro as it is; `format` is
        one of `stridepack.tflm.decode_types` then, and has no options. "stridepack": our decoder,
        registered with the interpreter (runtime/tflm), and our formats.
    budget, objective, target, count_code : optional
        With any of them, ``.c`` and ``.spk`` are planned by `stridepack.plan_within`. Flash is what
        blobs, names and tables take: all of a ``.spk``. For ``.tflite`` only a budget of Flash is
        possible, the size of the file, which is as small as it gets with or without one.
    on_start, on_done : callable, optional
        Called with the tensors before packing, and with the number of elements after each tensor.

    Raises
    ------
    StridepackError
        One of its children; nothing was written.
    """
    suffix = output.suffix.lower()
    if suffix not in OUTPUT_SUFFIXES:
        raise InputError(
            f"{output}: cannot write {suffix or 'a file without suffix'}; "
            f"known are {', '.join(OUTPUT_SUFFIXES)}"
        )
    paths = [output, output.with_suffix(".h")] if suffix == ".c" else [output]
    for path in paths:
        if path.resolve() == model.resolve():
            raise InputError(f"{path}: the output would overwrite the model")
    if suffix == ".tflite":
        if model.suffix.lower() != ".tflite":
            raise InputError(f"{output}: a .tflite can only be made from a .tflite, not {model}")
        if tile is not None:
            raise InputError(
                f"{output}: TensorFlow Lite Micro decodes whole tensors, so tile={tile} is not "
                "possible with .tflite output"
            )
        _refuse_planning(output, budget, objective, target, count_code)
        types = _types(decoder, format, options)
    elif decoder != DECODERS[0]:
        raise InputError(f"{output}: decoder={decoder} is for .tflite output only")

    budget_plan = None
    tensors = read_weights(model)
    if on_start:
        on_start(tensors)
    if suffix == ".tflite":
        packed_model = pack_tflite(
            model.read_bytes(), types, min_size=min_size, file=str(model), on_done=on_done
        )
        files = {output: packed_model.data}
        stored = [_stored_in_tflite(tensor, packed_model) for tensor in tensors]
        _check_file_size(output, len(packed_model.data), budget)
    else:
        choices: Sequence[Choice | PlannedTensor]
        if (budget, objective, target, count_code) == (None, None, None, False):
            choices = plan(
                tensors, format, min_size=min_size, tile=tile, on_done=on_done, **options
            )
        else:
            overhead = c_source.overhead if suffix == ".c" else bundle.overhead
            budget_plan = plan_within(
                tensors,
                budget or Budget(),
                objective or OBJECTIVES[0],
                target=target or DEFAULT_TARGET,
                format=format,
                min_size=min_size,
                tile=tile,
                count_code=count_code,
                container_nbytes=overhead(tensor.name for tensor in tensors),
                on_done=on_done,
                **options,
            )
            choices = budget_plan.tensors
        packed = {choice.tensor.name: choice.packed for choice in choices}
        stored = [Stored(c.tensor, c.packed.format, c.packed.nbytes, c.note) for c in choices]
        if suffix == ".c":
            source, header = c_sources(output.stem, packed)
            files = dict(zip(paths, (source.encode(), header.encode()), strict=True))
        else:
            files = {output: build_bundle(packed)}
    write_files(files)
    return PackResult(stored, {path: len(data) for path, data in files.items()}, budget_plan)


def _refuse_planning(
    output: Path,
    budget: Budget | None,
    objective: str | None,
    target: str | None,
    count_code: bool,
) -> None:
    """Refuse what cannot be promised of a .tflite."""
    if budget is not None and budget.sram is not None:
        raise InputError(
            f"{output}: sram={budget.sram} is not possible with .tflite output: TensorFlow Lite "
            "Micro decodes whole tensors into its arena; `stridepack verify` shows how large it is"
        )
    given = {
        "cycles": None if budget is None else budget.cycles,
        "objective": objective,
        "target": target,
        "count_code": count_code or None,
    }
    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"{output}: {name}={value} is not possible with .tflite output: what its decoding "
                "costs in TensorFlow Lite Micro is not known, and its formats are chosen by size "
                "alone; write a .c or .spk for the C runtime"
            )


def _check_file_size(output: Path, nbytes: int, budget: Budget | None) -> None:
    if budget is not None and budget.flash is not None and nbytes > budget.flash:
        raise BudgetError(
            f"{output}: the smallest file takes {nbytes} bytes of Flash, "
            f"{nbytes - budget.flash} more than {budget.flash}"
        )


def _types(decoder: str, format: str, options: dict[str, Any]) -> list[DecodeType]:
    """DECODE types to choose from, by the decoder and the format that were asked for."""
    if decoder not in DECODERS:
        raise InputError(f"unknown decoder {decoder!r}; there are {', '.join(DECODERS)}")
    names = decode_types() if decoder == "tflm" else formats()[1:]
    if format not in ("auto", "dense", *names):
        raise InputError(
            f"format {format!r} is not possible with .tflite output and decoder {decoder}; dense, "
            f"{', '.join(names)} are"
        )
    chosen = names if format == "auto" else () if format == "dense" else (format,)
    known = known_options(chosen) if decoder == "stridepack" else frozenset()
    if unknown := set(options) - known:
        raise InputError(
            f"unknown option {', '.join(sorted(unknown))} for format {format!r} with decoder "
            f"{decoder}; known: {', '.join(sorted(known)) or 'none'}"
        )
    if decoder == "tflm":
        return [decode_type(name) for name in chosen]
    return [Blob(name, options_of(name, options)) for name in chosen]


def _stored_in_tflite(tensor: WeightTensor, packed: PackedModel) -> Stored:
    if payload := packed.payloads.get(tensor.name):
        return Stored(tensor, payload.format, payload.nbytes)
    return Stored(tensor, "dense", tensor.size, packed.notes.get(tensor.name, ""))


def unpack_file(packed: Path, output: Path) -> int:
    """Unpack a packed .tflite to a dense .tflite, or a .spk or .tflite to .npz.

    Returns
    -------
    int
        Size of the output in bytes.
    """
    kinds = (packed.suffix.lower(), output.suffix.lower())
    if output.resolve() == packed.resolve():
        raise InputError(f"{output}: the output would overwrite the packed file")
    if not packed.is_file():
        raise ModelError(f"{packed}: no such file")
    if kinds == (".tflite", ".tflite"):
        data = unpack_tflite(packed.read_bytes(), file=str(packed))
    elif kinds == (".tflite", ".npz"):
        data = _npz({tensor.name: tensor.values for tensor in read_weights(packed)})
    elif kinds == (".spk", ".npz"):
        data = _npz({name: blob.unpack() for name, blob in read_bundle(packed).items()})
    else:
        raise InputError(
            f"cannot unpack {packed} to {output}: a .tflite unpacks to .tflite or .npz, "
            "a .spk to .npz"
        )
    write_files({output: data})
    return len(data)


def _npz(arrays: Mapping[str, npt.NDArray[np.int8]]) -> bytes:
    """A .npz as np.savez writes it, but the same bytes at any time and with any name in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
    return buffer.getvalue()
