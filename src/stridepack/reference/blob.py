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

CLOSE = frozenset(("header", "frequencies", "blocks", "lengths", "positions"))
"""Streams that the next one follows without alignment. (Other headers need none.)"""

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

FIELDS = struct.Struct("<4BI")  # bytes 0..7; the CRC-32 follows
VARINTS_OFFSET = 12


class Header(NamedTuple):
    """What the header of a blob says. `tile_size` in elements, `payload_size` in bytes."""

    format: str
    shape: tuple[int, ...]
    tile_size: int | None  # None: not TILED
    payload_size: int

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


def write_header(header: Header) -> bytes:
    """The header, with a CRC-32 of 0."""
    tiled = [] if header.tile_size is None else [header.tile_size]
    varints = align4(b"".join(map(varint, [*header.shape, *tiled])))
    flags = _spec.FLAGS["tiled"] if tiled else 0
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
    require(flags & ~_spec.FLAGS["tiled"] == 0, f"flags {flags}")
    require(payload_size % 4 == 0, f"a payload of {payload_size} bytes")
    require(
        len(blob) == size + payload_size,
        f"{len(blob)} bytes, the header says {size} + {payload_size}",
    )

    offset = VARINTS_OFFSET
    varints = []
    for _ in range(ndim + (flags != 0)):
        value, offset = read_varint(blob[:size], offset)
        varints.append(value)
    require(size - offset in range(4), f"a header of {size} bytes, of which {offset} are used")
    shape, T = tuple(varints[:ndim]), varints[ndim] if flags else None
    format = next(name for name, i in _spec.FORMATS.items() if i == wire_id)
    header = Header(format, shape, T, payload_size)
    n = header.n_elements
    require(n <= _spec.MAX_ELEMENTS, f"{n} elements")
    require(T is None or 1 <= T < n, f"tiles of {T} in {n} elements")
    require(n > 0 or payload_size == 0, f"a payload of {payload_size} bytes for no elements")
    return header


def payload_of(blob: bytes, header: Header) -> bytes:
    """What follows the header."""
    return blob[len(blob) - header.payload_size :]


def checksum(blob: bytes) -> int:
    """CRC-32 of a blob: of everything but the CRC-32 itself."""
    return zlib.crc32(blob[: FIELDS.size] + blob[VARINTS_OFFSET:])


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
    """A tile: its streams, each aligned unless it follows one of `CLOSE`."""
    tile = b""
    for name, stream in streams.items():
        tile += stream
        tile = tile if name in CLOSE else align4(tile)
    return tile


class StreamReader:
    """Takes the streams of a tile one after the other, in the order of the document."""

    def __init__(self, tile: bytes) -> None:
        self._tile = tile
        self._offset = 0

    def take(self, name: str, dtype: npt.DTypeLike, count: int) -> npt.NDArray[Any]:
        """The next stream, or part of it, as `count` items of a dtype.

        Raises
        ------
        CorruptDataError
            When the tile ends before it.
        """
        size = count * np.dtype(dtype).itemsize
        require(size <= self.left, f"stream {name}: {size} bytes, the tile has {self.left} more")
        stream = np.frombuffer(self._tile, dtype, count, self._offset)
        self._offset += size
        if name not in CLOSE:
            self._offset = -(-self._offset // 4) * 4
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
    T = tile_size(values.size, tile)
    header = Header(format, values.shape, T if values.size > T else None, len(payload))
    blob = write_header(header) + payload
    return blob[: FIELDS.size] + u32(checksum(blob)) + blob[VARINTS_OFFSET:]


def decode_slots(blob: bytes) -> tuple[Header, Slots]:
    """The header of a blob and all its slots, with positions in the flattened tensor.

    Raises
    ------
    CorruptDataError
        For anything that section 12 of docs/format.md tells a reader to refuse.
    """
    header = read_header(blob)
    require(blob[FIELDS.size : VARINTS_OFFSET] == u32(checksum(blob)), "the checksum differs")
    positions, values = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    for t, tile in enumerate(read_tiles(payload_of(blob, header), header.n_tiles)):
        N = header.tile_elements(t)
        streams = StreamReader(tile)
        c, v = codec(header.format).decode_tile(streams, N)
        streams.end()
        require(bool(np.all(c < N)), f"tile {t} has a position outside its {N} elements")
        positions.append(t * header.tile + c)
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
