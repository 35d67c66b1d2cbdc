# SPDX-License-Identifier: Apache-2.0
"""huffman: what decoding has to do for a tile."""

from bisect import bisect
from collections.abc import Sequence

from stridepack import _spec
from stridepack.formats.huffman import Huffman, HuffmanHeader
from stridepack.reference.huffman import Header, read_lengths
from stridepack.reference.tiles import StreamReader

MAX_LENGTH = _spec.HUFFMAN_MAX_LENGTH
INDEX_BITS = 8  # that a decoder's lookup looks at
ENTRY_SYMBOLS = 4  # that it gives at most
PAIR_BITS = 10  # that a lookup of values looks at with Helium
PAIR_TURN = 5  # such lookups in a turn


def work(tile: memoryview, n: int) -> dict[str, int]:
    header = HuffmanHeader(tile, n)
    stored, n_gaps = header.stored, header.n_gaps
    streams, offset = {}, 0
    for name, size in Huffman().streams(tile, n):
        streams[name] = tile[offset : offset + size]
        offset += size
    reader = StreamReader(bytes(tile))
    gap_lengths, value_lengths = read_lengths(Header.read(reader, n), reader)
    gap_walks = [_Walk(gap_lengths, bytes(streams["positions"]), stored)] if gap_lengths else []
    walks = gap_walks.copy()
    if value_lengths:
        walks.append(_Walk(value_lengths, bytes(streams["value_codes"]), stored))
    return {
        "bitmap_elements": n if n_gaps == 0 else 0,
        "cleared_elements": (0, n - stored, n)[min(n_gaps, 2)],
        "values": stored if value_lengths else 0,
        "equal_values": 0 if value_lengths else stored,  # they are filled in
        "values_with_raw_bits": stored if header.value_raw else 0,
        "gaps": stored if n_gaps > 1 else 0,
        # Helium stores 16 values at once where an offset of 8 bits reaches the last of them.
        "far_gaps": stored if n_gaps > 1 and 16 * n > 255 * stored else 0,
        "codes": len(walks),
        "symbols": sum(walk.n_symbols for walk in walks),
        "table_entries": sum(walk.n_entries for walk in walks),
        "turns": sum(walk.n_turns for walk in walks),
        "long_codes": sum(walk.n_long for walk in walks),
        # With Helium only gaps are read like this, and values by pairs.
        "gap_table_entries": sum(walk.n_entries for walk in gap_walks),
        "gap_turns": sum(walk.n_turns for walk in gap_walks),
        **_pairs(value_lengths, len(streams["value_codes"])),
    }


def _pairs(lengths: Sequence[int], nbytes: int) -> dict[str, int]:
    """What a decoder with Helium does for values: turns of five lookups, each of a pair or less.

    Turns are an estimate, as if any bits were equally likely. That is close, as the bits of a good
    code are, and much faster than to walk through the stream.
    """
    codes = sorted(filter(None, lengths))
    short = codes[: bisect(codes, PAIR_BITS)]
    fills = bits = filled = 0  # bits: of all entries of the table
    for first in short:
        room = PAIR_BITS - first
        seconds = short[: bisect(short, room)]
        left = (1 << room) - sum(1 << room - second for second in seconds)
        fills += len(seconds) + (left > 0)
        bits += (first << room) + sum(second << room - second for second in seconds)
        filled += 1 << room
    if not codes:
        return {"pair_fills": 0, "pair_turns": 0, "long_pairs": 0}
    # A lookup of a longer code gives nothing, and neither does any after it.
    goes_on = filled / (1 << PAIR_BITS)
    lookups = sum(goes_on**i for i in range(PAIR_TURN))
    long = 1 - goes_on**PAIR_TURN
    turns = 8 * nbytes / (lookups * bits / (1 << PAIR_BITS) + long * (PAIR_BITS + 1))
    return {"pair_fills": fills, "pair_turns": round(turns), "long_pairs": round(turns * long)}


class _Walk:
    """What a decoder does with a stream of n symbols: turns of three lookups, and long codes."""

    def __init__(self, lengths: Sequence[int], stream: bytes, n: int) -> None:
        self.n_symbols = len(lengths)
        length_at: list[int] = []  # of the code that a window of 12 bits starts with
        for bits in filter(None, sorted(lengths)):
            length_at += [bits] * (1 << MAX_LENGTH - bits)
        table = []  # bits and symbols of each lookup
        for index in range(1 << INDEX_BITS):
            used = count = 0
            while count < ENTRY_SYMBOLS:
                window = index << used + MAX_LENGTH - INDEX_BITS & (1 << MAX_LENGTH) - 1
                if used + length_at[window] > INDEX_BITS:
                    break
                used += length_at[window]
                count += 1
            table.append((used, count))
        self.n_entries = len({(i >> INDEX_BITS - used, used) for i, (used, _) in enumerate(table)})

        self.n_turns = self.n_long = 0
        data = stream + bytes(8)
        bit = done = 0
        while done < n:
            self.n_turns += 1
            word = int.from_bytes(data[bit // 8 : bit // 8 + 5]) << bit % 8
            for _ in range(3):
                used, count = table[word >> 32 & 255]
                word <<= used
                bit += used
                done += count
            if count == 0:
                self.n_long += 1
                window = int.from_bytes(data[bit // 8 : bit // 8 + 3]) >> 12 - bit % 8
                bit += length_at[window & (1 << MAX_LENGTH) - 1]
                done += 1
