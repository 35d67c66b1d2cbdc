# SPDX-License-Identifier: Apache-2.0
"""rle: 4-bit distances from element to element (docs/format.md, section 5)."""

from collections.abc import Iterator

from stridepack.formats.base import Format, Stream


class Rle(Format):
    """Relative indexing: 1.5 bytes a non-zero, unpacked one element after the other."""

    name = "rle"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        k = int.from_bytes(tile[:4], "little")
        yield from (("header", 4), ("distances", (k + 1) // 2), ("values", k))
