# SPDX-License-Identifier: Apache-2.0
"""hybrid: equidistant groups, the rest in dcsr (docs/format.md, section 7; III-B and III-C)."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from stridepack.reference import dcsr
from stridepack.reference.conventions import (
    Int8Array,
    Positions,
    Slots,
    Streams,
    pack_nibbles,
    require,
    u32,
    unpack_nibbles,
)
from stridepack.reference.groups import find_groups
from stridepack.reference.tiles import StreamReader

MOST_GROUPS = 2**24 - 1  # in one class record
NEXT = 255  # a distance byte that goes on with the next one


def encode_tile(
    A: Int8Array,
    sizes: Iterable[int] = (16, 12, 8, 4),
    strides: Iterable[int] = range(1, 17),
    occupancy: float = 0.8,
    order: str = "size",
) -> Streams:
    """Streams of a tile of N elements A; options as S, D, theta and order of `find_groups`."""
    D = sorted(strides)
    d0 = D[0] if D else 1
    bits = 4 if not D or D[-1] - d0 < 16 else 8

    B, R = find_groups(A != 0, sizes, D, occupancy, order)
    B.sort(key=lambda b: (-b.s, b.n, b.d))
    classes = []
    for s, of_size in groupby(B, attrgetter("s")):
        groups = list(of_size)
        classes += [(s, groups[i : i + MOST_GROUPS]) for i in range(0, len(groups), MOST_GROUPS)]

    records, values, codes, distances = b"", b"", b"", b""
    for s, groups in classes:
        d = np.array([b.d for b in groups])
        n = np.array([b.n for b in groups])
        records += u32(s | len(groups) << 8)
        values += A[positions(n, d, s)].tobytes()
        codes += pack_codes(d - d0, bits)
        distances += pack_distances(np.diff(n, prepend=0).tolist())
    remainder = dcsr.encode_elements(A, np.flatnonzero(R))
    return {
        "header": bytes([len(classes), d0, bits, 0]) + u32(len(distances)),
        "classes": records,
        "values": values,
        "strides": codes,
        "distances": distances,
        **{f"remainder_{name}": stream for name, stream in remainder.items()},
    }


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements: those of the groups, then those of the remainder.

    Raises
    ------
    CorruptDataError
        When a header field is outside its limits, or a stream ends early or leaves bytes.
    """
    header = streams.take("header", np.uint8, 8)
    n_classes, d0, bits = header[:3].tolist()
    require(d0 > 0 and bits in (4, 8), f"hybrid strides from {d0} in {bits} bits")
    records = streams.take("classes", "<u4", n_classes).tolist()
    classes = [(record & 0xFF, record >> 8) for record in records]  # s, number of groups
    require(all(s > 0 for s, _ in classes), "hybrid groups of size 0")
    v = streams.take("values", np.int8, sum(s * G for s, G in classes))
    codes = streams.take("strides", np.uint8, sum(-(-G * bits // 8) for _, G in classes))
    n_bytes = int(header[4:].view("<u4")[0])
    distances = unpack_distances(streams.take("distances", np.uint8, n_bytes).tolist())
    n_groups = sum(G for _, G in classes)
    require(len(distances) == n_groups, f"{len(distances)} distances of {n_groups} hybrid groups")

    c = []
    for s, G in classes:
        n = np.cumsum(distances[:G], dtype=np.int64)
        d = d0 + unpack_codes(codes, bits, G)
        c.append(positions(n, d, s))
        distances, codes = distances[G:], codes[-(-G * bits // 8) :]
    c_remainder, v_remainder = dcsr.decode_elements(streams)
    return np.concatenate([*c, c_remainder]), np.concatenate([v, v_remainder])


def positions(n: Positions, d: Positions, s: int) -> Positions:
    """c_{i,j} = n_j + i * d_j of groups of one size, group after group (Eq. (11))."""
    return (n[:, None] + d[:, None] * np.arange(s)).reshape(-1)


def pack_codes(codes: npt.ArrayLike, bits: int) -> bytes:
    """Stride codes of 4 or 8 bits to bytes."""
    return pack_nibbles(codes) if bits == 4 else np.asarray(codes, np.uint8).tobytes()


def unpack_codes(data: npt.NDArray[np.uint8], bits: int, count: int) -> Positions:
    """The first `count` stride codes of the bytes."""
    codes = unpack_nibbles(data, count) if bits == 4 else data[:count]
    return codes.astype(np.int64)


def pack_distances(distances: list[int]) -> bytes:
    """Each distance as a sum of bytes, of which all but the last are 255."""
    return b"".join(
        bytes([NEXT]) * (distance // NEXT) + bytes([distance % NEXT]) for distance in distances
    )


def unpack_distances(data: list[int]) -> list[int]:
    """The distances that the bytes hold.

    Raises
    ------
    CorruptDataError
        When the last one does not end.
    """
    distances = []
    distance = 0
    for byte in data:
        distance += byte
        if byte != NEXT:
            distances.append(distance)
            distance = 0
    require(not data or data[-1] != NEXT, "the last distance of hybrid does not end")
    return distances
