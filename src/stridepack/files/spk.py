"""Bundles (.spk), both directions: docs/format.md, "The bundle"."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from stridepack import _core, _spec
from stridepack._memory import Allowance
from stridepack.errors import CorruptDataError, InputError, ModelError, status_text
from stridepack.files.atomic import write_files
from stridepack.files.job import Chosen
from stridepack.packed import Packed
from stridepack.tensor import WeightTensor

_HEADER_SIZE = 32
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
        raise ModelError(f"{path}: the file cannot be read: {error.strerror}") from error
    return parse_bundle(data, str(path))


def write_bundle(path: str | PathLike[str], tensors: Mapping[str, Packed]) -> int:
    """Write packed tensors by name into a bundle file (.spk), complete or not at all.

    Returns
    -------
    int
        Size of the file in bytes.

    Raises
    ------
    InputError
        For a name that is too long or contains a zero byte, or a file of more than 4 GiB.
    OutputError
        When the file cannot be written.
    """
    data = build_bundle(tensors)
    write_files({Path(path): data})
    return len(data)


def read_unpacked(path: Path) -> list[WeightTensor]:
    """The unpacked tensors of a bundle file."""
    blobs = read_bundle(path)
    Allowance(str(path), path.stat().st_size).take(sum(b.n_elements for b in blobs.values()))
    return [WeightTensor(name, packed.unpack()) for name, packed in blobs.items()]


def write_spk(output: Path, chosen: Chosen) -> dict[Path, bytes]:
    """The content of the bundle file."""
    return {output: build_bundle(chosen.blobs)}


def parse_bundle(data: bytes, what: str = "bundle") -> dict[str, Packed]:
    """Blobs of a bundle by name, in the order of the file."""
    status, tensors = _core.open_bundle(np.frombuffer(data, np.uint8))
    if status:
        next_step = _NEXT_STEP.get(_spec.STATUS[status][0], _DAMAGED)
        raise CorruptDataError(f"{what}: {status_text(status)}. {next_step}")
    blobs: dict[str, Packed] = {}
    for encoded, begin, size in tensors:
        try:
            name = encoded.decode()
        except UnicodeDecodeError as error:
            raise CorruptDataError(f"{what}: the name {encoded!r} is not UTF-8") from error
        if name in blobs:
            raise CorruptDataError(f"{what}: two tensors have the name {name!r}")
        blobs[name] = Packed(data[begin : begin + size])
    return blobs


def build_bundle(tensors: Mapping[str, Packed]) -> bytes:
    """One file of named blobs, which a device reads where it lies.

    Raises
    ------
    InputError
        For a name that is too long or contains a zero byte, or a file of more than 4 GiB.
    """
    names = _encode_names(tensors)
    table_size = _table_size(names)
    name_offset = _HEADER_SIZE + 16 * len(names)
    end = _align16(_HEADER_SIZE + table_size)
    parts: list[bytes] = []  # joined once: the blobs may take much memory
    table = bytearray()
    for name, packed in zip(names, tensors.values(), strict=True):
        parts += [bytes(-end % 16), packed.to_bytes()]
        end = _align16(end)
        fields = (name_offset, len(name), end, packed.nbytes)
        if max(fields) >= 1 << 32:
            raise InputError(_TOO_LONG)
        table += struct.pack("<4I", *fields)
        name_offset += len(name) + 1
        end += packed.nbytes
    table += b"".join(name + b"\0" for name in names)
    # Without a blob the file ends with its names.
    size = end if names else _HEADER_SIZE
    if size >= 1 << 32:
        raise InputError(_TOO_LONG)
    start = struct.pack("<4sB3xII", b"SPKF", _spec.VERSION, len(names), size)
    rest = struct.pack("<I8x", table_size) + table
    crc = struct.pack("<I", zlib.crc32(rest, zlib.crc32(start)))
    head = start + crc + rest
    padding = bytes(_align16(len(head)) - len(head) if names else 0)
    return b"".join([head, padding, *parts])


def bundle_overhead(names: Iterable[str]) -> int:
    """Bytes of a bundle before its first blob: header, table and names.

    Every blob starts at a multiple of 16 bytes; nothing follows the last one.

    Raises
    ------
    InputError
        For a name that `build_bundle` refuses.
    """
    return _align16(_HEADER_SIZE + _table_size(_encode_names(names)))


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


def _table_size(names: Sequence[bytes]) -> int:
    return 16 * len(names) + sum(len(name) + 1 for name in names)


def _align16(size: int) -> int:
    return -(-size // 16) * 16
