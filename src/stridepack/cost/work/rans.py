# SPDX-License-Identifier: Apache-2.0
"""rans: what decoding has to do for a tile."""

import numpy as np

from stridepack import _spec
from stridepack.formats.rans import RansParts


def work(tile: memoryview, n: int) -> dict[str, int]:
    # A row is an element of each lane; each number of steps and of raw bits has its own loop.
    # Decoders go in turns that look at no byte: Helium for all rows but the last, scalar ones
    # for half as many elements of a lane as it has bytes left, again and again.
    parts = RansParts(tile, n)
    in_turn = 8 // parts.value_raw if parts.value_raw else 1
    # Where all values are equal nothing is coded but the gaps, and one loop does all: such rows
    # are counted apart, by what is coded.
    has_codes, has_gap_codes = parts.n_values > 1, parts.n_gaps > 1
    has_turns = has_codes and (has_gap_codes or parts.gap_raw == 0)
    all_rows = int(parts.rows.sum())
    n_rows = careful_rows = all_rows * has_codes
    if has_turns and parts.gap_raw <= 2:
        careful_rows -= int((parts.elements // _spec.RANS_LANES // in_turn * in_turn).sum())
    scalar_turns, careful_elements = 0, 0
    for count, nbytes in zip(parts.of_lanes.flat, parts.blocks["sizes"].flat, strict=True):
        left, bytes_left = int(count), float(nbytes)
        while has_turns and (turns := int(min(left, bytes_left / 2)) // in_turn):
            scalar_turns += 1
            left -= turns * in_turn
            bytes_left = left * int(nbytes) / int(count)
        careful_elements += left * has_codes
    kinds = {
        f"rows_of_{steps}_steps_{bits}_bits": n_rows
        * (steps == has_gap_codes + 1 and bits == parts.value_raw)
        for steps in (1, 2)
        for bits in (0, 2, 4)
    }
    return {
        "elements": n,
        "symbols": parts.n_frequencies,
        "tables": has_codes + has_gap_codes,
        "blocks": parts.blocks.size,
        **kinds,
        "rows_without_codes": all_rows * (not has_codes and not has_gap_codes),
        "rows_of_gap_codes": all_rows * (not has_codes and has_gap_codes),
        "rows_with_gap_bits": all_rows * (parts.gap_raw > 0),
        "careful_rows": careful_rows,
        "scalar_turns": scalar_turns,
        "careful_elements": careful_elements * has_gap_codes,
        "careful_elements_of_1_step": careful_elements * (not has_gap_codes),
        "bytes": int(parts.blocks["sizes"].sum(dtype=np.int64)),
    }
