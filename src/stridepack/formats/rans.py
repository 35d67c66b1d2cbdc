# SPDX-License-Identifier: Apache-2.0
"""rans: entropy-coded gaps and values, eight states at a time (docs/format.md, section 9)."""

from collections.abc import Iterator

import numpy as np

from stridepack import _spec
from stridepack.formats.base import Format, Stream


class Rans(Format):
    """Within one or two per cent of the zero-order entropy, and the slowest to unpack."""

    name = "rans"
    transforms = frozenset({"live", "classes", "prediction"})

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        parts = RansParts(tile, n)
        yield from (("header", 8), ("frequencies", parts.frequencies_size))
        yield "blocks", parts.blocks.nbytes
        yield "bytes", int(parts.blocks["sizes"].sum(dtype=np.int64))
        yield "value_bits", _spec.RANS_LANES * int((-(-parts.rows * parts.value_raw // 8)).sum())
        yield "gap_bits", int(parts.rows.sum()) * parts.gap_raw


class RansParts:
    """The header of a rans tile and its blocks; elements of each, and of each of its lanes."""

    def __init__(self, tile: memoryview, n: int) -> None:
        lanes = _spec.RANS_LANES
        self.value_raw, self.gap_raw = tile[0] & 15, tile[0] >> 4
        flags, self.n_gaps, self.description_size = tile[1:4]
        self.n_values = tile[4] + tile[5] + (flags & 1)
        self.n_frequencies = sum(count for count in (self.n_gaps, self.n_values) if count > 1)
        self.frequencies_size = self.description_size or self.n_frequencies
        n_blocks = -(-n // (_spec.RANS_BLOCK >> (flags >> 1 & 1)))
        end, size = ("<u2" if flags & flag else "u1" for flag in (4, 8))
        fields = [("n", "<u2"), ("states", "<u2", lanes)]
        record = np.dtype([*fields, ("ends", end, lanes), ("sizes", size, lanes)])
        self.blocks = np.frombuffer(tile, record, n_blocks, 8 + self.frequencies_size)
        self.elements = self.blocks["n"].astype(np.int64)
        self.rows = -(-self.elements // lanes)
        self.of_lanes = (self.elements[:, None] + np.arange(lanes)[::-1]) // lanes
