"""rle: 4-bit distances from element to element (docs/format.md, section 5)."""

from collections.abc import Iterator

from stridepack.formats.base import Format, Stream


class Rle(Format):
    """Relative indexing: 1.5 bytes a non-zero, unpacked one element after the other."""

    name = "rle"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        k = int.from_bytes(tile[:4], "little")
        yield from (("header", 4), ("distances", (k + 1) // 2), ("values", k))

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        # Helium takes 16 values at once, and each of the last ones alone.
        k = int.from_bytes(tile[:4], "little")
        return {"elements": n, "values": k - k % 16, "last_values": k % 16}
