# SPDX-License-Identifier: Apache-2.0
"""bitmap: a bit for each element, and values of 1 to 8 bits (docs/format.md, section 8)."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from stridepack.reference.conventions import Int8Array, Slots, Streams, align4, require, u32
from stridepack.reference.tiles import StreamReader

Integers = npt.NDArray[np.int64]

WIDTHS = range(8, 0, -1)
PLANES = (4, 2, 1)  # bits of the planes of a value of fewer than 8 bits
NO_BITMAP = 8  # in byte 3 of the header


def encode_tile(A: Int8Array, *, width: int = 0) -> Streams:
    """Streams of a tile of N elements A; of the width of least cost, where it is 0."""
    candidates = [
        streams
        for has_bitmap in (True, False)
        for w in ([width] if width else WIDTHS)
        if has_bitmap or w < 8
        for streams in (_narrow(A, w, has_bitmap) if w < 8 else [_plain(A)])
    ]
    return min(candidates, key=cost)


def cost(streams: Streams) -> int:
    """What a tile costs, in sixteenths of a byte, and more for what takes a decoder time.

    These are half a bit for each value of a plane, and half a byte for each patch.
    """
    nbytes = sum(len(align4(stream)) for stream in streams.values())
    planes = sum(bool(streams[f"values_{b}"]) for b in PLANES)
    n = int.from_bytes(streams["header"][4:8], "little")
    return 16 * nbytes + planes * n + 8 * len(streams["patches"])


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    w, p, q, patch = streams.take("header", np.uint8, 4).tolist()
    if w == 8:
        require(p == q == patch == 0, "fields for values of fewer bits")
        c = _positions(streams, N)
        return c, streams.take("values_8", np.int8, c.size)
    require(1 <= w <= 7, f"values of {w} bits")
    require(patch <= 15, f"patch field {patch}")
    n = int(streams.take("header", "<u4", 1)[0])
    h = patch & 7
    n_patches = int(streams.take("header", "<u4", 1)[0]) if h else 0
    half = 1 << (w - 1)
    require(p + half <= 128 and q >= 1 and q + half <= 129, f"values from {p} and {-q} on")
    c = np.arange(N) if patch & NO_BITMAP else _positions(streams, N)
    require(c.size == n, f"{n} values of {c.size}")
    u = np.zeros(n, np.int64)
    shift = 0
    for b in PLANES:
        if w & b:
            plane = streams.take(f"values_{b}", np.uint8, -(-n * b // 8))
            u += unpack_plane(plane, b, n) << shift
            shift += b
    v = np.where(u < half, p + u, u + 1 - 2 * half - q)
    position = 0
    for byte in streams.take("patches", np.uint8, n_patches).tolist():
        position += byte >> h
        require(position < n, f"a patch of value {position} of {n}")
        more = (byte & ((1 << h) - 1)) * half
        v[position] = _int8(int(v[position]) + (-more if v[position] < 0 else more))
    return c, v.astype(np.int8)


def _positions(streams: StreamReader, N: int) -> Integers:
    bitmap = streams.take("bitmap", np.uint8, -(-N // 8))
    return np.flatnonzero(np.unpackbits(bitmap, bitorder="big"))


def _int8(value: int) -> int:
    return (value + 128) % 256 - 128


# Planes ------------------------------------------------------------------------------------------


def pack_plane(fields: Integers, b: int) -> bytes:
    """Fields of b bits: in groups, side by side in the bytes of the group."""
    plane = b""
    for first in range(0, fields.size, 128 // b):
        group = fields[first : first + 128 // b]
        h = -(-group.size * b // 8)
        rows = np.zeros((8 // b, h), np.int64)
        rows.reshape(-1)[: group.size] = group
        plane += (rows << b * np.arange(8 // b)[:, None]).sum(axis=0).astype(np.uint8).tobytes()
    return plane


def unpack_plane(plane: npt.NDArray[np.uint8], b: int, n: int) -> Integers:
    """The n fields of a plane."""
    groups = [np.zeros(0, np.int64)]
    for first in range(0, plane.size, 16):
        rows = plane[first : first + 16].astype(np.int64) >> b * np.arange(8 // b)[:, None]
        groups.append((rows & ((1 << b) - 1)).reshape(-1)[: n - first * 8 // b])
    return np.concatenate(groups)


# Our encoder -------------------------------------------------------------------------------------


def _plain(A: Int8Array) -> Streams:
    """Values of 8 bits."""
    return {
        "header": bytes((8, 0, 0, 0)),
        "bitmap": np.packbits(A != 0, bitorder="big").tobytes(),
        "values_8": A[A != 0].tobytes(),
        **{f"values_{b}": b"" for b in PLANES},
        "patches": b"",
    }


def _narrow(A: Int8Array, w: int, has_bitmap: bool) -> Iterator[Streams]:
    """Values of w bits, with patches of every kind or, where none is needed, without."""
    v = (A[A != 0] if has_bitmap else A).astype(np.int64)
    half = 1 << (w - 1)
    p = min(int(v[v >= 0].min(initial=127)), 128 - half)
    q = min(int(-v[v < 0].max(initial=-128)), 129 - half)
    magnitude = np.where(v < 0, -v - q, v - p)
    low, more = magnitude % half, magnitude // half
    u = np.where(v < 0, 2 * half - 1 - low, low)
    shifts = {b: w & -2 * b & 7 for b in PLANES}  # bits of the planes before
    streams = {
        "bitmap": np.packbits(A != 0, bitorder="big").tobytes() if has_bitmap else b"",
        "values_8": b"",
        **{
            f"values_{b}": pack_plane(u >> shifts[b] & ((1 << b) - 1), b) if w & b else b""
            for b in PLANES
        },
    }
    for h in range(1, 8) if more.any() else (0,):
        patches = _patches(more, h) if h else b""
        head = bytes((w, p, q, h + (0 if has_bitmap else NO_BITMAP))) + u32(v.size)
        head += u32(len(patches)) if h else b""
        yield {"header": head, **streams, "patches": patches}


def _patches(more: Integers, h: int) -> bytes:
    """Patches with h bits for how much they add."""
    farthest, most = (1 << (8 - h)) - 1, (1 << h) - 1
    patches = bytearray()
    position = 0
    for c in np.flatnonzero(more).tolist():
        distance, left = c - position, int(more[c])
        position = c
        while distance > farthest:
            patches.append(farthest << h)
            distance -= farthest
        while left > 0:
            patches.append(distance << h | min(left, most))
            distance, left = 0, left - most
    return bytes(patches)
