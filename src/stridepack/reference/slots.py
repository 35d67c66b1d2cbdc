# SPDX-License-Identifier: Apache-2.0
"""Tables of slots and what is coded with them, by states and lanes (docs/format.md, section 9)."""

from collections.abc import Sequence

from stridepack.reference.conventions import require
from stridepack.reference.ranks import FRACTION, NEVER, SPACE, RankCode, best_table, pack_bits

SLOTS = 256  # what the frequencies of a table sum up to
LOWEST = 256  # states are at least this between two steps

FREQUENCY_OF = (192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1, 0)  # by rank


def frequencies(ranks: Sequence[int]) -> list[int] | None:
    """What ranks stand for; the first one of the lowest is what the others leave of all slots."""
    f = [FREQUENCY_OF[rank] for rank in ranks]
    others = sum(f) - max(f)
    if not 0 < others < SLOTS:
        return None
    f[f.index(max(f))] = SLOTS - others
    return f


class Table:
    """The slots of a list of symbols: those of a symbol adjoin. None for a single symbol."""

    def __init__(self, f: Sequence[int]) -> None:
        self.f = list(f)
        self.start = [sum(self.f[:s]) for s in range(len(self.f))]
        self.symbol = [s for s, count in enumerate(self.f) for _ in range(count)]

    def push(self, x: int, s: int, out: list[int]) -> int:
        """The state before the step that gives symbol s and leaves x; its byte goes to out."""
        if not self.f:
            return x
        if x >= self.f[s] << 8:
            out.append(x & 255)
            x >>= 8
        return x // self.f[s] << 8 | self.start[s] + x % self.f[s]

    def pop(self, x: int, lane: "Lane") -> tuple[int, int]:
        """One step: the symbol and the next state."""
        if not self.f:
            return 0, x
        slot = x & 255
        s = self.symbol[slot]
        x = self.f[s] * (x >> 8) + slot - self.start[s]
        return s, x << 8 | lane.byte() if x < LOWEST else x


class Lane:
    """The bytes of a lane."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next = 0

    def byte(self) -> int:
        require(self._next < len(self._data), "a lane ends early")
        self._next += 1
        return self._data[self._next - 1]

    def end(self) -> None:
        require(self._next == len(self._data), "a lane goes on")


# Choosing frequencies -----------------------------------------------------------------------------


def log2(x: int) -> int:
    """log2(x) in units of 2^-12, rounded down. One bit for each squaring."""
    log = x.bit_length() - 1
    m = x << 30 - log
    for _ in range(FRACTION):
        m = m * m >> 30
        log = log << 1 | m >> 31
        m >>= m >> 31
    return log


LOG2 = [0] + [log2(x) for x in range(1, SLOTS + 1)]


def normalise(counts: Sequence[int]) -> list[int]:
    """Frequencies: in proportion to the counts, 1 to 255 where a count is not 0, 256 in all."""
    n = sum(counts)
    f = [min(max((SLOTS * c + n // 2) // n, 1), SLOTS - 1) if c else 0 for c in counts]
    symbols = range(len(f))
    if sum(c > 0 for c in counts) == 1:
        f[0 if counts[0] == 0 else 1] = 1
        return f
    while sum(f) > SLOTS:
        possible = [s for s in symbols if f[s] > 1]
        f[min(possible, key=lambda s: counts[s] * (LOG2[f[s]] - LOG2[f[s] - 1]))] -= 1
    while sum(f) < SLOTS:
        possible = [s for s in symbols if 0 < f[s] < SLOTS - 1]
        f[max(possible, key=lambda s: counts[s] * (LOG2[f[s] + 1] - LOG2[f[s]]))] += 1
    return f


def code_bits(counts: Sequence[int]) -> int:
    """What the symbols cost with the frequencies of `normalise`, in units of 2^-12 bits."""
    if len(counts) < 2:
        return 0
    pairs = zip(counts, normalise(counts), strict=True)
    return sum(c * ((8 << FRACTION) - LOG2[f]) for c, f in pairs if c)


def plain_cost(counts: Sequence[int]) -> int:
    """The same with these frequencies, a byte each."""
    return code_bits(counts) + (8 * len(counts) << FRACTION) * (len(counts) > 1)


def estimated_cost(counts: Sequence[int]) -> int:
    """The same with an estimate of what frequencies take: a byte, or 9 bits a digit of `n`."""
    n = len(counts)
    return code_bits(counts) + (min(8 * n, 9 * n.bit_length()) << FRACTION) * (n > 1)


RANKS = RankCode(
    bits=[(8 << FRACTION) - LOG2[f] if f else NEVER for f in FREQUENCY_OF],
    space=[f * SPACE // SLOTS for f in FREQUENCY_OF],
    fill=lambda ranks, counts, shares: ranks,
    entries=frequencies,
    entry_bits=lambda f: (8 << FRACTION) - LOG2[f],
)


def choose_frequencies(
    gap_counts: Sequence[int], value_counts: Sequence[int], P: int, Q: int
) -> tuple[list[int], list[int], bytes]:
    """The frequencies of gaps and of values, and their short description where it costs less."""
    has_gaps, has_values = len(gap_counts) > 1, len(value_counts) > 1
    gaps, values = (normalise(c) if len(c) > 1 else [] for c in (gap_counts, value_counts))
    short_values = best_table(value_counts, RANKS, P, Q, values=True) if has_values else None
    short_gaps = best_table(gap_counts, RANKS) if has_gaps else None
    found = [table for table in (short_values, short_gaps) if table]
    if not found or len(found) < has_gaps + has_values:
        return gaps, values, b""
    bits = "".join(table.bits for table in found)
    cost = sum(table.cost for table in found) + (-len(bits) % 8 << FRACTION)
    if cost >= plain_cost(gap_counts) + plain_cost(value_counts) or len(bits) > 8 * 255:
        return gaps, values, b""
    return (
        short_gaps.entries if short_gaps else gaps,
        short_values.entries if short_values else values,
        pack_bits(bits),
    )
