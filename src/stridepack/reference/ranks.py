# SPDX-License-Identifier: Apache-2.0
"""The short description of frequencies and of code lengths (docs/format.md, section 9)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack.reference.conventions import require

RANKS = 16
SPACE = 4096  # what the symbols of a table share
FRACTION = 12  # bits behind the point of costs

PRICES = (20, 24, 28, 32)  # of the whole space, in units of n / 16 bits
SAME = 1 << FRACTION - 2  # estimated cost of a symbol that continues a run
CHANGE = 3 << FRACTION  # and of one that does not, besides its step

Int64Array = npt.NDArray[np.int64]


class BitReader:
    """Bits of bytes, most significant first."""

    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._next = 0

    def take(self) -> int:
        require(self._next < len(self._bits), "a description ends early")
        self._next += 1
        return int(self._bits[self._next - 1])

    def zeros(self) -> int:
        """Number of zero bits in front of the next 1, which is taken as well."""
        count = 0
        while self.take() == 0:
            count += 1
        return count

    def end(self) -> None:
        """Raise CorruptDataError unless the last byte is in use."""
        require(-(-self._next // 8) * 8 == len(self._bits), "a description goes on")


def read_ranks(bits: BitReader, n: int) -> list[int]:
    """The ranks of n symbols: runs of equal ones."""
    rank = 0
    for _ in range(4):
        rank = rank << 1 | bits.take()
    ranks: list[int] = []
    while True:
        digits = bits.zeros()
        run = 1
        for _ in range(digits):
            run = run << 1 | bits.take()
        require(run <= n - len(ranks), f"a run of {run} symbols, {n - len(ranks)} are left")
        ranks += [rank] * run
        if len(ranks) == n:
            return ranks
        zeros = bits.zeros()
        rank += zeros // 2 + 1 if zeros % 2 == 0 else -(zeros // 2 + 1)
        require(0 <= rank < RANKS, f"rank {rank}")


def read_value_ranks(bits: BitReader, P: int, Q: int, has_zero: int) -> list[int]:
    """Ranks of the value symbols: those of negative ones may be those of the positive ones."""
    if bits.take() == 0:
        return read_ranks(bits, P + Q + has_zero)
    ranks = read_ranks(bits, max(P, Q) + has_zero)
    return ranks[:P] + ranks[:Q] + ranks[max(P, Q) :]


def write_ranks(ranks: Sequence[int]) -> str:
    """The reverse of `read_ranks`, as text."""
    bits = f"{ranks[0]:04b}"
    begin = 0
    for end in range(1, len(ranks) + 1):
        if end < len(ranks) and ranks[end] == ranks[begin]:
            continue
        run = f"{end - begin:b}"
        bits += "0" * (len(run) - 1) + run
        if end < len(ranks):
            bits += "0" * (step_bits(ranks[end] - ranks[begin]) - 1) + "1"
        begin = end
    return bits


def step_bits(step: int) -> int:
    """Bits of a step from one rank to another: 1 for +1, 2 for -1, 3 for +2, ..."""
    return 2 * step - 1 if step > 0 else -2 * step


# Encoder -----------------------------------------------------------------------------------------


def change_costs() -> Int64Array:
    """Estimated cost of a symbol of rank b after one of rank a."""
    cost = np.empty((RANKS, RANKS), np.int64)
    for a in range(RANKS):
        for b in range(RANKS):
            cost[a, b] = SAME if a == b else CHANGE + (step_bits(b - a) << FRACTION)
    return cost


COST_OF_CHANGE = change_costs()
NEVER = 1 << 60


def paths(counts: Sequence[int], shares: Sequence[int], code: "RankCode") -> list[list[int]]:
    """For each price of the space, the ranks that cost least. Symbol s stands for shares[s]."""
    price = np.array(PRICES, np.int64)[:, None] * sum(counts)
    space = np.array(code.space, np.int64)
    is_never = np.array(code.bits) == NEVER
    bits = np.where(is_never, 0, np.array(code.bits, np.int64))
    cost = np.zeros((len(PRICES), RANKS), np.int64)
    before = []
    for s, (count, share) in enumerate(zip(counts, shares, strict=True)):
        if s:
            ways = cost[:, :, None] + COST_OF_CHANGE
            before.append(ways.argmin(axis=1))
            cost = ways.min(axis=1)
        own = np.where(is_never & (count > 0), NEVER, count * bits)
        cost = np.minimum(cost + own + (price * space * share >> 4), NEVER)
    found = []
    for i in range(len(PRICES)):
        ranks = [int(cost[i].argmin())]
        for step in reversed(before):
            ranks.append(int(step[i, ranks[-1]]))
        found.append(ranks[::-1])
    return found


class Table(NamedTuple):
    """What an encoder found: the cost in units of 2^-12 bits, the description, what it says."""

    cost: int
    bits: str
    entries: list[int]


class RankCode(NamedTuple):
    """What ranks stand for: frequencies, or lengths of codes."""

    bits: Sequence[int]  # of a symbol, in units of 2^-12; NEVER: it has no code
    space: Sequence[int]  # that it takes, of SPACE
    fill: Callable[[list[int], Sequence[int], Sequence[int]], list[int] | None]
    """Given ranks, counts and shares, ranks that take all the space; None: impossible."""
    entries: Callable[[list[int]], list[int] | None]
    """Frequencies or lengths for ranks; None: impossible."""
    entry_bits: Callable[[int], int]
    """Bits of a symbol with that entry, in units of 2^-12."""


def best_table(
    counts: Sequence[int], code: RankCode, P: int = 0, Q: int = 0, *, values: bool = False
) -> Table | None:
    """The ranks that cost least with their description. Values: P positive, Q negative, 0 or 1."""
    n = len(counts)
    ways = [list(range(n))]  # of each symbol, which rank it has
    if P and Q:
        top = max(P, Q)
        ways.append([*range(P), *range(Q), *range(top, top + n - P - Q)])
    best: Table | None = None
    for is_shared, rank_of in enumerate(ways):
        in_all = [0] * (max(rank_of) + 1)
        for s, i in enumerate(rank_of):
            in_all[i] += counts[s]
        shares = [rank_of.count(i) for i in range(len(in_all))]
        for path in paths(in_all, shares, code):
            ranks = code.fill(path, in_all, shares)
            entries = code.entries([ranks[i] for i in rank_of]) if ranks else None
            if ranks is None or entries is None:
                continue
            bits = str(is_shared) * values + write_ranks(ranks)
            used = zip(counts, entries, strict=True)
            cost = (len(bits) << FRACTION) + sum(c * code.entry_bits(e) for c, e in used if c)
            if best is None or cost < best.cost:
                best = Table(cost, bits, entries)
    return best


def pack_bits(bits: str) -> bytes:
    """Bits as text to bytes, the last ones 0."""
    return bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))
