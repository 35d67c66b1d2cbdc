# SPDX-License-Identifier: Apache-2.0
"""Arrays of .npy files and .npz archives, read without trust: any bytes give arrays or ModelError.

A header is read before its data. So only int8 arrays take memory, and only as much as they may.
"""

import math
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from stridepack.errors import ModelError, reason

# What zipfile and its decompressors raise for archives that are damaged, encrypted or foreign
_ARCHIVE_ERRORS: tuple[type[Exception], ...] = (
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
try:
    import lzma
except ImportError:  # a Python that was built without it
    pass
else:
    _ARCHIVE_ERRORS += (lzma.LZMAError,)


@dataclass(frozen=True)
class Header:
    """What stands before the data of an array.

    Attributes
    ----------
    dtype : dtype
    shape : tuple of int
    fortran_order : bool
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool

    @property
    def nbytes(self) -> int:
        """Bytes of the data."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> Header:
    """Read the header of an array.

    Raises
    ------
    ValueError
        With a reason, for anything else.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        with warnings.catch_warnings():  # NumPy warns of headers from Python 2
            warnings.simplefilter("ignore")
            shape, fortran_order, dtype = read(file)
    except MemoryError:
        raise
    except Exception as error:  # NumPy's parser raises whatever Python's parser does
        raise ValueError(f"its header cannot be read: {reason(error)}") from error
    if any(isinstance(n, bool) or n < 0 for n in shape):
        raise ValueError(f"its header has the shape {shape}")
    return Header(dtype, tuple(map(int, shape)), bool(fortran_order))


def read_data(file: IO[bytes], header: Header) -> npt.NDArray[Any]:
    """Read the data that follow a header.

    Raises
    ------
    ValueError
        When there are fewer bytes than the shape needs, or the elements are Python objects.
    """
    if header.dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    data = bytearray(header.nbytes)
    left = memoryview(data)
    while left and (part := file.read(min(len(left), 2**24))):
        left[: len(part)] = part
        left = left[len(part) :]
    if left:
        raise ValueError(
            f"its shape needs {header.nbytes:,} bytes of data, but {header.nbytes - len(left):,} "
            "are there"
        )
    array = np.frombuffer(data, header.dtype)
    if header.fortran_order:
        return np.ascontiguousarray(array.reshape(header.shape[::-1]).T)
    return array.reshape(header.shape)


@contextmanager
def open_archive(path: Path) -> Iterator["Archive"]:
    """A .npz file to read from.

    Raises
    ------
    ModelError
        Also for whatever is damaged in it, while it is read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield Archive(path, archive)
    except _ARCHIVE_ERRORS as error:
        raise ModelError(
            f"{path}: this is not a .npz file, or it is damaged: {reason(error)}."
        ) from error


class Archive:
    """The arrays of a .npz file by name.

    Attributes
    ----------
    headers : dict of str to Header
    foreign : list of str
        Names of members that are no arrays.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.headers: dict[str, Header] = {}
        self.foreign: list[str] = []
        for member in archive.infolist():
            if not member.is_dir():
                self._add(member)

    def _add(self, member: zipfile.ZipInfo) -> None:
        with self._reading(member) as file:
            start = file.read(len(np.lib.format.MAGIC_PREFIX))
        if start != np.lib.format.MAGIC_PREFIX:
            self.foreign.append(member.filename)
            return
        name = member.filename.removesuffix(".npy")
        if name in self.headers:
            raise ModelError(
                f"{self._path}: it has two arrays with the name {name!r}, of which only one could "
                "be read. Write the archive again, with different names."
            )
        with self._reading(member) as file:
            self.headers[name] = read_header(file)
        self._members[name] = member

    def read(self, name: str) -> npt.NDArray[Any]:
        """The array of that name."""
        with self._reading(self._members[name]) as file:
            array = read_data(file, read_header(file))
            file.read(1)  # to the end of the member, where its checksum is compared
            return array

    @contextmanager
    def _reading(self, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
        try:
            with self._archive.open(member) as file:
                yield file
        except _ARCHIVE_ERRORS as error:
            raise ModelError(
                f"{self._path}: its member {member.filename!r} cannot be read: {reason(error)}."
            ) from error
