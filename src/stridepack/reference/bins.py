# SPDX-License-Identifier: Apache-2.0
"""Which symbols and raw bits values and gaps have (docs/format.md, sections 9 and 10)."""

from collections import Counter
from typing import NamedTuple

from stridepack.reference.conventions import Int8Array


class ValueBins(NamedTuple):
    """Which symbol and which raw bits a value has."""

    k: int
    first_positive: int
    first_negative: int
    n_positive: int
    n_negative: int

    @classmethod
    def of(cls, A: Int8Array, k: int) -> "ValueBins":
        positive = A[A > 0].astype(int)
        negative = -A[A < 0].astype(int)
        first = [int(m.min()) if m.size else 0 for m in (positive, negative)]
        bins = [
            (int(m.max()) - start >> k) + 1 if m.size else 0
            for m, start in zip((positive, negative), first, strict=True)
        ]
        return cls(k, *first, *bins)

    def symbol(self, v: int) -> int:
        if v > 0:
            return v - self.first_positive >> self.k
        if v < 0:
            return self.n_positive + (-v - self.first_negative >> self.k)
        return self.n_positive + self.n_negative

    def raw(self, v: int) -> int:
        mask = (1 << self.k) - 1
        if v > 0:
            return v - self.first_positive & mask
        return mask - (-v - self.first_negative & mask) if v < 0 else 0

    def counts(self, histogram: Counter[int], n_zeros: int) -> list[int]:
        """How often each symbol occurs, with n_zeros elements that are 0."""
        counts = [0] * (self.n_positive + self.n_negative + (n_zeros > 0))
        for v, count in histogram.items():
            counts[self.symbol(v)] += count
        if n_zeros:
            counts[-1] = n_zeros
        return counts


class GapClasses(NamedTuple):
    """Which steps bridge a distance."""

    r: int
    jump: int
    most: int  # regular symbols

    def steps(self, distance: int) -> tuple[int, int, int]:
        """Jumps, longest steps, and what is left of the distance, 1 to the longest step."""
        jumps = (distance - 1) >> self.jump if self.jump else 0
        distance -= jumps << self.jump
        longest = self.most << self.r
        return jumps, (distance - 1) // longest, (distance - 1) % longest + 1

    def counts(self, distances: Counter[int]) -> tuple[list[int], int]:
        """How often each symbol occurs, and how many elements that are 0 that takes."""
        counts = [0] * self.most
        all_jumps = n_zeros = 0
        for distance, count in distances.items():
            jumps, longest, rest = self.steps(distance)
            all_jumps += jumps * count
            counts[-1] += longest * count
            n_zeros += (jumps + longest) * count
            counts[rest - 1 >> self.r] += count
        while len(counts) > 1 and counts[-1] == 0:
            counts.pop()
        return counts + [all_jumps] * (self.jump > 0), n_zeros
