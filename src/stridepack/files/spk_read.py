# SPDX-License-Identifier: Apache-2.0
"""Bundles (.spk) that are read blob by blob: only what stands before the blobs is kept."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stridepack import _core, _spec
from stridepack._memory import Allowance
from stridepack.errors import CorruptDataError, ModelError, reason
from stridepack.files.spk import (
    ENTRY_SIZE,
    HEADER,
    HEADER_SIZE,
    NAMES_STORED,
    damaged,
    decode_names,
)
from stridepack.packed import Packed
from stridepack.tensor import WeightTensor

_STATUS = {name: status for status, (name, _) in _spec.STATUS.items()}


@dataclass(frozen=True, eq=False, slots=True)
class BundleEntry:
    """A tensor of a bundle that has not been read.

    Attributes
    ----------
    name : str
    begin, end : int
        Where its blob is in the file.
    file : BundleReader
    """

    name: str
    begin: int
    end: int
    file: "BundleReader"

    def packed(self) -> Packed:
        """The blob, of which everything is checked."""
        return self.file.blob(self.begin, self.end)

    def read(self) -> WeightTensor:
        """The tensor, unpacked."""
        packed = self.packed()
        self.file.allowance.take(packed.n_elements)
        return WeightTensor(self.name, packed.unpack())


class BundleReader:
    """The table of a bundle file, and its blobs one by one.

    Attributes
    ----------
    entries : list of BundleEntry
        In the order of the file. Where it has no names, they are called "0", "1" and so on.
    hashes : list of int
        The CRC-32 of each name where the file has no names, and nothing where it has them.
    allowance : Allowance
        What its tensors may take in all when they are unpacked.

    Raises
    ------
    ModelError
        When the file cannot be read.
    CorruptDataError
        For what is wrong before the blobs. Of a blob it is said when that is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(HEADER_SIZE)
                begin = _after_header(path, head, size)
                rest = file.read(begin - HEADER_SIZE)
        except OSError as error:
            raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
        if len(rest) < begin - HEADER_SIZE:
            raise self._error("header")
        _, _, flags, n, _ = HEADER.unpack_from(head)
        stored_names = int.from_bytes(head[20:24], "little")
        if zlib.crc32(rest, zlib.crc32(head[20:], zlib.crc32(head[:16]))) != int.from_bytes(
            head[16:20], "little"
        ):
            raise self._error("checksum")
        table = np.frombuffer(rest, "<u4", 2 * n).reshape(n, 2)
        hashes: list[int] = table[:, 1].tolist()
        names = self._names(rest[ENTRY_SIZE * n :][:stored_names], hashes, flags)
        begins = [*table[:, 0].tolist(), size]
        if begins[0] != begin or begins != sorted(begins):
            raise self._error("header")
        self.hashes = [] if flags & NAMES_STORED else hashes
        self.allowance = Allowance(str(path), size)
        self.entries = [
            BundleEntry(name, begins[i], begins[i + 1], self) for i, name in enumerate(names)
        ]

    def blob(self, begin: int, end: int) -> Packed:
        """A blob, of which everything is checked."""
        try:
            with self.path.open("rb") as file:
                file.seek(begin)
                data = file.read(end - begin)
        except OSError as error:
            raise ModelError(f"{self.path}: the file cannot be read: {reason(error)}.") from error
        view = np.frombuffer(data, np.uint8)
        if status := _core.open(view)[0] or _core.validate(view):
            raise damaged(str(self.path), status)
        return Packed(data)

    def _names(self, stored: bytes, hashes: Sequence[int], flags: int) -> list[str]:
        if not flags & NAMES_STORED:
            return decode_names([None] * len(hashes), str(self.path))
        encoded = stored.split(b"\0")
        if encoded.pop() or len(encoded) != len(hashes):
            raise self._error("header")
        for name, stored_hash in zip(encoded, hashes, strict=True):
            if len(name) > _spec.MAX_NAME or zlib.crc32(name) != stored_hash:
                raise self._error("header")
        return decode_names(encoded, str(self.path))

    def _error(self, status: str) -> CorruptDataError:
        return damaged(str(self.path), _STATUS[status])


def _after_header(path: Path, head: bytes, size: int) -> int:
    """Where the blobs begin, as far as the header says so."""

    def error(status: str) -> CorruptDataError:
        return damaged(str(path), _STATUS[status])

    if size < 4:
        raise error("truncated")
    if head[:4] != b"SPKF":
        raise error("magic")
    if len(head) < HEADER_SIZE:
        raise error("truncated")
    _, version, flags, n, whole = HEADER.unpack_from(head)
    names = int.from_bytes(head[20:24], "little")
    if version != _spec.VERSION:
        raise error("version")
    if whole != size:
        raise error("truncated")
    if flags > NAMES_STORED or (names and not flags):
        raise error("header")
    begin: int = -(-(HEADER_SIZE + ENTRY_SIZE * n + names) // 4) * 4
    if begin > size:
        raise error("header")
    return begin


def read_unpacked(path: Path) -> list[WeightTensor]:
    """The unpacked tensors of a bundle file, all at once."""
    bundle = BundleReader(path)
    blobs = [entry.packed() for entry in bundle.entries]
    bundle.allowance.take(sum(packed.n_elements for packed in blobs))
    return [
        WeightTensor(entry.name, packed.unpack())
        for entry, packed in zip(bundle.entries, blobs, strict=True)
    ]
