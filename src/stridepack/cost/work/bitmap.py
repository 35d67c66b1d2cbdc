# SPDX-License-Identifier: Apache-2.0
"""bitmap: what decoding has to do for a tile."""

import numpy as np
import numpy.typing as npt

from stridepack.formats.bitmap import PLANES, BitmapHeader


def work(tile: memoryview, n: int) -> dict[str, int]:
    header = BitmapHeader(tile, n)
    values = header.n_values
    bits = np.zeros(0, np.uint8)  # nothing expands
    if header.has_bitmap:
        bits = np.unpackbits(header.bitmap(tile, n), count=n)
    nbytes = values if header.width < 8 else -(-values // 4) * 4
    return _unpack(header) | {"bitmaps": int(header.has_bitmap)} | _expand(bits, nbytes)


def _unpack(header: BitmapHeader) -> dict[str, int]:
    # A plane takes time by its bits, and by whether it adds to what another one left. Without
    # Helium the values of a last group that is not full come one by one. Patches always do.
    planes = [b for b in PLANES if header.width & b]
    values = header.n_values
    return {
        "planes": len(planes),
        "values_of_4_bits": values if 4 in planes else 0,
        **{
            f"{which}_values_of_{b}_bits": values if b in some else 0
            for b in (2, 1)
            for which, some in (("first", planes[:1]), ("added", planes[1:]))
        },
        "last_groups": sum(values % (128 // b) > 0 for b in planes),
        "last_values": sum(values % (128 // b) for b in planes),
        "patches": header.sizes["patches"],
    }


def _expand(bits: npt.NDArray[np.uint8], nbytes: int) -> dict[str, int]:
    # Helium takes 32 elements at once as long as 32 bytes of values are left, in rounds, each
    # of as many words as surely fit, and looks more closely at the tail behind. It gathers 16
    # values at once, two a cycle at best. Without Helium there is code of its own for every
    # way in which four elements may be set, as long as 8 bytes of values are left.
    n = bits.size
    before = np.cumsum(bits, dtype=np.int64)[31::32]  # values up to the end of each word
    positions = np.flatnonzero(bits)
    rounds, words, left = 0, 0, nbytes
    while step := min(before.size - words, left // 32):
        rounds += 1
        words += step
        left = nbytes - int(before[words - 1])
    in_vector = np.add.reduceat(bits, np.arange(0, n, 16), dtype=np.int64) if n else bits
    eights = min(int(positions[nbytes - 8]) // 8 + 1, n // 8) if n and nbytes >= 8 else 0
    of_fours = bits[: 8 * eights].reshape(-1, 4).sum(axis=1, dtype=np.int64)
    in_four = np.bincount(of_fours, minlength=5)  # NumPy 1 counts no unsigned integers of 64 bits
    return {
        "elements": n,
        "values": positions.size,
        "values_beyond_2_in_16": int(np.maximum(in_vector - 2, 0).sum()),
        "rounds": rounds,
        "tail_elements": n - 32 * words,
        **{f"fours_with_{i}": count for i, count in enumerate(in_four.tolist())},
        "elements_behind_fours": n - 8 * eights,
    }
