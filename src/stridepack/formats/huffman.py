"""huffman: gaps and values, each in a canonical Huffman code (docs/format.md, section 10)."""

from collections.abc import Iterator

from stridepack.formats.base import Format, Stream


class Huffman(Format):
    """Close to the zero-order entropy, and unpacked by lookups: for cores without vectors."""

    name = "huffman"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        stored, positions = (int.from_bytes(tile[i : i + 4], "little") for i in (0, 4))
        n_values = tile[9] + tile[12] + tile[13]
        sizes = {
            "header": 16,
            "lengths": -(-sum(count for count in (tile[10], n_values) if count > 1) // 2),
            "value_bits": -(-stored * tile[8] // 8),
            "positions": positions,
        }
        yield from sizes.items()
        before = sum(-(-size // 4) * 4 for size in sizes.values())
        yield "value_codes", len(tile) - before - tile[11]

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        return super().work(tile, n) | {"stored": int.from_bytes(tile[:4], "little")}
