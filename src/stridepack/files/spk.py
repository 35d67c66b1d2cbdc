# SPDX-License-Identifier: Apache-2.0
"""Bundles (.spk), both directions: docs/format.md, "The bundle"."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from stridepack import _core, _spec
from stridepack.errors import CorruptDataError, InputError, ModelError, reason, status_text
from stridepack.files.atomic import write_files
from stridepack.packed import Packed

HEADER = struct.Struct("<4s2B2x2I")  # up to the CRC-32, which follows
HEADER_SIZE = 24
ENTRY_SIZE = 8
NAMES_STORED = 1
_DAMAGED = "The file is damaged or incomplete. Copy it again, or pack the model again."
_NEXT_STEP = {
    "magic": "This is not a .spk file, whatever its name says.",
    "version": "Pack the model again with this version of stridepack.",
}
_TOO_LONG = (
    "The .spk file would be larger than 4 GiB, which is the limit. Split the tensors over several "
    "files."
)


def read_bundle(path: str | PathLike[str]) -> dict[str, Packed]:
    """Read a bundle file (.spk): packed tensors by name, in the order of the file.

    Where the file has no names, the names are "0", "1" and so on, in the order of the file.

    Raises
    ------
    ModelError
        When the file cannot be read.
    CorruptDataError
        For anything but a complete, valid bundle.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
    return parse_bundle(data, str(path))


def write_bundle(
    path: str | PathLike[str], tensors: Mapping[str, Packed], *, names: bool = True
) -> int:
    """Write packed tensors by name into a bundle file (.spk), complete or not at all.

    Parameters
    ----------
    path : str or PathLike
    tensors : mapping of str to Packed
    names : bool
        False: only the CRC-32 of each name is stored. The C library still finds a tensor by its
        name, or by its place in the mapping; `read_bundle` knows only the places.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    InputError
        For a name that is too long or contains a zero byte, or a file of more than 4 GiB. Also
        for two names of the same CRC-32 where names are not stored.
    OutputError
        When the file cannot be written.
    """
    data = build_bundle(tensors, names=names)
    write_files({Path(path): data})
    return len(data)


def parse_bundle(data: bytes, what: str = "bundle") -> dict[str, Packed]:
    """Blobs of a bundle by name, or by number where it has no names, in the order of the file."""
    status, tensors = _core.open_bundle(np.frombuffer(data, np.uint8))
    if status:
        raise damaged(what, status)
    names = decode_names((encoded for encoded, _, _ in tensors), what)
    return {
        name: Packed(data[begin : begin + size])
        for name, (_, begin, size) in zip(names, tensors, strict=True)
    }


def damaged(what: str, status: int) -> CorruptDataError:
    """The error for a file that has a status of the C runtime other than ok."""
    next_step = _NEXT_STEP.get(_spec.STATUS[status][0], _DAMAGED)
    return CorruptDataError(f"{what}: {status_text(status)}. {next_step}")


def decode_names(stored: Iterable[bytes | None], what: str) -> list[str]:
    """The names of the tensors of a bundle, or their numbers where it has no names."""
    names: dict[str, None] = {}
    for i, encoded in enumerate(stored):
        try:
            name = str(i) if encoded is None else encoded.decode()
        except UnicodeDecodeError as error:
            raise CorruptDataError(
                f"{what}: the name {encoded!r} is not UTF-8. {_DAMAGED}"
            ) from error
        if name in names:
            raise CorruptDataError(f"{what}: two tensors have the name {name!r}. {_DAMAGED}")
        names[name] = None
    return list(names)


def build_bundle(tensors: Mapping[str, Packed], *, names: bool = True) -> bytes:
    """One file of named blobs, which a device reads where it lies.

    Raises
    ------
    InputError
        As `write_bundle` does.
    """
    if not names:
        check_hashes(tensors)
    ends = [bundle_overhead(tensors, names=names)]
    for packed in tensors.values():
        ends.append(ends[-1] + packed.nbytes)
        check_file_size(ends[-1])
    # joined once: the blobs may take much memory
    blobs = (packed.to_bytes() for packed in tensors.values())
    return b"".join([bundle_head(tensors, ends, names=names), *blobs])


def check_file_size(nbytes: int) -> None:
    """Raise InputError for a file that is too large."""
    if nbytes >= 1 << 32:
        raise InputError(_TOO_LONG)


def bundle_head(names_of: Iterable[str], ends: Sequence[int], *, names: bool) -> bytes:
    """What stands in front of the blobs.

    ends: where each blob begins, and where the last one ends.
    """
    encoded = _encode_names(names_of)
    check_file_size(ends[-1])
    table = b"".join(
        struct.pack("<2I", begin, zlib.crc32(name))
        for begin, name in zip(ends[:-1], encoded, strict=True)
    )
    stored = b"".join(name + b"\0" for name in encoded) if names else b""
    flags = NAMES_STORED if names else 0
    start = HEADER.pack(b"SPKF", _spec.VERSION, flags, len(encoded), ends[-1])
    rest = struct.pack("<I", len(stored)) + table + stored
    rest += bytes(-len(rest) % 4)
    return start + struct.pack("<I", zlib.crc32(rest, zlib.crc32(start))) + rest


def bundle_overhead(names_of: Iterable[str], *, names: bool = True) -> int:
    """Bytes of a bundle beside its blobs: header, table and names.

    Parameters
    ----------
    names_of : iterable of str
        The names of the tensors.
    names : bool
        Whether they are stored.

    Raises
    ------
    InputError
        For a name that `build_bundle` refuses.
    """
    encoded = _encode_names(names_of)
    size = sum(len(name) + 1 for name in encoded) if names else 0
    return HEADER_SIZE + ENTRY_SIZE * len(encoded) + -(-size // 4) * 4


def _encode_names(names: Iterable[str]) -> list[bytes]:
    encoded_names = []
    for text in names:
        encoded = text.encode()
        if len(encoded) > _spec.MAX_NAME:
            raise InputError(
                f"The name of tensor {text[:80]!r} has {len(encoded):,} bytes. A name has at most "
                f"{_spec.MAX_NAME:,} bytes."
            )
        if b"\0" in encoded:
            raise InputError(
                f"The name of tensor {text[:80]!r} has a zero byte, which no name may have."
            )
        encoded_names.append(encoded)
    return encoded_names


def check_hashes(names: Iterable[str]) -> None:
    """Refuse two names that could not be told apart without their text."""
    seen: dict[int, str] = {}
    for name in names:
        other = seen.setdefault(zlib.crc32(name.encode()), name)
        if other != name:
            raise InputError(
                f"`names=False` is not possible. Tensors {other[:80]!r} and {name[:80]!r} have the "
                "same CRC-32 of their names, by which they would be found. Rename one of them, or "
                "store the names.",
                names=False,
            )
