# SPDX-License-Identifier: Apache-2.0
"""Files of arrays: .npy and .npz in, .npz out."""

import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack._memory import Allowance
from stridepack._words import listed
from stridepack.errors import InputError, ModelError, reason
from stridepack.files.atomic import NewFile
from stridepack.files.npy import open_archive, read_data, read_header
from stridepack.tensor import WeightTensor

# So many arrays that are left out are named one by one
_FEW = 3

# Bytes of a name in an archive, without the ".npy" that follows it
_MAX_MEMBER = 2**16 - 1 - len(".npy")


def read_npy(path: Path) -> list[WeightTensor]:
    """Read one array; it is named after the file."""
    try:
        with path.open("rb") as file:
            header = read_header(file)
            if header.dtype != np.int8:
                return _tensors(path, {}, {path.stem: str(header.dtype)})
            check_shape(path, path.stem, header.shape)
            Allowance(str(path), path.stat().st_size).take(header.nbytes)
            array = read_data(file, header)
    except (OSError, ValueError) as error:
        raise ModelError(_damaged(path, reason(error))) from error
    return _tensors(path, {path.stem: array}, {})


def read_npz(path: Path) -> list[WeightTensor]:
    """Read all int8 arrays of an archive."""
    with open_archive(path) as archive:
        int8 = {name: of for name, of in archive.headers.items() if of.dtype == np.int8}
        others = {name: str(h.dtype) for name, h in archive.headers.items() if name not in int8}
        for name, header in int8.items():
            check_shape(path, name, header.shape)
        allowance = Allowance(str(path), path.stat().st_size)
        allowance.take(sum(header.nbytes for header in int8.values()))
        arrays = {name: archive.read(name) for name in int8}
    return _tensors(path, arrays, others | dict.fromkeys(archive.foreign, "another kind of file"))


def write_npz(new: NewFile, arrays: Iterable[tuple[str, npt.NDArray[np.int8]]]) -> None:
    """Write a .npz array by array.

    It is as np.savez writes it, but the same bytes at any time and with any name in it.
    """
    with new.stream() as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays:
            _check_member(name)
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                header, np.lib.format.header_data_from_array_1_0(array)
            )
            member = zipfile.ZipInfo(f"{name}.npy")
            member.file_size = len(header.getvalue()) + array.nbytes
            with archive.open(member, "w") as entry:
                entry.write(header.getvalue())
                entry.write(np.ascontiguousarray(array).reshape(-1).data)


def _check_member(name: str) -> None:
    """Refuse a name that no member of an archive can have."""
    if len(name.encode()) > _MAX_MEMBER or "\0" in name:
        raise InputError(
            f"The name of tensor {name[:80]!r} has {len(name.encode()):,} bytes, or a zero "
            f"byte. In a .npz file, a name has at most {_MAX_MEMBER:,} bytes, and none of them "
            "is zero."
        )


def _damaged(path: Path, why: object) -> str:
    return f"{path}: this is not a {path.suffix.lower()} file, or it is damaged: {why}."


def check_shape(path: Path, name: str, shape: tuple[int, ...]) -> None:
    """Raise ModelError for a shape that no blob can have."""
    what = f"{path}: array {name[:80]!r}"
    if len(shape) > _spec.MAX_DIMS:
        raise ModelError(
            f"{what} has {len(shape)} dimensions. At most {_spec.MAX_DIMS} are possible."
        )
    if max(shape, default=0) >= 1 << 32:
        raise ModelError(
            f"{what} has a dimension of {max(shape):,}. At most {(1 << 32) - 1:,} is possible."
        )


def _tensors(
    path: Path, arrays: Mapping[str, npt.NDArray[np.int8]], left_out: Mapping[str, str]
) -> list[WeightTensor]:
    """The int8 arrays; a warning for each other one, an error when nothing is left."""
    tensors = [WeightTensor(name, array, origin=path.name) for name, array in arrays.items()]
    if not tensors:
        found = ", ".join(f"{n} ({dtype})" for n, dtype in list(left_out.items())[:10])
        more = f" and {len(left_out) - 10:,} more" if len(left_out) > 10 else ""
        raise ModelError(
            f"{path}: it holds no int8 arrays, only {found or 'nothing'}{more}. Quantise the model "
            "to int8 first."
        )
    if len(left_out) <= _FEW:
        for name, dtype in left_out.items():
            _warn(f"{path}: array {name} is left out, because it is {dtype} and not int8.")
    else:
        kinds = [f"{n:,} {dtype}" for dtype, n in Counter(left_out.values()).most_common()]
        first = ", ".join([*left_out][:_FEW])
        _warn(
            f"{path}: {len(left_out):,} arrays are left out, because they are not int8: "
            f"{listed(kinds, 'and')}. The first ones are {first}."
        )
    return tensors


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=5)
