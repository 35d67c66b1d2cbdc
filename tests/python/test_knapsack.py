# SPDX-License-Identifier: Apache-2.0
"""The knapsack against trying everything."""

import itertools

import numpy as np
import pytest

import stridepack as sp
from stridepack.plan.knapsack import Coefficients, Limits, Option, best_choice

Items = list[list[Option]]


def sums(items: Items, chosen: list[int]) -> Option:
    options = [options[i] for options, i in zip(items, chosen, strict=True)]
    return Option(sum(o.nbytes for o in options), sum(o.cycles for o in options))


def key(total: Option, coefficients: Coefficients) -> tuple[int, int, int]:
    return coefficients.nbytes * total.nbytes + coefficients.cycles * total.cycles, *total


def brute_force(
    items: Items, coefficients: Coefficients, limits: Limits
) -> tuple[int, int, int] | None:
    totals = (sums(items, list(c)) for c in itertools.product(*(range(len(i)) for i in items)))
    kept = (
        total
        for total in totals
        if all(limit is None or v <= limit for v, limit in zip(total, limits, strict=True))
    )
    return min((key(total, coefficients) for total in kept), default=None)


@pytest.mark.parametrize("largest", [1, 4, 20, 1000, 10**7])
def test_is_the_best(largest: int) -> None:
    rng = np.random.default_rng(largest)
    n_possible = n_impossible = 0
    for _ in range(200):
        items = [
            [
                Option(int(a), int(b))
                for a, b in rng.integers(0, largest + 1, (rng.integers(1, 5), 2))
            ]
            for _ in range(rng.integers(0, 6))
        ]
        coefficients = Coefficients(
            *(int(w) for w in rng.integers(0, largest + 1, 2) * rng.integers(0, 2, 2))
        )
        most = largest * (len(items) + 1)
        limits = Limits(*(int(v) if v < 0.7 * most else None for v in rng.integers(0, most, 2)))
        expected = brute_force(items, coefficients, limits)
        chosen = best_choice(items, coefficients, limits)
        if expected is None:
            assert chosen is None
            n_impossible += 1
        else:
            assert chosen is not None
            assert key(sums(items, chosen), coefficients) == expected
            n_possible += 1
    assert n_possible > 50
    assert n_impossible > 10


def test_of_equal_options_the_first() -> None:
    items = [[Option(3, 3), Option(2, 2), Option(2, 2)]] * 3
    assert best_choice(items, Coefficients(1, 1)) == [1, 1, 1]


def test_a_greedy_choice_is_not_enough() -> None:
    """The option that saves the most cycles for a byte leaves no room for the best pair."""
    items = [
        [Option(0, 100), Option(6, 40)],  # 10 cycles a byte
        [Option(0, 100), Option(5, 55)],  # 9
        [Option(0, 100), Option(5, 56)],
    ]
    assert best_choice(items, Coefficients(0, 1), Limits(10, None)) == [0, 1, 1]


def test_as_many_items_as_large_models_have() -> None:
    """Against the bound of the relaxed problem, which a choice can only come near to."""
    rng = np.random.default_rng(0)
    items = []
    for n in rng.integers(2000, 200_000, 100):
        nbytes = np.sort((n * rng.uniform(0.2, 1, 6)).astype(int))
        cycles = np.sort((n * rng.uniform(0, 6, 6)).astype(int))[::-1]
        items.append([Option(int(a), int(b)) for a, b in zip(nbytes, cycles, strict=True)])
    ends = [sums(items, [i] * len(items)) for i in (0, 5)]
    limit = sum(end.cycles for end in ends) // 2
    chosen = best_choice(items, Coefficients(1, 0), Limits(None, limit))
    assert chosen is not None
    total = sums(items, chosen)
    assert total.cycles <= limit
    bound = 0.0
    for price in np.linspace(0, 1, 2001):  # any price is a bound; the best of them is near
        relaxed = sum(min(o.nbytes + price * o.cycles for o in options) for options in items)
        bound = max(bound, relaxed - price * limit)
    assert bound <= total.nbytes <= bound + 0.0005 * total.nbytes


@pytest.mark.parametrize("scale", [1, 2])
def test_two_limits_that_cannot_be_kept_together(scale: int) -> None:
    """Either can be kept alone, and 60 items have 2^60 choices."""
    items = [[Option(1000 * i, 0), Option(0, scale * 1000 * i)] for i in range(1, 61)]
    total = 1000 * 60 * 61 // 2
    half = total // 2
    for coefficients in (Coefficients(1, 0), Coefficients(0, 1), Coefficients(3, 2)):
        assert best_choice(items, coefficients, Limits(half, scale * (total - half))) is not None
        assert best_choice(items, coefficients, Limits(half - 1, scale * (total - half))) is None
        assert best_choice(items, coefficients, Limits(half, scale * (total - half) - 1)) is None


def test_without_items() -> None:
    assert best_choice([], Coefficients(1, 0)) == []
    assert best_choice([], Coefficients(1, 0), Limits(0, 0)) == []
    assert best_choice([], Coefficients(1, 0), Limits(-1, None)) is None


def test_limits_beyond_64_bits_allow_everything() -> None:
    items = [[Option(3, 1), Option(1, 3)]]
    assert best_choice(items, Coefficients(1, 0), Limits(10**30, 10**30)) == [1]
    assert best_choice(items, Coefficients(0, 1), Limits(10**30, None)) == [0]


def test_refuses_what_does_not_fit_64_bits() -> None:
    with pytest.raises(sp.InputError, match=r"reach 4611686018427387904 .* at most 2305843009"):
        best_choice([[Option(2**31, 0)]], Coefficients(2**31, 0))
    with pytest.raises(sp.InputError, match=r"reach 2305843009213693954 .* at most 2305843009"):
        best_choice([[Option(2**60 + 1, 0)]] * 2, Coefficients(0, 1))
