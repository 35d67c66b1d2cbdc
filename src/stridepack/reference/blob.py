"""The blob: header, tiles, streams (docs/format.md, sections 1, 2 and 12)."""

import importlib
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.errors import CorruptDataError, InputError
from stridepack.reference.transforms import (
    Layout,
    Parts,
    Prediction,
    bitmaps,
    parameters,
    read_layout,
    read_prediction,
    swap,
)

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
        require(begin <= end <= len(payload) and end % 4 == 0, f"tile {t} ends at byte {end}")
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
    """The streams of every tile without transforms; parameters and errors as for `encode`."""
    check_values(values)
    A = np.ravel(values)
    T = tile_size(A.size, tile)
    return [codec(format).encode_tile(A[i : i + T], **options) for i in range(0, A.size, T)]


def encode(
    values: Int8Array,
    format: str,
    tile: int | None = None,
    parts: Parts | None = None,
    prediction: Prediction | None = None,
    **options: Any,
) -> bytes:
    """Encode a tensor.

    Parameters
    ----------
    values : ndarray of int8
        Any shape of at most 8 dimensions; encoded in C order.
    format : str
        Name of the format.
    tile : int, optional
        Elements in a tile. One tile when not given.
    parts : Parts, optional
        Live parts. What they say is dead has to be 0.
    prediction : Prediction, optional
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
    check_values(values)
    T = tile_size(values.size, tile)
    tiles, first_live = [], 0
    live = None if parts is None else parts.live(values.size)
    for begin in range(0, values.size, T):
        A = np.ravel(values)[begin : begin + T]
        if prediction is not None:
            A = prediction.predict(A)
        if live is not None:
            A = A[live[begin : begin + T]]
        tiles.append(_encode_live(A, format, parts, first_live, options))
        first_live += A.size
    layout = None if parts is None else parts.layout()
    payload = align4(bitmaps(parts)) + write_tiles(tiles)
    tiled = T if values.size > T else None
    header = Header(format, values.shape, tiled, len(payload), layout, prediction)
    blob = write_header(header, parameters(parts, prediction)) + payload
    return blob[: FIELDS.size] + u32(checksum(blob)) + blob[VARINTS_OFFSET:]


def _encode_live(
    x: Int8Array, format: str, parts: Parts | None, first_live: int, options: dict[str, Any]
) -> bytes:
    """A tile with these live elements."""

    def encode_part(part: Int8Array) -> bytes:
        return write_streams(codec(format).encode_tile(part, **options)) if part.size else b""

    if parts is None or parts.classes is None or x.size == 0:
        return encode_part(x)
    second = parts.second(first_live, x.size)
    x = swap(x, second)
    n_first = x.size - int(np.count_nonzero(second))
    first_part = encode_part(x[:n_first])
    return u32(len(first_part)) + first_part + encode_part(x[n_first:])


def decode_slots(blob: bytes) -> tuple[Header, Slots]:
    """The header of a blob and all its slots, with positions in the flattened tensor.

    With transforms, the slots are the elements of the tensor.

    Raises
    ------
    CorruptDataError
        For anything that section 12 of docs/format.md tells a reader to refuse.
    """
    header = read_header(blob)
    require(blob[FIELDS.size : VARINTS_OFFSET] == u32(checksum(blob)), "the checksum differs")
    payload = payload_of(blob, header)
    parts = None
    if header.layout is not None:
        parts = header.layout.read(payload)
        payload = payload[-(-header.layout.nbytes // 4) * 4 :]
    transformed = parts is not None or header.prediction is not None
    positions, values = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    is_live = None if parts is None else parts.live(header.n_elements)
    first_live = 0
    for t, tile in enumerate(read_tiles(payload, header.n_tiles)):
        N = header.tile_elements(t)
        if not transformed:
            c, v = _decode_part(header.format, tile, N)
        else:
            live = np.ones(N, bool)
            if is_live is not None:
                live = is_live[t * header.tile :][:N]
            n_live = int(np.count_nonzero(live))
            c, v = np.arange(N), np.zeros(N, np.int8)
            v[live] = _decode_live(header.format, tile, parts, first_live, n_live)
            first_live += n_live
            if header.prediction is not None:
                v = header.prediction.restore(v)
        positions.append(t * header.tile + c)
        values.append(v)
    return header, (np.concatenate(positions), np.concatenate(values))


def _decode_part(format: str, data: bytes, N: int) -> Slots:
    """The slots of a tile, or of a part of one."""
    streams = StreamReader(data)
    c, v = codec(format).decode_tile(streams, N)
    streams.end()
    require(bool(np.all(c < N)), f"a position outside the {N} elements of a tile")
    return c, v


def _decode_live(
    format: str, tile: bytes, parts: Parts | None, first_live: int, n_live: int
) -> Int8Array:
    """The live elements of a tile, in order."""

    def decode_part(data: bytes, N: int) -> Int8Array:
        x = np.zeros(N, np.int8)
        if N == 0:
            require(len(data) == 0, "bytes of no elements")
        else:
            c, v = _decode_part(format, data, N)
            x[c] = v
        return x

    if parts is None or parts.classes is None or n_live == 0:
        return decode_part(tile, n_live)
    second = parts.second(first_live, n_live)
    n_second = int(np.count_nonzero(second))
    require(len(tile) >= 4, "a tile ends before its first part")
    end = 4 + int.from_bytes(tile[:4], "little")
    require(end % 4 == 0 and end <= len(tile), f"a first part of {end - 4} bytes")
    both = decode_part(tile[4:end], n_live - n_second), decode_part(tile[end:], n_second)
    return swap(np.concatenate(both), second)


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


def check_values(values: Int8Array) -> None:
    """Raise InputError for what no blob can hold."""
    if values.dtype != np.int8 or values.ndim > _spec.MAX_DIMS:
        raise InputError(
            f"values must be int8 with at most {_spec.MAX_DIMS} dimensions, "
            f"got {values.dtype} with {values.ndim}"
        )


def tile_size(n_elements: int, tile: int | None) -> int:
    """T: never larger than the tensor, and at least 1."""
    if tile is not None and tile < 1:
        raise InputError(f"a tile has at least 1 element, got tile={tile}")
    return max(n_elements if tile is None else min(tile, n_elements), 1)


def require(condition: bool, met: str) -> None:
    """Raise CorruptDataError with what was met unless the condition holds."""
    if not condition:
        raise CorruptDataError(f"not a valid blob: {met}")
