# SPDX-License-Identifier: Apache-2.0
"""rans: gaps and values by turns through eight rANS states (docs/format.md, section 9)."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from stridepack import _spec
from stridepack.reference.bins import GapClasses, ValueBins
from stridepack.reference.conventions import Int8Array, Slots, Streams, require
from stridepack.reference.ranks import (
    FRACTION,
    BitReader,
    best_table,
    read_ranks,
    read_value_ranks,
)
from stridepack.reference.slots import (
    LOWEST,
    RANKS,
    SLOTS,
    Lane,
    Table,
    choose_frequencies,
    code_bits,
    estimated_cost,
    frequencies,
    plain_cost,
)
from stridepack.reference.tiles import StreamReader

LANES = _spec.RANS_LANES
BLOCK = _spec.RANS_BLOCK  # elements in a block, or half of that
MOST_DESCRIBED = 64  # gap symbols in a short description


class Code(NamedTuple):
    """The header: what the symbols of a tile stand for."""

    k: int  # raw bits of a value
    r: int  # raw bits of a gap
    has_zero: bool  # the last value symbol stands for 0
    half: bool  # blocks of half the length
    wide_ends: bool  # ends of lanes are u16
    wide_sizes: bool  # sizes of lanes are u16
    jump: int  # 0, or the last gap symbol stands for 2^jump
    n_gaps: int
    described: int  # bytes of the short description; 0: there is none
    n_positive: int
    n_negative: int
    first_positive: int
    first_negative: int

    def pack(self) -> bytes:
        flags = self.has_zero | self.half << 1 | self.wide_ends << 2 | self.wide_sizes << 3
        return bytes((self.k | self.r << 4, flags | self.jump << 4, *self[7:]))

    @classmethod
    def unpack(cls, header: bytes) -> "Code":
        bits, flags = header[:2]
        code = cls(
            *(bits & 15, bits >> 4),
            *(bool(flags & 1 << i) for i in range(4)),
            *(flags >> 4, *header[2:]),
        )
        require(code.k in (0, 2, 4) and code.r in (0, 1, 2, 4), f"raw bits {bits:#x}")
        require(code.n_gaps > 0, "no gap symbol")
        require(code.n_values <= SLOTS, f"{code.n_values} value symbols")
        is_short = code.n_gaps <= MOST_DESCRIBED or not code.described
        require(is_short, f"{code.n_gaps} gap symbols in a short description")
        return code

    @property
    def n_values(self) -> int:
        return self.n_positive + self.n_negative + self.has_zero

    @property
    def block(self) -> int:
        return BLOCK >> self.half

    def gaps(self) -> list[int]:
        """What each gap symbol adds to the position, besides its raw bits."""
        gaps = [1 + (s << self.r) for s in range(self.n_gaps)]
        if self.jump:
            gaps[-1] = 1 << self.jump
        return gaps

    def values(self) -> list[int]:
        """The lowest value of each value symbol."""
        up = [self.first_positive + (s << self.k) for s in range(self.n_positive)]
        down = [
            1 - (1 << self.k) - self.first_negative - (s << self.k) for s in range(self.n_negative)
        ]
        return up + down + [0] * self.has_zero


def read_frequencies(code: Code, data: bytes) -> list[list[int]]:
    """The frequencies of gaps and of values; none where there is a single symbol."""
    if code.described:
        bits = BitReader(data)
        tables: list[list[int]] = [[], []]
        if code.n_values > 1:
            P, Q = code.n_positive, code.n_negative
            tables[1] = frequencies(read_value_ranks(bits, P, Q, code.has_zero)) or []
            require(bool(tables[1]), "value frequencies of more than 256, or of one symbol")
        if code.n_gaps > 1:
            tables[0] = frequencies(read_ranks(bits, code.n_gaps)) or []
            require(bool(tables[0]), "gap frequencies of more than 256, or of one symbol")
        bits.end()
        return tables
    n_gaps = code.n_gaps if code.n_gaps > 1 else 0
    tables = [list(data[:n_gaps]), list(data[n_gaps:])]
    for f in tables:
        require(not f or sum(f) == SLOTS, f"frequencies of {sum(f)}")
    return tables


def lane_sizes(n: int) -> list[int]:
    """Elements of each lane of a block of n elements."""
    return [(n + LANES - 1 - lane) // LANES for lane in range(LANES)]


def even_end(lane: int, length: int) -> int:
    """Where a lane would end if all had equal shares of the positions of a block."""
    return (lane + 1) * length // LANES


def value_rows(rows: int, k: int) -> int:
    """Bytes in which each lane keeps k bits a row."""
    return -(-rows * k // 8)


# Decoder -----------------------------------------------------------------------------------------


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    code = Code.unpack(streams.take("header", np.uint8, 8).tobytes())
    n_frequencies = sum(n for n in (code.n_gaps, code.n_values) if n > 1)
    f = streams.take("frequencies", np.uint8, code.described or n_frequencies)
    tables = [Table(f) for f in read_frequencies(code, f.tobytes())]

    of_end, of_size = "<u2" if code.wide_ends else "i1", "<u2" if code.wide_sizes else "u1"
    fields = [("n", "<u2"), ("x", "<u2", LANES), ("ends", of_end, LANES), ("sizes", of_size, LANES)]
    blocks = streams.take("blocks", np.dtype(fields), -(-N // code.block))
    sizes = blocks["sizes"].astype(np.int64)
    require(bool(np.all(sizes.sum(axis=1) <= 65535)), "a block of too many bytes")
    n = blocks["n"].astype(np.int64)
    require(code.n_values > 0 or not n.any(), "elements without a value")
    rows = -(-n // LANES)
    data = streams.take("bytes", np.uint8, int(sizes.sum())).tobytes()
    value_bytes = LANES * sum(value_rows(i, code.k) for i in rows)
    raw = streams.take("value_bits", np.uint8, value_bytes)
    gap_raw = streams.take("gap_bits", np.uint8, int(rows.sum()) * code.r)

    c: list[int] = []
    v: list[int] = []
    at = value_at = gap_at = 0
    for b in range(len(blocks)):
        length = min(code.block, N - b * code.block)
        value_bits = unpack_value_bits(raw[value_at:], int(rows[b]), code.k)
        gap_bits = unpack_gap_bits(gap_raw[gap_at:], int(rows[b]), code.r)
        value_at += LANES * value_rows(int(rows[b]), code.k)
        gap_at += int(rows[b]) * code.r
        next_ = 0  # one behind the previous element
        for lane, n_lane in enumerate(lane_sizes(int(n[b]))):
            stream = Lane(data[at : at + int(sizes[b, lane])])
            at += int(sizes[b, lane])
            x = int(blocks["x"][b, lane])
            for row in range(n_lane):
                s, x = tables[0].pop(x, stream)
                next_ += code.gaps()[s] + int(gap_bits[row, lane])
                s, x = tables[1].pop(x, stream)
                c.append(b * code.block + next_ - 1)
                v.append(code.values()[s] + int(value_bits[row, lane]))
            stream.end()
            require(x == LOWEST, f"lane {lane} of block {b} ends in state {x}")
            end = int(blocks["ends"][b, lane])
            if not code.wide_ends:
                end += even_end(lane, length)
            require(next_ == end <= length, f"lane {lane} of block {b} ends at {next_}, not {end}")
    return np.array(c, np.int64), np.array(v, np.int64).astype(np.int8)


def unpack_value_bits(data: np.ndarray, rows: int, k: int) -> np.ndarray:
    """The k raw bits of every row and lane, from bytes that hold 8 / k rows of a lane."""
    row = np.arange(rows)
    if k == 0:
        return np.zeros((rows, LANES), np.int64)
    lanes = data[: LANES * value_rows(rows, k)].reshape(-1, LANES).astype(np.int64)
    return lanes[row // (8 // k)] >> (row % (8 // k) * k)[:, None] & ((1 << k) - 1)


def unpack_gap_bits(data: np.ndarray, rows: int, r: int) -> np.ndarray:
    """The r raw bits of every row and lane, from r bytes a row, lane 0 in the lowest bits."""
    words = np.zeros(rows, np.int64)
    for i in range(r):
        words |= data[i : rows * r : r].astype(np.int64) << 8 * i
    return words[:, None] >> np.arange(LANES) * r & ((1 << r) - 1)


# Encoder -----------------------------------------------------------------------------------------


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    histogram = Counter(A[A != 0].tolist())
    k = histogram.total()

    def value_cost(bins: ValueBins) -> int:
        counts = bins.counts(histogram, 0)
        costs = [plain_cost(counts)]
        short = None
        if len(counts) > 1:
            short = best_table(counts, RANKS, bins.n_positive, bins.n_negative, values=True)
        if short:  # 3 bits for each symbol, as they take time to read
            costs.append(short.cost + (3 * len(counts) << FRACTION))
        return min(costs) + (k * bins.k << FRACTION)

    bins = min((ValueBins.of(A, bits) for bits in (4, 2, 0)), key=value_cost)
    streams = encode_blocks(A, bins, histogram, half=False)
    return streams or encode_blocks(A, bins, histogram, half=True)


def encode_blocks(A: Int8Array, bins: ValueBins, histogram: Counter[int], half: bool) -> Streams:
    """The streams with blocks of one length; none where a block has too many bytes."""
    block = BLOCK >> half
    parts = [A[begin : begin + block] for begin in range(0, A.size, block)]
    distances: Counter[int] = Counter()
    for part in parts:
        distances.update(np.diff(np.flatnonzero(part), prepend=-1).tolist())

    def gap_cost(gaps: GapClasses) -> int:
        counts, n_zeros = gaps.counts(distances)
        n = histogram.total() + n_zeros
        raw = n * gaps.r + n_zeros * bins.k
        total = code_bits(bins.counts(histogram, n_zeros)) + (raw << FRACTION)
        total += estimated_cost(counts)
        return total + ((n << FRACTION) >> 5 if gaps.r else 0)

    candidates = [GapClasses(0, 0, 1)]
    for r in (0, 1, 2, 4):
        candidates += [GapClasses(r, J, G - (J > 0)) for G in (16, 48) for J in (0, 6, 8)]
    furthest = max(distances, default=0)
    gaps = min(
        (g for g in candidates if not g.jump or g.most << g.r < 1 << g.jump < furthest),
        key=gap_cost,
    )

    gap_counts, n_zeros = gaps.counts(distances)
    value_counts = bins.counts(histogram, n_zeros)
    P, Q = bins.n_positive, bins.n_negative
    gap_f, value_f, description = choose_frequencies(gap_counts, value_counts, P, Q)
    gap_table, value_table = Table(gap_f), Table(value_f)
    code = Code(
        *(bins.k, gaps.r, n_zeros > 0, half, False, False, gaps.jump),
        *(len(gap_counts), len(description)),
        *(bins.n_positive, bins.n_negative, bins.first_positive, bins.first_negative),
    )

    records = []
    data, value_bits, gap_bits = b"", b"", b""
    for part in parts:
        elements = block_elements(part, gaps, code)
        rows = -(-len(elements) // LANES)
        raw = np.zeros((rows, LANES), np.int64)
        gap_raw = np.zeros((rows, LANES), np.int64)
        ends, states, sizes = [], [], []
        begin = 0
        for lane, n_lane in enumerate(lane_sizes(len(elements))):
            x = LOWEST
            out: list[int] = []
            for row in reversed(range(n_lane)):
                next_, s, gap_raw[row, lane] = elements[begin + row]
                v = int(part[next_ - 1])
                raw[row, lane] = bins.raw(v)
                x = value_table.push(x, bins.symbol(v), out)
                x = gap_table.push(x, s, out)
            begin += n_lane
            ends.append(elements[begin - 1][0] if begin else 0)
            states.append(x)
            sizes.append(len(out))
            data += bytes(reversed(out))
        if sum(sizes) > 65535:
            return {}
        from_even = [end - even_end(i, part.size) for i, end in enumerate(ends)]
        records.append((len(elements), states, ends, from_even, sizes))
        value_bits += pack_value_bits(raw, code.k)
        gap_bits += pack_gap_bits(gap_raw, code.r)

    code = code._replace(
        wide_ends=any(min(d) < -128 or max(d) > 127 for *_, d, _ in records),
        wide_sizes=any(max(sizes) > 255 for *_, sizes in records),
    )
    blocks = b""
    for n, states, ends, from_even, sizes in records:
        blocks += np.array([n, *states], "<u2").tobytes()
        blocks += np.array(*(ends, "<u2") if code.wide_ends else (from_even, np.int8)).tobytes()
        blocks += np.array(sizes, "<u2" if code.wide_sizes else np.uint8).tobytes()
    return {
        "header": code.pack(),
        "frequencies": description or bytes(gap_f + value_f),
        "blocks": blocks,
        "bytes": data,
        "value_bits": value_bits,
        "gap_bits": gap_bits,
    }


def block_elements(part: Int8Array, gaps: GapClasses, code: Code) -> list[tuple[int, int, int]]:
    """For each element of a block: one behind its position, its gap symbol and its raw bits."""
    elements = []
    next_ = 0
    mask = (1 << gaps.r) - 1
    for position in np.flatnonzero(part).tolist():
        jumps, longest, rest = gaps.steps(position + 1 - next_)
        for _ in range(jumps):
            next_ += 1 << gaps.jump
            elements.append((next_, code.n_gaps - 1, 0))
        for _ in range(longest):
            next_ += gaps.most << gaps.r
            elements.append((next_, gaps.most - 1, mask))
        next_ += rest
        elements.append((next_, rest - 1 >> gaps.r, rest - 1 & mask))
    return elements


def pack_value_bits(raw: np.ndarray, k: int) -> bytes:
    """The reverse of `unpack_value_bits`."""
    rows = raw.shape[0]
    lanes = np.zeros((value_rows(rows, k), LANES), np.int64)
    for row in range(rows if k else 0):
        lanes[row // (8 // k)] |= raw[row] << row % (8 // k) * k
    return lanes.astype(np.uint8).tobytes()


def pack_gap_bits(raw: np.ndarray, r: int) -> bytes:
    """The reverse of `unpack_gap_bits`."""
    words = (raw << np.arange(LANES) * r).sum(axis=1)
    return b"".join(int(word).to_bytes(r, "little") for word in words)
