"""rans: entropy-coded gaps and values, eight states at a time (docs/format.md, section 9)."""

from collections.abc import Iterator

import numpy as np

from stridepack import _spec
from stridepack.formats.base import Format, Stream


class Rans(Format):
    """Within one or two per cent of the zero-order entropy, and the slowest to unpack."""

    name = "rans"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        lanes = _spec.RANS_LANES
        k, r = tile[0] & 15, tile[0] >> 4
        has_zero, half = tile[1] & 1, tile[1] >> 1 & 1
        n_values = tile[4] + tile[5] + has_zero
        frequencies = sum(count for count in (tile[2], n_values) if count > 1)
        n_blocks = -(-n // (_spec.RANS_BLOCK >> half))
        end, size = ("<u2" if tile[1] & flag else "u1" for flag in (4, 8))
        fields = [("n", "<u2"), ("states", "<u2", lanes)]
        record = np.dtype([*fields, ("ends", end, lanes), ("sizes", size, lanes)])
        blocks = np.frombuffer(tile, record, n_blocks, 8 + -(-frequencies // 4) * 4)
        rows = -(-blocks["n"].astype(np.int64) // lanes)
        yield from (("header", 8), ("frequencies", frequencies))
        yield "blocks", n_blocks * record.itemsize
        yield "bytes", int(blocks["sizes"].sum(dtype=np.int64))
        yield "value_bits", lanes * int((-(-rows * k // 8)).sum())
        yield "gap_bits", int(rows.sum()) * r
