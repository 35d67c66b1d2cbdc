"""The blob: header, tiles, streams (docs/format.md, sections 1, 2 and 12)."""

import importlib
import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.errors import CorruptDataError, InputError

Int8Array = npt.NDArray[np.int8]
Positions = npt.NDArray[np.int64]

Streams = dict[str, bytes]
"""The streams of a tile: name -> content without alignment, in the order of the document."""

Slots = tuple[Positions, Int8Array]
"""Positions c and values v of stored elements: the tuples (v, c) of Eq. (7), padding included."""


# 1. Conventions ----------------------------------------------------------------------------------


def u32(value: int) -> bytes:
    """An unsigned 32-bit integer, little-endian."""
    return value.to_bytes(4, "little")


def align4(data: bytes) -> bytes:
    """The data with zero bytes up to a multiple of 4."""
    return data + bytes(-len(data) % 4)


def pack_nibbles(fields: npt.ArrayLike) -> bytes:
    """4-bit fields to bytes: number 0 in the upper nibble of byte 0, number 1 in the lower, ..."""
    nibbles = np.asarray(fields, np.uint8)
    nibbles = np.append(nibbles, np.zeros(nibbles.size % 2, np.uint8))
    return (nibbles[0::2] << 4 | nibbles[1::2]).tobytes()


