# SPDX-License-Identifier: Apache-2.0
"""huffman: values, and gaps or a bitmap, in Huffman codes (docs/format.md, section 10)."""

from collections.abc import Iterator

from stridepack.formats.base import Format, Stream


class Huffman(Format):
    """Close to the zero-order entropy, and unpacked by lookups: for cores without vectors."""

    name = "huffman"
    transforms = frozenset({"live", "classes", "prediction"})

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        header = HuffmanHeader(tile, n)
        value_bits = -(-header.stored * header.value_raw // 8)
        yield from (("header", header.size), ("lengths", header.lengths_size))
        yield "positions", header.positions_size
        before = header.size + header.lengths_size + header.positions_size
        yield "value_codes", len(tile) - -(-value_bits // 4) * 4 - header.alignment - before
        yield "value_bits", value_bits


class HuffmanHeader:
    """What the header of a huffman tile of n elements says. Sizes are in bytes."""

    def __init__(self, tile: memoryview, n: int) -> None:
        flags, self.n_gaps, self.description_size = tile[:3]
        self.value_raw, self.has_zero, self.alignment = flags & 7, flags >> 3 & 1, flags >> 4 & 3
        self.n_values = tile[3] + tile[4] + self.has_zero
        field = 4 if flags & 64 else 2
        n_fields = 2 if self.n_gaps > 1 else 1
        self.size = 7 + n_fields * field
        fields = [int.from_bytes(tile[i : i + field], "little") for i in range(7, self.size, field)]
        self.stored = fields[0]
        self.positions_size = fields[1] if self.n_gaps > 1 else 0
        if self.n_gaps == 0:
            self.positions_size = -(-n // 8)
        n_lengths = sum(count for count in (self.n_gaps, self.n_values) if count > 1)
        self.lengths_size = self.description_size or -(-n_lengths // 2)
