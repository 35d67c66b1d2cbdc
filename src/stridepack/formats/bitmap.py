"""bitmap: one bit for each element, and the non-zeros (docs/format.md, section 8)."""

from collections.abc import Iterator

import numpy as np

from stridepack.formats.base import Format, Stream


class Bitmap(Format):
    """The layout of TensorFlow Lite Micro's PRUNE: an eighth of dense, plus the non-zeros."""

    name = "bitmap"
    transforms = frozenset({"live"})

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        size = (n + 7) // 8
        bitmap = np.frombuffer(tile, np.uint8, size)
        yield from (("bitmap", size), ("values", int(np.unpackbits(bitmap).sum())))
