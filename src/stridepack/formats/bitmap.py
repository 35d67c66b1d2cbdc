"""bitmap: one bit for each element, and the non-zeros (docs/format.md, section 8)."""

from collections.abc import Iterator

import numpy as np

from stridepack.formats.base import Format, Stream


class Bitmap(Format):
    """The layout of TensorFlow Lite Micro's PRUNE: an eighth of dense, plus the non-zeros."""

    name = "bitmap"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        size = (n + 7) // 8
        bitmap = np.frombuffer(tile, np.uint8, size)
        yield from (("bitmap", size), ("values", int(np.unpackbits(bitmap).sum())))

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        # Decoders look at 32 elements at once as long as 32 bytes of values are left, and at each
        # of the tail behind. Helium gathers 16 values at once, two a cycle at best.
        bits = np.unpackbits(np.frombuffer(tile, np.uint8, (n + 7) // 8), count=n)
        positions = np.flatnonzero(bits)
        nbytes = -(-positions.size // 4) * 4
        words = 0 if nbytes < 32 else int(positions[nbytes - 32]) // 32 + 1
        tail = n - 32 * min(words, n // 32)
        in_vector = np.add.reduceat(bits, np.arange(0, n, 16), dtype=np.int64)
        return {
            "elements": n,
            "values": positions.size,
            "values_beyond_2_in_16": int(np.maximum(in_vector - 2, 0).sum()),
            "tail_elements": tail,
        }
