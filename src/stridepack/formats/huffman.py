"""huffman: values, and gaps or a bitmap, in Huffman codes (docs/format.md, section 10)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from stridepack.formats.base import Format, Stream

INDEX_BITS = 8  # that a decoder's lookup looks at
ENTRY_SYMBOLS = 4  # that it gives at most


class Huffman(Format):
    """Close to the zero-order entropy, and unpacked by lookups: for cores without vectors."""

    name = "huffman"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        stored, positions = (int.from_bytes(tile[i : i + 4], "little") for i in (0, 4))
        sizes = {
            "header": 16,
            "lengths": -(-sum(map(len, _code_lengths(tile))) // 2),
            "value_bits": -(-stored * tile[8] // 8),
            "positions": positions,
        }
        yield from sizes.items()
        before = sum(-(-size // 4) * 4 for size in sizes.values())
        yield "value_codes", len(tile) - before - tile[11]

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        # How many lookups there are shows the code: a symbol comes with 2^-length, nearly.
        stored, n_gaps = int.from_bytes(tile[:4], "little"), tile[10]
        codes = [_Code(lengths) for lengths in _code_lengths(tile) if lengths]
        return {
            "bitmap_elements": n if n_gaps == 0 else 0,
            # With codes for gaps; zeros behind the last element take about half as long.
            "cleared_elements": (0, (n - stored) // 2, n)[min(n_gaps, 2)],
            "values": stored,
            "values_with_raw_bits": stored if tile[8] else 0,
            "gaps": stored if n_gaps > 1 else 0,
            "codes": len(codes),
            "symbols": sum(code.n_symbols for code in codes),
            "table_entries": sum(code.n_entries for code in codes),
            "lookups": sum(round(stored * code.lookups_a_symbol) for code in codes),
            "long_codes": sum(round(stored * code.long_share) for code in codes),
        }


def _code_lengths(tile: memoryview) -> tuple[list[int], list[int]]:
    """Lengths of the codes of gaps and of values; none where there is a single symbol."""
    counts = tile[10], tile[9] + tile[12] + tile[13]
    n_gaps, n_values = (count if count > 1 else 0 for count in counts)
    nibbles = tile[16 : 16 + -(-(n_gaps + n_values) // 2)].hex()
    lengths = [int(digit, 16) for digit in nibbles]
    return lengths[:n_gaps], lengths[n_gaps : n_gaps + n_values]


class _Code:
    """What a decoder's table of a code is like."""

    def __init__(self, lengths: Sequence[int]) -> None:
        counts = Counter(lengths)

        @cache
        def entries(room: int, symbols: int) -> int:
            """Different entries that start with so many symbols and have so many bits left."""
            if symbols == ENTRY_SYMBOLS:
                return 1
            return 1 + sum(counts[b] * entries(room - b, symbols + 1) for b in range(1, room + 1))

        @cache
        def expected(room: int, symbols: int) -> float:
            """Further symbols of an entry, on average."""
            if symbols == ENTRY_SYMBOLS:
                return 0
            return sum(
                counts[b] / (1 << b) * (1 + expected(room - b, symbols + 1))
                for b in range(1, room + 1)
            )

        self.n_symbols = len(lengths)
        self.n_entries = entries(INDEX_BITS, 0)
        self.long_share = sum(counts[b] / (1 << b) for b in counts if b > INDEX_BITS)
        short_share = 1 - self.long_share  # of the symbols, and of the lookups that give any
        self.lookups_a_symbol = short_share**2 / (expected(INDEX_BITS, 0) or 1)
