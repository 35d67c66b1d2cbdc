# SPDX-License-Identifier: Apache-2.0
"""rle: what decoding has to do for a tile."""

import numpy as np


def work(tile: memoryview, n: int) -> dict[str, int]:
    # Decoders take 16 values at once; where fewer than 256 elements are left they check where
    # these go. Helium takes each of the last ones alone.
    k = int.from_bytes(tile[:4], "little")
    pairs = np.frombuffer(tile, np.uint8, k // 2, 4)
    begins = np.cumsum((pairs >> 4) + (pairs & 15) + np.uint8(2), dtype=np.int64)[7::8]
    begins = np.append(0, begins[:-1]) if begins.size else begins  # of each 16 values
    sure = 16 * int(np.count_nonzero(n - begins >= 256))
    return {
        "elements": n,
        "values": sure,
        "checked_values": k - k % 16 - sure,
        "last_values": k % 16,
    }
