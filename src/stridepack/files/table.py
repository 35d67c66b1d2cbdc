# SPDX-License-Identifier: Apache-2.0
"""One table: what can be done with a file, by its suffix."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stridepack._words import listed
from stridepack.errors import InputError
from stridepack.files.arrays import read_npy, read_npz, write_npz
from stridepack.files.atomic import NewFile
from stridepack.files.blobs import choose_blobs
from stridepack.files.c_array import write_c_array
from stridepack.files.c_names import check_c_output
from stridepack.files.c_source import c_overhead, write_c
from stridepack.files.job import Chosen, OnDone, PackJob
from stridepack.files.kinds import kind_of, tflite_bytes
from stridepack.files.nameless import numbers_header
from stridepack.files.onnx import read_onnx
from stridepack.files.safetensors import read_safetensors
from stridepack.files.spk import build_bundle, bundle_overhead
from stridepack.files.spk_read import BundleReader, read_unpacked
from stridepack.files.tflite import (
    check_tflite_job,
    choose_tflite,
    unpack_tflite_file,
    write_tflite,
)
from stridepack.plan.rules import DEFAULT_MIN_SIZE, SMALL
from stridepack.tensor import WeightTensor
from stridepack.tflite.constants import parse_tflite


@dataclass(frozen=True)
class FileType:
    """What can be done with files of one suffix; None: it is not possible.

    Attributes
    ----------
    read : callable or None
        The int8 tensors of a file, unpacked where they are packed.
    choose : callable or None
        How each tensor is stored when a model is packed into such a file. It gets the job, the
        tensors, the bytes of Flash beside the blobs, and a function to report progress to.
    write : callable or None
        The contents of the files by path, from what was chosen. Nothing is written yet.
    check : callable
        Raises InputError or OutputError for a name that such an output must not have. Called
        before anything takes time.
    check_job : callable
        Raises InputError for what such an output cannot do. Called before the model is read.
    min_size : int
        Tensors of fewer elements stay dense, unless something else is asked for.
    overhead : callable
        Bytes of Flash beside the blobs, for a job with tensors of these names.
    unpack : mapping of str to callable
        What a packed file can be unpacked to: by the suffix of the output, what writes it into a
        new file.
    """

    read: Callable[[Path], list[WeightTensor]] | None = None
    choose: Callable[[PackJob, Sequence[WeightTensor], int, OnDone | None], Chosen] | None = None
    write: Callable[[Path, Chosen], dict[Path, bytes]] | None = None
    check: Callable[[Path], None] = lambda path: None
    check_job: Callable[[PackJob], None] = lambda job: None
    min_size: int = DEFAULT_MIN_SIZE
    overhead: Callable[[PackJob, Iterable[str]], int] = lambda job, names: 0
    unpack: Mapping[str, Callable[[Path, NewFile], None]] = field(default_factory=dict)


def _write_spk(output: Path, chosen: Chosen) -> dict[Path, bytes]:
    """The bundle, and without names the header beside it."""
    files = {output: build_bundle(chosen.blobs, names=chosen.names)}
    if not chosen.names:
        header = numbers_header(output.stem, chosen.blobs)
        files[output.with_suffix(".h")] = header.encode()
    return files


def _read_tflite(path: Path) -> list[WeightTensor]:
    return parse_tflite(tflite_bytes(path), str(path))


def _unpack_bundle(path: Path, new: NewFile) -> None:
    """Unpack its tensors one after the other."""
    tensors = (entry.read() for entry in BundleReader(path).entries)
    write_npz(new, ((tensor.name, tensor.values) for tensor in tensors))


_UNPACK_TFLITE: dict[str, Callable[[Path, NewFile], None]] = {
    ".tflite": lambda path, new: new.write(unpack_tflite_file(path)),
    ".npz": lambda path, new: write_npz(new, [(t.name, t.values) for t in _read_tflite(path)]),
}

# By the suffix that stands for the kind: `kind_of` knows the others.
TYPES: dict[str, FileType] = {
    ".tflite": FileType(
        read=_read_tflite,
        choose=choose_tflite,
        write=write_tflite,
        check_job=check_tflite_job,
        min_size=SMALL,
        unpack=_UNPACK_TFLITE,
    ),
    ".onnx": FileType(read=read_onnx),
    ".npy": FileType(read=read_npy),
    ".npz": FileType(read=read_npz),
    ".safetensors": FileType(read=read_safetensors),
    # In, all C text is an array that holds a .tflite. Out, .cc is such an array, for TensorFlow
    # Lite Micro, which is C++, and .c are blobs for the C library.
    ".cc": FileType(
        read=_read_tflite,
        choose=choose_tflite,
        write=write_c_array,
        check=check_c_output,
        check_job=check_tflite_job,
        min_size=SMALL,
        unpack=_UNPACK_TFLITE,
    ),
    ".c": FileType(
        read=_read_tflite,
        choose=choose_blobs,
        write=write_c,
        check=check_c_output,
        overhead=lambda job, names: c_overhead(names),
    ),
    ".h": FileType(read=_read_tflite),
    ".spk": FileType(
        read=read_unpacked,
        choose=choose_blobs,
        write=_write_spk,
        overhead=lambda job, names: bundle_overhead(names, names=job.names),
        unpack={".npz": _unpack_bundle},
    ),
}


def type_of(path: Path) -> FileType:
    """What can be done with a file; nothing where its suffix is unknown."""
    return TYPES.get(kind_of(path), FileType())


def check_has_name(output: Path) -> None:
    """Refuse a name that is nothing but a suffix, such as .tflite."""
    if not output.suffix and kind_of(Path(f"model{output.name}")) in TYPES:
        raise InputError(
            f"{output}: this is a suffix without a name before it. Give a whole name, such as "
            f"model{output.name}."
        )


def suffixes(ability: Callable[[FileType], object], before_last: str = "or") -> str:
    """The suffixes that have an ability, for messages: ".npy, .npz or .spk"."""
    return listed((suffix for suffix, of in TYPES.items() if ability(of)), before_last)
