"""huffman: values, and gaps or a bitmap, in Huffman codes (docs/format.md, section 10)."""

from collections.abc import Iterator

from stridepack.formats.base import Format, Stream


class Huffman(Format):
    """Close to the zero-order entropy, and unpacked by lookups: for cores without vectors."""

    name = "huffman"
    transforms = frozenset({"live", "classes", "prediction"})

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        stored, positions = (int.from_bytes(tile[i : i + 4], "little") for i in (0, 4))
        sizes = {
            "header": 16,
            "lengths": -(-sum(map(len, code_lengths(tile))) // 2),
            "value_bits": -(-stored * tile[8] // 8),
            "positions": positions,
        }
        yield from sizes.items()
        before = sum(-(-size // 4) * 4 for size in sizes.values())
        yield "value_codes", len(tile) - before - tile[11]


def code_lengths(tile: memoryview) -> tuple[list[int], list[int]]:
    """Lengths of the codes of gaps and of values; none where there is a single symbol."""
    counts = tile[10], tile[9] + tile[12] + tile[13]
    n_gaps, n_values = (count if count > 1 else 0 for count in counts)
    nibbles = tile[16 : 16 + -(-(n_gaps + n_values) // 2)].hex()
    lengths = [int(digit, 16) for digit in nibbles]
    return lengths[:n_gaps], lengths[n_gaps : n_gaps + n_values]