def unpack_nibbles(data: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    """The first `count` 4-bit fields of the bytes."""
    return np.stack([data >> 4, data & 0xF], axis=-1).reshape(-1)[:count]


# 2. The blob: header -----------------------------------------------------------------------------

MAGIC = b"SPKB"
FIELDS = struct.Struct("<4s4B5I")  # bytes 0..27; the CRC-32 follows
SHAPE_OFFSET = 32


class Header(NamedTuple):
    """What the header of a blob says. Sizes in elements, `payload_size` in bytes."""

    format: str
    shape: tuple[int, ...]
    n_elements: int
    n_non_zero: int
    tile_size: int
    payload_size: int
    n_tiles: int

    def tile_elements(self, t: int) -> int:
        """N of tile t: `tile_size`, or what is left for the last one."""
        return min(self.tile_size, self.n_elements - t * self.tile_size)


def header_size(ndim: int) -> int:
    """Bytes of the header: a multiple of 16."""
    return -(-(SHAPE_OFFSET + 4 * ndim) // 16) * 16


def write_header(header: Header) -> bytes:
    """The header, with a CRC-32 of 0."""
    ndim = len(header.shape)
    wire_id = _spec.FORMATS[header.format]
    fields = FIELDS.pack(MAGIC, _spec.VERSION, wire_id, ndim, 0, *header[2:])  # no flags
    data = fields + u32(0) + b"".join(map(u32, header.shape))
    return data.ljust(header_size(ndim), b"\0")


def read_header(blob: bytes) -> Header:
    """The header of a blob, checked for itself and against the size of the blob.

    Raises
    ------
    CorruptDataError
        When a field is outside its limits, or contradicts another or the size.
    """
    require(len(blob) >= SHAPE_OFFSET, f"{len(blob)} bytes hold no header")
    magic, version, wire_id, ndim, flags, n, n_non_zero, T, payload_size, n_tiles = (
        FIELDS.unpack_from(blob)
    )
    require(magic == MAGIC, f"magic {magic!r}")
    require(version == _spec.VERSION, f"version {version}")
    require(wire_id in _spec.FORMATS.values(), f"format id {wire_id}")
    require(ndim <= _spec.MAX_DIMS, f"{ndim} dimensions")
    require(flags == 0, f"flags {flags}")
    require(n <= _spec.MAX_ELEMENTS, f"{n} elements")
    require(n_non_zero <= n, f"{n_non_zero} non-zeros in {n} elements")
    require(1 <= T <= max(n, 1), f"tiles of {T} in {n} elements")
    require(n_tiles == -(-n // T), f"{n_tiles} tiles of {T} in {n} elements")
    require(payload_size % 4 == 0, f"a payload of {payload_size} bytes")
    require(n > 0 or payload_size == 0, f"a payload of {payload_size} bytes for no elements")
    size = header_size(ndim) + payload_size
    require(len(blob) == size, f"{len(blob)} bytes, the header says {size}")
    shape = struct.unpack_from(f"<{ndim}I", blob, SHAPE_OFFSET)
    require(math.prod(shape) == n, f"shape {shape} for {n} elements")

    format = next(name for name, i in _spec.FORMATS.items() if i == wire_id)
    return Header(format, shape, n, n_non_zero, T, payload_size, n_tiles)


def checksum(blob: bytes) -> int:
    """CRC-32 of a blob: of everything but the CRC-32 itself."""
    return zlib.crc32(blob[: FIELDS.size] + blob[SHAPE_OFFSET:])


# 2. The blob: tiles ------------------------------------------------------------------------------


def write_tiles(tiles: list[bytes]) -> bytes:
    """The payload: with more than one tile, the tile index comes first."""
    index = b""
    if len(tiles) > 1:
        end = 4 * len(tiles)
        for tile in tiles:
            end += len(tile)
            index += u32(end)
    return index + b"".join(tiles)


def read_tiles(payload: bytes, n_tiles: int) -> Iterator[bytes]:
    """The bytes of each tile.

    Raises
    ------
    CorruptDataError
        When the tile index does not cut the payload into tiles.
    """
    if n_tiles <= 1:
        yield from [payload] * n_tiles
        return
    begin = 4 * n_tiles
    require(begin <= len(payload), "the payload ends inside the tile index")
    ends = struct.unpack_from(f"<{n_tiles}I", payload)
    require(ends[-1] == len(payload), "the last tile does not end with the payload")
    for t, end in enumerate(ends):
        require(begin <= end <= len(payload), f"tile {t} ends at byte {end}")
        yield payload[begin:end]
        begin = end


# 2. The blob: streams ----------------------------------------------------------------------------


def write_streams(streams: Streams) -> bytes:
    """A tile: its streams, each aligned."""
    return b"".join(map(align4, streams.values()))


class StreamReader:
    """Takes the streams of a tile one after the other, in the order of the document."""

    def __init__(self, tile: bytes) -> None:
        self._tile = tile
        self._offset = 0

    def take(self, name: str, dtype: npt.DTypeLike, count: int) -> npt.NDArray[Any]:
        """The next stream as `count` items of a dtype.

        Raises
        ------
        CorruptDataError
            When the tile ends before it.
        """
        size = count * np.dtype(dtype).itemsize
        require(size <= self.left, f"stream {name}: {size} bytes, the tile has {self.left} more")
        stream = np.frombuffer(self._tile, dtype, count, self._offset)
        self._offset += -(-size // 4) * 4
        return stream

    @property
    def left(self) -> int:
        """Bytes that are not taken yet."""
        return max(len(self._tile) - self._offset, 0)

    def end(self) -> None:
        """Raise CorruptDataError unless every byte of the tile was taken."""
        require(self.left == 0, f"{self.left} bytes after the last stream")


# Both directions ---------------------------------------------------------------------------------


class Codec(Protocol):
    """What the module of a format provides."""

    def encode_tile(self, A: Int8Array, **options: Any) -> Streams:
        """The streams of a tile of N elements A."""

    def decode_tile(self, streams: StreamReader, N: int) -> Slots:
        """The slots of a tile of N elements."""


def codec(format: str) -> Codec:
    """The module of a format.

    Raises
    ------
    InputError
        For an unknown format.
    """
    if format not in _spec.FORMATS:
        raise InputError(f"unknown format {format!r}; there are {', '.join(_spec.FORMATS)}")
    return cast(Codec, importlib.import_module(f"{__package__}.{format}"))


def encode_streams(
    values: Int8Array, format: str, tile: int | None = None, **options: Any
) -> list[Streams]:
    """The streams of every tile; parameters and errors as for `encode`."""
    if values.dtype != np.int8 or values.ndim > _spec.MAX_DIMS:
        raise InputError(
            f"values must be int8 with at most {_spec.MAX_DIMS} dimensions, "
            f"got {values.dtype} with {values.ndim}"
        )
    A = np.ravel(values)
    T = tile_size(A.size, tile)
    return [codec(format).encode_tile(A[i : i + T], **options) for i in range(0, A.size, T)]


def encode(values: Int8Array, format: str, tile: int | None = None, **options: Any) -> bytes:
    """Encode a tensor.

    Parameters
    ----------
    values : ndarray of int8
        Any shape of at most 8 dimensions; encoded in C order.
    format : str
        Name of the format.
    tile : int, optional
        Elements in a tile. One tile when not given.
    **options
        What the `encode_tile` of the format takes besides the elements.

    Returns
    -------
    bytes
        The blob.

    Raises
    ------
    InputError
        For an unknown format, other values than int8, more than 8 dimensions or a tile below 1.
    """
    tiles = [write_streams(s) for s in encode_streams(values, format, tile, **options)]
    payload = write_tiles(tiles)
    header = Header(
        format,
        values.shape,
        n_elements=values.size,
        n_non_zero=int(np.count_nonzero(values)),
        tile_size=tile_size(values.size, tile),
        payload_size=len(payload),
        n_tiles=len(tiles),
    )
    blob = write_header(header) + payload
    return blob[: FIELDS.size] + u32(checksum(blob)) + blob[SHAPE_OFFSET:]


def decode_slots(blob: bytes) -> tuple[Header, Slots]:
    """The header of a blob and all its slots, with positions in the flattened tensor.

    Raises
    ------
    CorruptDataError
        For anything that section 12 of docs/format.md tells a reader to refuse.
    """
    header = read_header(blob)
    require(blob[FIELDS.size : SHAPE_OFFSET] == u32(checksum(blob)), "the checksum differs")
    payload = blob[header_size(len(header.shape)) :]
    positions, values = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    for t, tile in enumerate(read_tiles(payload, header.n_tiles)):
        N = header.tile_elements(t)
        streams = StreamReader(tile)
        c, v = codec(header.format).decode_tile(streams, N)
        streams.end()
        require(bool(np.all(c < N)), f"tile {t} has a position outside its {N} elements")
        positions.append(t * header.tile_size + c)
        values.append(v)
    return header, (np.concatenate(positions), np.concatenate(values))


def decode(blob: bytes) -> Int8Array:
    """Decode a blob.

    Returns
    -------
    ndarray of int8
        In the shape that was encoded.

    Raises
    ------
    CorruptDataError
        For anything that section 12 of docs/format.md tells a reader to refuse.
    """
    header, (c, v) = decode_slots(blob)
    A = np.zeros(header.n_elements, np.int8)
    A[c] = v
    return A.reshape(header.shape)


def tile_size(n_elements: int, tile: int | None) -> int:
    """T: never larger than the tensor, and at least 1."""
    if tile is not None and tile < 1:
        raise InputError(f"a tile has at least 1 element, got tile={tile}")
    return max(n_elements if tile is None else min(tile, n_elements), 1)


def require(condition: bool, met: str) -> None:
    """Raise CorruptDataError with what was met unless the condition holds."""
    if not condition:
        raise CorruptDataError(f"not a valid blob: {met}")
