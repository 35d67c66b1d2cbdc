# SPDX-License-Identifier: Apache-2.0
"""The blob, both directions (docs/format.md, sections 2 and 12)."""

import importlib
from typing import Any, Protocol, cast

import numpy as np

from stridepack import _spec
from stridepack.errors import InputError
from stridepack.reference.conventions import CLOSE, Int8Array, Slots, Streams, align4, require, u32
from stridepack.reference.header import (
    FIELDS,
    VARINTS_OFFSET,
    Header,
    checksum,
    payload_of,
    read_header,
    write_header,
)
from stridepack.reference.tiles import StreamReader, read_tiles, write_streams, write_tiles
from stridepack.reference.transforms import Parts, Prediction, bitmaps, parameters, swap

# What those who read or write a blob step by step need, too
__all__ = [
    "CLOSE",
    "Codec",
    "Header",
    "Slots",
    "StreamReader",
    "Streams",
    "checksum",
    "codec",
    "decode",
    "decode_slots",
    "encode",
    "encode_streams",
    "payload_of",
    "read_header",
    "read_tiles",
    "u32",
    "write_header",
    "write_streams",
]


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
        known = ", ".join(_spec.FORMATS)
        raise InputError(f"`format={format}` is unknown. Choose one of {known}.")
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
            f"The values are {values.dtype} with {values.ndim} dimensions. They must be int8 with "
            f"at most {_spec.MAX_DIMS}."
        )


def tile_size(n_elements: int, tile: int | None) -> int:
    """T: never larger than the tensor, and at least 1."""
    if tile is not None and tile < 1:
        raise InputError(f"`tile={tile}` is not possible. A tile has at least 1 element.")
    return max(n_elements if tile is None else min(tile, n_elements), 1)
