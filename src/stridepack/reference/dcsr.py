# SPDX-License-Identifier: Apache-2.0
"""dcsr: delta-linear encoding with dynamic bitwidths (docs/format.md, section 6; Section III-A)."""

import struct
from collections import deque

import numpy as np

from stridepack import _spec
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
from stridepack.reference.tiles import StreamReader

g = _spec.DCSR_LANES  # elements in a group, one for each lane
LANES = np.arange(g)
LONG_BASE = -128  # the base that says: an i32 follows in `extensions`


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    return encode_elements(A, np.flatnonzero(A))


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    return decode_elements(streams)


# Encoder -----------------------------------------------------------------------------------------


def encode_elements(A: Int8Array, c: Positions) -> Streams:
    """Streams that store the elements of A at the ascending positions c, and padding.

    The positions are those of all non-zeros, or of the remainder of a hybrid tile. Padding holds
    the true value of A, which need not be 0 in a remainder.
    """
    m = slope(c, A.size)
    groups = cut_into_groups(c, m)
    G = len(groups)

    n = np.array([base_pointer(S, m) for S in groups], np.int64)
    d = np.zeros((G + G % 2, g), np.int64)  # whole pairs of groups
    for j, S in enumerate(groups):
        d[j, : len(S)] = S - n[j] - m * LANES[: len(S)]  # Eq. (3)

    Dn = np.diff(n, prepend=0)  # Eq. (6)
    Dn[1:] -= g * m
    short = (Dn > LONG_BASE) & (Dn <= 127)

    # Dynamic bitwidth decomposition (III-A-2): a mask for each upper bit that any lane needs.
    bitmaps = [0] * G
    extensions = []
    for j in range(G):
        if not short[j]:
            extensions.append(struct.pack("<i", Dn[j]))
        for b in range(4):
            mask = np.sum((d[j] >> (4 + b) & 1) << LANES)
            if mask:
                bitmaps[j] |= 1 << b
                extensions.append(struct.pack("<H", mask))

    stored = [position for S in groups for position in S]
    interleaved = d.reshape(-1, 2, g).swapaxes(1, 2)  # pair, lane, even or odd group
    return {
        "header": u32(len(stored)) + bytes([m, 0, 0, 0]),
        "values": A[stored].tobytes(),
        "deltas": pack_nibbles(interleaved.reshape(-1) & 0xF),
        "bitmaps": pack_nibbles(bitmaps),
        "bases": np.where(short, Dn, LONG_BASE).astype(np.int8).tobytes(),
        "extensions": b"".join(extensions),
    }


def slope(c: Positions, N: int) -> int:
    """m: the mean distance of the k elements, rounded, not counting distances of more than 255."""
    k = c.size
    if k == 0:
        return 0
    distances = np.diff(c, prepend=-1, append=N)
    N_near = max(N - int(distances[distances > 255].sum()), 0)
    return min((N_near + k // 2) // k, _spec.MAX_SLOPE)


def base_pointer(S: list[int], m: int) -> int:
    """n_j of a group: the smallest delta is 0 (Eq. (2) and (3))."""
    return min(position - i * m for i, position in enumerate(S))


def cut_into_groups(c: Positions, m: int) -> list[list[int]]:
    """Cut positions into groups S of g, inserting padding positions. The last may be shorter."""

    def fits(S: list[int]) -> bool:
        return S[-1] - base_pointer(S, m) <= 255  # the last lane offset is the largest

    rest = deque(c.tolist())
    groups = []
    while rest:
        S: list[int] = []
        while rest and len(S) < g and fits([*S, rest[0]]):
            S.append(rest.popleft())
        padded = pad(S) if rest else S
        while not fits(padded):  # padding in front of a lane raises its prediction i * m
            rest.appendleft(S.pop())
            padded = pad(S)
        groups.append(padded)
    return groups


def pad(S: list[int]) -> list[int]:
    """Fill a group to g positions, each at the centre of the largest gap, or behind all of them."""
    S = S.copy()
    while len(S) < g:
        distances = np.diff(S)
        if distances.max(initial=1) > 1:
            i = int(distances.argmax())  # the first among equals
            S.insert(i + 1, (S[i] + S[i + 1]) // 2)
        else:
            S.append(S[-1] + 1)
    return S


# Decoder -----------------------------------------------------------------------------------------


def decode_elements(streams: StreamReader) -> Slots:
    """Slots of the streams that `encode_elements` writes.

    Raises
    ------
    CorruptDataError
        When the slope is too large or a stream ends early.
    """
    header = streams.take("header", np.uint8, 8)
    k, m = int(header[:4].view("<u4")[0]), int(header[4])
    require(m <= _spec.MAX_SLOPE, f"dcsr slope {m}")
    G = -(-k // g)
    n_pairs = -(-G // 2)
    values = streams.take("values", np.int8, k)
    nibbles = unpack_nibbles(streams.take("deltas", np.uint8, g * n_pairs), 2 * g * n_pairs)
    d = nibbles.reshape(n_pairs, g, 2).swapaxes(1, 2).reshape(-1, g).astype(np.int64)
    bitmaps = unpack_nibbles(streams.take("bitmaps", np.uint8, n_pairs), G).tolist()
    bases = streams.take("bases", np.int8, G).tolist()
    size = 4 * bases.count(LONG_BASE) + 2 * sum(map(int.bit_count, bitmaps))
    extensions = streams.take("extensions", np.uint8, size).tobytes()

    c = np.zeros((G, g), np.int64)
    n = 0
    offset = 0
    for j in range(G):
        Dn = bases[j]
        if Dn == LONG_BASE:
            (Dn,) = struct.unpack_from("<i", extensions, offset)
            offset += 4
        for b in range(4):
            if bitmaps[j] >> b & 1:
                (mask,) = struct.unpack_from("<H", extensions, offset)
                offset += 2
                d[j] |= (mask >> LANES & 1) << (4 + b)
        n = Dn if j == 0 else n + g * m + Dn  # Eq. (6)
        c[j] = n + (LANES * m + d[j]) % 256  # Eq. (4)
    return c.reshape(-1)[:k] % 2**32, values
