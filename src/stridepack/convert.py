"""Whole files: pack a model into an output of any kind, and unpack it again."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.bundle import build_bundle, read_bundle
from stridepack.emit.c_source import c_sources
from stridepack.emit.tflite import PackedModel, pack_tflite, unpack_tflite
from stridepack.errors import InputError, ModelError
from stridepack.files import write_files
from stridepack.formats import formats, known_options, options_of
from stridepack.io import read_weights
from stridepack.planner import DEFAULT_MIN_SIZE, plan
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
    """What `pack_file` did: how each tensor is stored, and the size of each file in bytes."""

    tensors: list[Stored]
    files: dict[Path, int]


def pack_file(
    model: Path,
    output: Path,
    format: str = "auto",
    *,
    decoder: str = "tflm",
    tile: int | None = None,
    min_size: int = DEFAULT_MIN_SIZE,
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
    targets = [output, output.with_suffix(".h")] if suffix == ".c" else [output]
    for target in targets:
        if target.resolve() == model.resolve():
            raise InputError(f"{target}: the output would overwrite the model")
    if suffix == ".tflite":
        if model.suffix.lower() != ".tflite":
            raise InputError(f"{output}: a .tflite can only be made from a .tflite, not {model}")
        if tile is not None:
            raise InputError(
                f"{output}: TensorFlow Lite Micro decodes whole tensors, so tile={tile} is not "
                "possible with .tflite output"
            )
        types = _types(decoder, format, options)
    elif decoder != DECODERS[0]:
        raise InputError(f"{output}: decoder={decoder} is for .tflite output only")

    tensors = read_weights(model)
    if on_start:
        on_start(tensors)
    if suffix == ".tflite":
        packed_model = pack_tflite(
            model.read_bytes(), types, min_size=min_size, file=str(model), on_done=on_done
        )
        files = {output: packed_model.data}
        stored = [_stored_in_tflite(tensor, packed_model) for tensor in tensors]
    else:
        choices = plan(tensors, format, min_size=min_size, tile=tile, on_done=on_done, **options)
        packed = {choice.tensor.name: choice.packed for choice in choices}
        if suffix == ".c":
            source, header = c_sources(output.stem, packed)
            files = dict(zip(targets, (source.encode(), header.encode()), strict=True))
        else:
            files = {output: build_bundle(packed)}
        stored = [Stored(c.tensor, c.packed.format, c.packed.nbytes, c.note) for c in choices]
    write_files(files)
    return PackResult(stored, {path: len(data) for path, data in files.items()})


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
