# SPDX-License-Identifier: Apache-2.0
"""dcsr: delta-linear encoding with dynamic bitwidths (docs/format.md, section 6)."""

from collections.abc import Iterator

import numpy as np

from stridepack import _spec
from stridepack.formats.base import Format, Stream

BITS_SET = np.array([i.bit_count() for i in range(16)], np.int64)
LONG_BASE = -128  # the base that says: an i32 follows in `extensions`


class Dcsr(Format):
    """Delta-compressed storage row (Section III-A): about 1.6 bytes a non-zero, 16 at a time."""

    name = "dcsr"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        return dcsr_streams(tile)


def dcsr_streams(tile: memoryview) -> Iterator[Stream]:
    """The streams of a dcsr tile, also where it is the remainder of another format."""
    groups = DcsrGroups(tile)
    yield from groups.sizes.items()
    yield "extensions", int(groups.extension_sizes.sum())


class DcsrGroups:
    """The groups of a dcsr tile, apart from their values and deltas."""

    def __init__(self, tile: memoryview) -> None:
        self.k = int.from_bytes(tile[:4], "little")
        n_groups = -(-self.k // _spec.DCSR_LANES)
        n_pairs = -(-n_groups // 2)
        self.sizes = {
            "header": 8,
            "values": self.k,
            "deltas": _spec.DCSR_LANES * n_pairs,
            "bitmaps": n_pairs,
            "bases": n_groups,
        }
        begin = {}
        offset = 0
        for name, size in self.sizes.items():
            begin[name] = offset
            offset += -(-size // 4) * 4
        self.extensions_begin = offset
        pairs = np.frombuffer(tile, np.uint8, n_pairs, begin["bitmaps"])
        self.bitmaps = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(-1)[:n_groups]
        bases = np.frombuffer(tile, np.int8, n_groups, begin["bases"])
        self.bases = bases.astype(np.int64)  # the marker where the base is long
        self.long = bases == LONG_BASE
        self.extension_sizes = 4 * self.long.astype(np.int64) + 2 * BITS_SET[self.bitmaps]
