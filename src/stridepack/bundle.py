"""Bundles (.spk), both directions: docs/format.md, section 11."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stridepack import _core, _spec
from stridepack.errors import CorruptDataError, InputError, ModelError, raise_for_status
from stridepack.packed import Packed

_HEADER_SIZE = 32


def read_bundle(path: Path) -> dict[str, Packed]:
    """Read a bundle file.

    Raises
    ------
    CorruptDataError
        For anything but a complete, valid bundle.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    return parse_bundle(data, str(path))


def parse_bundle(data: bytes, what: str = "bundle") -> dict[str, Packed]:
    """Blobs of a bundle by name, in the order of the file."""
    status, tensors = _core.open_bundle(np.frombuffer(data, np.uint8))
    raise_for_status(status, what)
    blobs: dict[str, Packed] = {}
    for encoded, begin, size in tensors:
        try:
            name = encoded.decode()
        except UnicodeDecodeError as error:
            raise CorruptDataError(f"{what}: the name {encoded!r} is not UTF-8") from error
        if name in blobs:
            raise CorruptDataError(f"{what}: two tensors are named {name!r}")
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
    blobs = bytearray()
    blobs_begin = _align16(_HEADER_SIZE + table_size)
    table = bytearray()
    for name, packed in zip(names, tensors.values(), strict=True):
        blobs += bytes(-len(blobs) % 16)
        fields = (name_offset, len(name), blobs_begin + len(blobs), packed.nbytes)
        if max(fields) >= 1 << 32:
            raise InputError("a bundle is at most 4 GiB long")
        table += struct.pack("<4I", *fields)
        name_offset += len(name) + 1
        blobs += packed.to_bytes()
    table += b"".join(name + b"\0" for name in names)
    # Without a blob the file ends with its names.
    size = blobs_begin + len(blobs) if names else _HEADER_SIZE
    if size >= 1 << 32:
        raise InputError("a bundle is at most 4 GiB long")
    start = struct.pack("<4sB3xII", b"SPKF", _spec.VERSION, len(names), size)
    rest = struct.pack("<I8x", table_size) + table
    crc = struct.pack("<I", zlib.crc32(rest, zlib.crc32(start)))
    head = start + crc + rest
    return head + bytes(size - len(blobs) - len(head)) + bytes(blobs)


def overhead(names: Iterable[str]) -> int:
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
        if len(encoded) > _spec.MAX_NAME or b"\0" in encoded:
            raise InputError(
                f"tensor {text[:80]!r}: a name has at most {_spec.MAX_NAME} bytes and no zero "
                f"byte, this one has {len(encoded)} bytes"
            )
        encoded_names.append(encoded)
    return encoded_names


def _table_size(names: Sequence[bytes]) -> int:
    return 16 * len(names) + sum(len(name) + 1 for name in names)


def _align16(size: int) -> int:
    return -(-size // 16) * 16
