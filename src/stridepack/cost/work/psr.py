# SPDX-License-Identifier: Apache-2.0
"""psr: what decoding has to do for a tile."""

import numpy as np

from stridepack import _spec


def work(tile: memoryview, n: int) -> dict[str, int]:
    counts = np.frombuffer(tile, np.uint8, -(-n // _spec.PSR_BLOCK), 4)
    whole = int(np.count_nonzero(counts == 255))
    columns = int.from_bytes(tile[:4], "little")
    in_last = int(counts[-1]) if n % _spec.PSR_BLOCK and counts[-1] != 255 else 0
    return {
        "blocks": counts.size - whole,
        "filled_blocks": int(np.count_nonzero(counts)) - whole,
        "whole_blocks": whole,
        "columns": columns - in_last,
        "last_columns": in_last,
    }
