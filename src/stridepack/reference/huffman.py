# SPDX-License-Identifier: Apache-2.0
"""huffman: gaps and values, each in a canonical Huffman code (docs/format.md, section 10)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from stridepack import _spec
from stridepack.reference.bins import ValueBins
from stridepack.reference.conventions import (
    Int8Array,
    Slots,
    Streams,
    pack_nibbles,
    require,
    unpack_nibbles,
)
from stridepack.reference.ranks import (
    COST_OF_CHANGE,
    FRACTION,
    NEVER,
    SPACE,
    BitReader,
    RankCode,
    Table,
    best_table,
    pack_bits,
    read_ranks,
    read_value_ranks,
)
from stridepack.reference.tiles import StreamReader

MAX_LENGTH = _spec.HUFFMAN_MAX_LENGTH
MAX_GAPS = _spec.HUFFMAN_MAX_GAPS
NO_CODE = MAX_LENGTH + 1  # the rank of a symbol without a code

INDEX_BITS = 8  # of a decoder's lookup
LONG_PENALTY = 1  # bits that a longer code has to save

# What costs a decoder time costs the encoder more than bits, in 1/16 bit.
PENALTIES = {4: 0, 2: 1, 0: 1}  # of a value, by its raw bits
GAP_PENALTY = 1  # of a gap that has a code
SYMBOL_PENALTY = 8  # of a symbol in a short description


class Header(NamedTuple):
    """The header: what the symbols of a tile stand for."""

    k: int  # raw bits of a value
    has_zero: bool  # the last value symbol stands for 0
    alignment: int  # bytes after the codes of values
    wide: bool  # n and positions_size are u32, else u16
    G: int  # gap symbols; s stands for 1 + s; 0: positions are a bitmap
    described: int  # bytes of the short description; 0: there is none
    P: int
    Q: int
    p: int
    q: int
    n: int  # elements
    positions_size: int

    def pack(self) -> bytes:
        flags = self.k | self.has_zero << 3 | self.alignment << 4 | self.wide << 6
        numbers = [self.n, self.positions_size][: 1 + (self.G > 1)]
        size = 4 if self.wide else 2
        data = bytes((flags, *self[4:10]))
        return data + b"".join(number.to_bytes(size, "little") for number in numbers)

    @classmethod
    def read(cls, streams: StreamReader, N: int) -> "Header":
        """The header of a tile of N elements, checked."""
        flags, *fields = streams.take("header", np.uint8, 7).tolist()
        require(flags < 128, f"flags {flags:#x}")
        wide, G = bool(flags & 64), fields[0]
        count = 1 + (G > 1)
        numbers = streams.take("header", "<u4" if wide else "<u2", count).tolist()
        size = numbers[1] if G > 1 else -(-N // 8) if G == 0 else 0
        header = cls(*(flags & 7, bool(flags & 8), flags >> 4 & 3, wide, *fields, numbers[0], size))
        require(header.n <= N, f"{header.n} elements in a tile of {N}")
        require(header.k in (0, 2, 4), f"{header.k} raw bits")
        require(header.G <= MAX_GAPS, f"{header.G} gap symbols")
        require(header.n_values <= 256, f"{header.n_values} value symbols")
        require(header.n_values > 0 or header.n == 0, "elements without a value")
        for first, count in ((header.p, header.P), (header.q, header.Q)):
            require(first + (count << header.k) <= 256, f"{count} bins from {first}")
        require(header.q > 0 or header.Q == 0, "negative values from 0")
        return header

    @property
    def n_values(self) -> int:
        return self.P + self.Q + self.has_zero

    def value(self, s: int) -> int:
        """The lowest value of a symbol."""
        if s < self.P:
            return self.p + (s << self.k)
        s -= self.P
        return 1 - (1 << self.k) - self.q - (s << self.k) if s < self.Q else 0


class Code:
    """A canonical code: of symbol s, `length[s]` bits, `code[s]`. One symbol alone has none."""

    def __init__(self, length: Sequence[int]) -> None:
        self.length = list(length)
        self.code = [0] * len(self.length)
        code = 0
        for bits in range(1, MAX_LENGTH + 1):
            for s in range(len(self.length)):
                if self.length[s] == bits:
                    self.code[s] = code
                    code += 1
            code <<= 1

    def write(self, symbols: Iterable[int]) -> bytes:
        """The codes one after the other, most significant bit first."""
        bits = "".join(f"{self.code[s]:0{self.length[s]}b}" for s in symbols if self.length[s])
        return int(bits.ljust(-(-len(bits) // 8) * 8, "0") or "0", 2).to_bytes(-(-len(bits) // 8))

    def read(self, data: bytes) -> "CodeReader":
        return CodeReader(self, data)


class CodeReader:
    """Takes symbols from a stream of codes."""

    def __init__(self, code: Code, data: bytes) -> None:
        self._symbols = {
            f"{c:0{n}b}": s
            for s, (c, n) in enumerate(zip(code.code, code.length, strict=True))
            if n
        }
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._next = 0

    def take(self) -> int:
        if not self._symbols:
            return 0
        for length in range(1, MAX_LENGTH + 1):
            end = self._next + length
            require(end <= len(self._bits), "a stream of codes ends early")
            if (s := self._symbols.get(self._bits[self._next : end])) is not None:
                self._next = end
                return s
        raise AssertionError("unreachable: a code is complete")

    @property
    def n_bytes(self) -> int:
        """Bytes up to the end of the last code."""
        return -(-self._next // 8)


def group_bytes(g: int, k: int) -> int:
    """Bytes in which a group of g values has its raw bits."""
    return -(-g * k // 8)


# Decoder -----------------------------------------------------------------------------------------


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    header = Header.read(streams, N)
    codes = [Code(lengths) for lengths in read_lengths(header, streams)]
    for code in codes:
        require(max(code.length, default=0) <= MAX_LENGTH, "a code of more than 12 bits")
        space = sum(Fraction(1, 1 << length) for length in code.length if length)
        require(not code.length or space == 1, f"codes fill {space} of their space")
    positions = streams.take("positions", np.uint8, header.positions_size)
    if header.G == 0:
        bits = np.unpackbits(positions)
        c = np.flatnonzero(bits)
        require(not bits[N:].any(), "an unused bit is set")
        require(c.size == header.n, f"{c.size} bits for {header.n} elements")
    else:
        gap_reader = codes[0].read(positions.tobytes())
        gaps = [1 + gap_reader.take() for _ in range(header.n)]
        c = np.cumsum(gaps, dtype=np.int64) - 1
        require(header.n == 0 or c[-1] < N, f"an element at {c[-1:]} of {N}")
        require(gap_reader.n_bytes == positions.size, "gap codes go on")

    raw_size = -(-header.n * header.k // 8)
    size = streams.left - -(-raw_size // 4) * 4 - header.alignment
    require(size >= 0, "value codes end early")
    value_codes = streams.take("value_codes", np.uint8, size + header.alignment).tobytes()[:size]
    raw = streams.take("value_bits", np.uint8, raw_size)
    value_reader = codes[1].read(value_codes)
    v = np.array([header.value(value_reader.take()) for _ in range(header.n)], np.int64)
    require(value_reader.n_bytes == len(value_codes), "value codes go on")
    return c, (v + unpack_raw_bits(raw, header.n, header.k)).astype(np.int8)


def read_lengths(header: Header, streams: StreamReader) -> list[list[int]]:
    """Lengths of the codes of gaps and of values; none where there is a single symbol."""
    n_gaps, n_values = (count if count > 1 else 0 for count in (header.G, header.n_values))
    size = header.described or -(-(n_gaps + n_values) // 2)
    data = streams.take("lengths", np.uint8, size)
    if header.described == 0:
        lengths = unpack_nibbles(data, n_gaps + n_values).tolist()
        return [lengths[:n_gaps], lengths[n_gaps:]]
    bits = BitReader(data.tobytes())
    values, gaps = [], []
    if n_values:
        values = read_value_ranks(bits, header.P, header.Q, header.has_zero)
    if n_gaps:
        gaps = read_ranks(bits, n_gaps)
    bits.end()
    return [lengths_of(gaps), lengths_of(values)]


def lengths_of(ranks: Sequence[int]) -> list[int]:
    """What ranks stand for: 13 for no code."""
    return [0 if rank == NO_CODE else rank for rank in ranks]


def unpack_raw_bits(data: np.ndarray, n: int, k: int) -> np.ndarray:
    """The k raw bits of n values."""
    raw = np.zeros(n, np.int64)
    for first in range(0, n if k else 0, 128 // k if k else 1):
        g = min(128 // k, n - first)
        i = np.arange(g)
        h = group_bytes(g, k)
        raw[first : first + g] = data[first * k // 8 + i % h] >> i // h * k & ((1 << k) - 1)
    return raw


# Encoder -----------------------------------------------------------------------------------------


def limited_lengths(counts: Sequence[int], max_length: int) -> list[int]:
    """Lengths of the code of least cost with at most so many bits, by package-merge.

    A list for each length: the symbols, and pairs of what the list before has, by weight. The
    first 2 (m - 1) items of the last list are the code: each symbol gets a bit for each time that
    it is in there.
    """
    length = [0] * len(counts)
    symbols = sorted((s for s, count in enumerate(counts) if count), key=lambda s: counts[s])
    if len(counts) < 2 or not symbols:
        return length
    if len(symbols) == 1:
        length[symbols[0]] = length[0 if symbols[0] else 1] = 1
        return length
    items: list[tuple[int, list[int]]] = []
    for _ in range(max_length):
        pairs = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(items[::2], items[1::2], strict=False)]
        items = sorted([(counts[s], [s]) for s in symbols] + pairs, key=lambda item: item[0])
    for _, members in items[: 2 * (len(symbols) - 1)]:
        for s in members:
            length[s] += 1
    return length


def code_bits(counts: Sequence[int], length: Sequence[int], long_penalty: int = 0) -> int:
    """Bits of all codes."""
    return sum(
        c * (n + long_penalty * (n > INDEX_BITS)) for c, n in zip(counts, length, strict=True)
    )


def code_lengths(counts: Sequence[int]) -> list[int]:
    """Lengths of at most 12 bits, where what is beyond 8 saves enough."""
    candidates = [limited_lengths(counts, limit) for limit in (MAX_LENGTH, INDEX_BITS)]
    return min(candidates, key=lambda length: code_bits(counts, length, LONG_PENALTY))


def plain_cost(counts: Sequence[int], long_penalty: int = 0) -> int:
    """What codes and their lengths cost, 4 bits each, in 1/16 bit."""
    if len(counts) < 2:
        return 0
    return 16 * (code_bits(counts, code_lengths(counts), long_penalty) + 4 * len(counts))


def bound(counts: Sequence[int]) -> int:
    """What codes cost at least, in 1/16 bit."""
    return 16 * code_bits(counts, limited_lengths(counts, MAX_LENGTH)) if len(counts) > 1 else 0


def length_cost(length: int) -> int:
    """Bits of a code in units of 2^-12; a quarter of a bit more for what no lookup finds."""
    return (length << FRACTION) + (length > INDEX_BITS) * (1 << FRACTION - 2)


def fill_space(ranks: list[int], counts: Sequence[int], shares: Sequence[int]) -> list[int] | None:
    """Shorten codes until they fill the space, always that for which a unit of it costs least."""
    r, n, m = (np.array(x, np.int64) for x in (ranks, counts, shares))
    space, bits = np.array(SPACES, np.int64), np.array(BITS, np.int64)
    left = SPACE - int((space[r] * m).sum())
    while left > 0:
        lower = np.maximum(r - 1, 0)
        gain = (space[lower] - space[r]) * m
        cost = np.where(n > 0, n * (bits[lower] - bits[r]), 0)
        cost[1:] += COST_OF_CHANGE[r[:-1], lower[1:]] - COST_OF_CHANGE[r[:-1], r[1:]]
        cost[:-1] += COST_OF_CHANGE[lower[:-1], r[1:]] - COST_OF_CHANGE[r[:-1], r[1:]]
        possible = np.flatnonzero((r > 1) & (gain <= left))
        if possible.size == 0:
            return None
        price = cost[possible] * (2 * SPACE // gain[possible])
        s = possible[price.argmin()]
        left -= int(gain[s])
        r[s] -= 1
    return r.tolist() if left == 0 else None


BITS = [NEVER, *map(length_cost, range(1, NO_CODE)), NEVER, NEVER, NEVER]
SPACES = [2 * SPACE, *(SPACE >> length for length in range(1, NO_CODE)), 0, 2 * SPACE, 2 * SPACE]
RANKS = RankCode(BITS, SPACES, fill_space, lengths_of, length_cost)


def short_cost(table: Table | None) -> int:
    """What a table costs in 1/16 bit, with a penalty for each symbol."""
    if table is None:
        return NEVER
    return (table.cost >> FRACTION - 4) + SYMBOL_PENALTY * len(table.entries)


def split(distances: Sequence[int], longest: int) -> list[int]:
    """Gaps: long distances are bridged by elements that are zero, unless there is a bitmap (0)."""
    if longest == 0:
        return list(distances)
    gaps = []
    for distance in distances:
        steps = (distance - 1) // longest
        gaps += [longest] * steps + [distance - steps * longest]
    return gaps


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    histogram = Counter(A[A != 0].tolist())
    distances = np.diff(np.flatnonzero(A), prepend=-1).tolist()

    least = None
    for longest in (0, 1, 16, 32, MAX_GAPS):
        gaps = split(distances, longest)
        counts = gap_counts(gaps) if longest else []
        short_gaps: Table | None = None
        fixed = 16 * A.size if longest == 0 else GAP_PENALTY * len(gaps) * (len(counts) > 1)
        for k, penalty in PENALTIES.items():
            bins = ValueBins.of(A, k)
            values = bins.counts(histogram, len(gaps) - len(distances))
            cost = fixed + len(gaps) * (16 * k + penalty)
            plain = cost + plain_cost(counts, LONG_PENALTY) + plain_cost(values)
            if least is None or plain < least:
                least = plain
                lengths = (code_lengths(counts), code_lengths(values))
                best = longest, bins, lengths, ""
            has_gap_code, has_value_code = len(counts) > 1, len(values) > 1
            n_symbols = len(counts) * has_gap_code + len(values) * has_value_code
            at_least = cost + bound(counts) + bound(values) + SYMBOL_PENALTY * n_symbols
            if at_least >= least or n_symbols == 0:
                continue
            P, Q = bins.n_positive, bins.n_negative
            short = best_table(values, RANKS, P, Q, values=True) if has_value_code else None
            if has_gap_code:
                short_gaps = short_gaps or best_table(counts, RANKS)
            cost += short_cost(short) if has_value_code else 0
            cost += short_cost(short_gaps) if has_gap_code else 0
            if cost >= least:
                continue
            bits = "".join(table.bits for table in (short, short_gaps) if table)
            if len(bits) <= 8 * 255:
                least = cost
                lengths = (
                    short_gaps.entries if short_gaps else code_lengths(counts),
                    short.entries if short else code_lengths(values),
                )
                best = longest, bins, lengths, bits
    longest, bins, code_pair, bits = best
    gaps = split(distances, longest)
    n_zeros = len(gaps) - len(distances)
    values = A[np.cumsum(gaps, dtype=np.int64) - 1].tolist()
    gap_code, value_code = (Code(length) for length in code_pair)
    if longest:
        positions = gap_code.write(gap - 1 for gap in gaps)
    else:
        positions = np.packbits(A != 0).tobytes()
    value_codes = value_code.write(map(bins.symbol, values))
    stored = [code.length if len(code.length) > 1 else [] for code in (gap_code, value_code)]
    of_lengths = pack_bits(bits) or pack_nibbles(stored[0] + stored[1])
    G = len(gap_code.length)
    header = Header(
        *(bins.k, n_zeros > 0, 0, max(len(gaps), len(positions) if G > 1 else 0) > 0xFFFF),
        *(G, len(pack_bits(bits))),
        *(bins.n_positive, bins.n_negative, bins.first_positive, bins.first_negative),
        *(len(gaps), len(positions)),
    )
    size = sum(map(len, (header.pack(), of_lengths, positions, value_codes)))
    return {
        "header": header._replace(alignment=-size % 4).pack(),
        "lengths": of_lengths,
        "positions": positions,
        "value_codes": value_codes,
        "value_bits": pack_raw_bits([bins.raw(v) for v in values], bins.k),
    }


def gap_counts(gaps: Sequence[int]) -> list[int]:
    """How often each gap symbol occurs, up to the last one that does."""
    counts: list[int] = np.bincount(np.array(gaps, np.int64) - 1, minlength=1).tolist()
    return counts


def pack_raw_bits(raw: Sequence[int], k: int) -> bytes:
    """The reverse of `unpack_raw_bits`."""
    data = b""
    for first in range(0, len(raw) if k else 0, 128 // k if k else 1):
        group = raw[first : first + 128 // k]
        h = group_bytes(len(group), k)
        packed = [0] * h
        for i, bits in enumerate(group):
            packed[i % h] |= bits << i // h * k
        data += bytes(packed)
    return data
