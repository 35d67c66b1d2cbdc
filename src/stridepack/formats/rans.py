"""rans: entropy-coded gaps and values, eight states at a time (docs/format.md, section 9)."""

from collections.abc import Iterator

import numpy as np

from stridepack import _spec
from stridepack.formats.base import Format, Stream


class Rans(Format):
    """Within one or two per cent of the zero-order entropy, and the slowest to unpack."""

    name = "rans"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        parts = _Parts(tile, n)
        yield from (("header", 8), ("frequencies", parts.n_frequencies))
        yield "blocks", parts.blocks.nbytes
        yield "bytes", int(parts.blocks["sizes"].sum(dtype=np.int64))
        yield "value_bits", _spec.RANS_LANES * int((-(-parts.rows * parts.value_raw // 8)).sum())
        yield "gap_bits", int(parts.rows.sum()) * parts.gap_raw

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        # A row is an element of each lane; each number of steps and of raw bits has its own loop.
        # Decoders go in turns that look at no byte: Helium for all rows but the last, scalar ones
        # for half as many elements of a lane as it has bytes left, again and again.
        parts = _Parts(tile, n)
        in_turn = 8 // parts.value_raw if parts.value_raw else 1
        has_turns = parts.n_values > 1 and (parts.n_gaps > 1 or parts.gap_raw == 0)
        n_rows = careful_rows = int(parts.rows.sum())
        if has_turns and parts.gap_raw <= 2:
            careful_rows -= int((parts.elements // _spec.RANS_LANES // in_turn * in_turn).sum())
        scalar_turns, careful_elements = 0, 0
        for count, nbytes in zip(parts.of_lanes.flat, parts.blocks["sizes"].flat, strict=True):
            left, bytes_left = int(count), float(nbytes)
            while has_turns and (turns := int(min(left, bytes_left / 2)) // in_turn):
                scalar_turns += 1
                left -= turns * in_turn
                bytes_left = left * int(nbytes) / int(count)
            careful_elements += left
        kinds = {
            f"rows_of_{steps}_steps_{bits}_bits": n_rows
            * (steps == (parts.n_gaps > 1) + 1 and bits == parts.value_raw)
            for steps in (1, 2)
            for bits in (0, 2, 4)
        }
        return {
            "elements": n,
            "symbols": parts.n_frequencies,
            "blocks": parts.blocks.size,
            **kinds,
            "rows_with_gap_bits": n_rows * (parts.gap_raw > 0),
            "careful_rows": careful_rows,
            "scalar_turns": scalar_turns,
            "careful_elements": careful_elements,
            "bytes": int(parts.blocks["sizes"].sum(dtype=np.int64)),
        }


class _Parts:
    """The header of a rans tile and its blocks; elements of each, and of each of its lanes."""

    def __init__(self, tile: memoryview, n: int) -> None:
        lanes = _spec.RANS_LANES
        self.value_raw, self.gap_raw = tile[0] & 15, tile[0] >> 4
        flags, self.n_gaps = tile[1], tile[2]
        self.n_values = tile[4] + tile[5] + (flags & 1)
        self.n_frequencies = sum(count for count in (self.n_gaps, self.n_values) if count > 1)
        n_blocks = -(-n // (_spec.RANS_BLOCK >> (flags >> 1 & 1)))
        end, size = ("<u2" if flags & flag else "u1" for flag in (4, 8))
        fields = [("n", "<u2"), ("states", "<u2", lanes)]
        record = np.dtype([*fields, ("ends", end, lanes), ("sizes", size, lanes)])
        self.blocks = np.frombuffer(tile, record, n_blocks, 8 + -(-self.n_frequencies // 4) * 4)
        self.elements = self.blocks["n"].astype(np.int64)
        self.rows = -(-self.elements // lanes)
        self.of_lanes = (self.elements[:, None] + np.arange(lanes)[::-1]) // lanes
