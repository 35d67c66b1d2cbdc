"""bitmap: what decoding has to do for a tile."""

import numpy as np


def work(tile: memoryview, n: int) -> dict[str, int]:
    # Helium takes 32 elements at once as long as 32 bytes of values are left, in rounds, each
    # of as many words as surely fit, and looks more closely at the tail behind. It gathers 16
    # values at once, two a cycle at best. Without Helium there is code of its own for every
    # way in which four elements may be set, as long as 8 bytes of values are left.
    bits = np.unpackbits(np.frombuffer(tile, np.uint8, (n + 7) // 8), count=n)
    before = np.cumsum(bits, dtype=np.int64)[31::32]  # values up to the end of each word
    positions = np.flatnonzero(bits)
    n_values = positions.size
    nbytes = -(-n_values // 4) * 4
    rounds, words, left = 0, 0, nbytes
    while step := min(before.size - words, left // 32):
        rounds += 1
        words += step
        left = nbytes - int(before[words - 1])
    in_vector = np.add.reduceat(bits, np.arange(0, n, 16), dtype=np.int64)
    eights = 0 if nbytes < 8 else min(int(positions[nbytes - 8]) // 8 + 1, n // 8)
    in_four = np.bincount(bits[: 8 * eights].reshape(-1, 4).sum(axis=1), minlength=5)
    return {
        "elements": n,
        "values": n_values,
        "values_beyond_2_in_16": int(np.maximum(in_vector - 2, 0).sum()),
        "rounds": rounds,
        "tail_elements": n - 32 * words,
        **{f"fours_with_{i}": count for i, count in enumerate(in_four.tolist())},
        "elements_behind_fours": n - 8 * eights,
    }
