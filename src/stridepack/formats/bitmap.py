# SPDX-License-Identifier: Apache-2.0
"""bitmap: a bit for each element, and values of 1 to 8 bits (docs/format.md, section 8)."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from stridepack.formats.base import Format, Option, Stream

PLANES = (4, 2, 1)  # bits of the planes of a value of fewer than 8 bits
PATCH_BITS, NO_BITMAP = 7, 8  # in byte 3 of the header


class Bitmap(Format):
    """An eighth of dense, plus the non-zeros in as many bits as most of them need."""

    name = "bitmap"
    transforms = frozenset({"live"})
    options = (
        Option(
            "width",
            "integer",
            "the bits of a value. A value that needs more is patched. With 8 bits, values are "
            "stored as they are, which is fastest to decode.",
            "what makes a tile smallest",
            least=1,
            most=8,
        ),
    )

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        yield from BitmapHeader(tile, n).sizes.items()


class BitmapHeader:
    """What the header of a valid tile of n elements says.

    Attributes
    ----------
    width : int
        Bits of a value.
    n_values : int
    has_bitmap : bool
    sizes : dict of str to int
        Bytes of every stream.
    """

    def __init__(self, tile: memoryview, n: int) -> None:
        self.width = tile[0]
        self.has_bitmap = tile[3] & NO_BITMAP == 0
        has_patches = tile[3] & PATCH_BITS != 0
        self._header_size = 4 if self.width == 8 else 12 if has_patches else 8
        if self.width == 8:
            self.n_values = int(np.unpackbits(self.bitmap(tile, n)).sum())
        else:
            self.n_values = int.from_bytes(tile[4:8], "little")
        self.sizes = {
            "header": self._header_size,
            "bitmap": -(-n // 8) if self.has_bitmap else 0,
            "values_8": self.n_values if self.width == 8 else 0,
        }
        for bits in PLANES:
            fields = self.n_values if self.width & bits else 0
            self.sizes[f"values_{bits}"] = -(-fields * bits // 8)
        self.sizes["patches"] = int.from_bytes(tile[8:12], "little") if has_patches else 0

    def bitmap(self, tile: memoryview, n: int) -> npt.NDArray[np.uint8]:
        """The bitmap of a tile that has one."""
        return np.frombuffer(tile, np.uint8, -(-n // 8), self._header_size)
