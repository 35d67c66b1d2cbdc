# SPDX-License-Identifier: Apache-2.0
"""The header of a blob (docs/format.md, section 2)."""

import math
import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from stridepack import _spec
from stridepack.reference.conventions import align4, require, u32
from stridepack.reference.transforms import Layout, Prediction, read_layout, read_prediction

FIELDS = struct.Struct("<4BI")  # bytes 0..7; the CRC-32 follows
VARINTS_OFFSET = 12


class Header(NamedTuple):
    """What the header of a blob says. `tile_size` in elements, `payload_size` in bytes."""

    format: str
    shape: tuple[int, ...]
    tile_size: int | None  # None: not TILED
    payload_size: int
    layout: Layout | None = None  # None: not LIVE
    prediction: Prediction | None = None  # None: not PREDICTED

    @property
    def n_elements(self) -> int:
        """The product of the shape: 1 without dimensions."""
        return math.prod(self.shape)

    @property
    def tile(self) -> int:
        """T, elements in a tile."""
        return max(self.n_elements, 1) if self.tile_size is None else self.tile_size

    @property
    def n_tiles(self) -> int:
        """0 for an empty tensor."""
        return -(-self.n_elements // self.tile)

    def tile_elements(self, t: int) -> int:
        """N of tile t: T, or what is left for the last one."""
        return min(self.tile, self.n_elements - t * self.tile)


def varint(value: int) -> bytes:
    """LEB128: seven bits a byte, the lowest first; the upper bit says that more follow."""
    data = b""
    while value >= 128:
        data += bytes([value % 128 + 128])
        value //= 128
    return data + bytes([value])


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """The varint at an offset, and the offset where it ends.

    Raises
    ------
    CorruptDataError
        When it goes on behind the data, is 2^32 or more, or could be shorter.
    """
    end = offset
    while end < len(data) and data[end] >= 128:
        end += 1
    require(end < len(data), "the header ends within a varint")
    end += 1
    value = sum(byte % 128 << 7 * i for i, byte in enumerate(data[offset:end]))
    require(value < 1 << 32, f"a varint of {value}")
    require(varint(value) == data[offset:end], f"{value} is not in its shortest form")
    return value, end


def write_header(header: Header, transforms: Sequence[int] = ()) -> bytes:
    """The header, with a CRC-32 of 0 and the parameters of the transforms."""
    tiled = [] if header.tile_size is None else [header.tile_size]
    varints = align4(b"".join(map(varint, [*header.shape, *tiled, *transforms])))
    flags = _spec.FLAGS["tiled"] if tiled else 0
    flags |= _spec.FLAGS["live"] if header.layout is not None else 0
    flags |= _spec.FLAGS["predicted"] if header.prediction is not None else 0
    fields = FIELDS.pack(
        _spec.MAGIC,
        _spec.VERSION << 4 | len(header.shape),
        _spec.FORMATS[header.format] | flags,
        (VARINTS_OFFSET + len(varints)) // 4,
        header.payload_size,
    )
    return fields + u32(0) + varints


def read_header(blob: bytes) -> Header:
    """The header of a blob, checked for itself and against the size of the blob.

    Raises
    ------
    CorruptDataError
        When a field is outside its limits, or contradicts another or the size.
    """
    require(len(blob) >= VARINTS_OFFSET, f"{len(blob)} bytes hold no header")
    magic, version_ndim, format_flags, words, payload_size = FIELDS.unpack_from(blob)
    version, ndim = divmod(version_ndim, 16)
    flags, wire_id = format_flags & ~31, format_flags & 31
    size = 4 * words
    require(magic == _spec.MAGIC, f"magic {magic}")
    require(version == _spec.VERSION, f"version {version}")
    require(wire_id in _spec.FORMATS.values(), f"format id {wire_id}")
    require(ndim <= _spec.MAX_DIMS, f"{ndim} dimensions")
    require(payload_size % 4 == 0, f"a payload of {payload_size} bytes")
    require(
        len(blob) == size + payload_size,
        f"{len(blob)} bytes, the header says {size} + {payload_size}",
    )

    offset = VARINTS_OFFSET

    def take() -> int:
        nonlocal offset
        value, offset = read_varint(blob[:size], offset)
        return value

    shape = tuple(take() for _ in range(ndim))
    T = take() if flags & _spec.FLAGS["tiled"] else None
    n = math.prod(shape)
    transformed = flags & (_spec.FLAGS["live"] | _spec.FLAGS["predicted"])
    require(not transformed or n >= 2, f"transforms of {n} elements")
    layout = read_layout(take, n) if flags & _spec.FLAGS["live"] else None
    prediction = read_prediction(take, n) if flags & _spec.FLAGS["predicted"] else None
    require(size - offset in range(4), f"a header of {size} bytes, of which {offset} are used")
    format = next(name for name, i in _spec.FORMATS.items() if i == wire_id)
    header = Header(format, shape, T, payload_size, layout, prediction)
    require(n <= _spec.MAX_ELEMENTS, f"{n} elements")
    require(T is None or 1 <= T < n, f"tiles of {T} in {n} elements")
    require(n > 0 or payload_size == 0, f"a payload of {payload_size} bytes for no elements")
    if layout is not None:
        require(layout.nbytes <= payload_size, "the payload ends inside the bitmaps")
    return header


def payload_of(blob: bytes, header: Header) -> bytes:
    """What follows the header."""
    return blob[len(blob) - header.payload_size :]


def checksum(blob: bytes) -> int:
    """CRC-32 of a blob: of everything but the CRC-32 itself."""
    return zlib.crc32(blob[: FIELDS.size] + blob[VARINTS_OFFSET:])
