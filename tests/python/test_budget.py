# SPDX-License-Identifier: Apache-2.0
"""The choice of formats against trying everything, on made-up numbers."""

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest

import stridepack as sp
from stridepack.plan.budget import OBJECTIVES, Budget
from stridepack.plan.choice import FormatChoice
from stridepack.plan.knapsack import Option

FORMATS = ("dense", "psr", "rle", "dcsr")


def random_choice(rng: np.random.Generator, largest: int, with_code: bool) -> FormatChoice:
    """Up to five tensors of one to four formats; small numbers have many ties."""
    tensors = []
    for _ in range(rng.integers(0, 6)):
        names = rng.permutation(FORMATS)[: rng.integers(1, 5)]
        tensors.append({str(n): Option(*rng.integers(0, largest + 1, 2).tolist()) for n in names})
    code = {str(n): int(rng.integers(0, largest + 1)) for n in FORMATS} if with_code else None
    return FormatChoice(tensors, int(rng.integers(0, 100)), code)


def every_choice(choice: FormatChoice) -> Iterator[tuple[int, int]]:
    """Bytes and cycles of all choices, added up here once more."""
    for names in itertools.product(*choice.tensors):
        options = [every[name] for every, name in zip(choice.tensors, names, strict=True)]
        code = sum((choice.code_nbytes or {}).get(name, 0) for name in set(names))
        nbytes = choice.fixed_nbytes + code + sum(option.nbytes for option in options)
        yield nbytes, sum(option.cycles for option in options)


def score(sums: tuple[int, int], everything: list[tuple[int, int]], objective: str) -> int:
    """What the objective makes small; "balanced" times the ranges of both."""
    nbytes, cycles = sums
    if objective == "size":
        return nbytes
    if objective == "speed":
        return cycles
    smallest = min(everything)
    fastest = min(everything, key=lambda each: each[::-1])
    range_of_bytes, range_of_cycles = fastest[0] - smallest[0], smallest[1] - fastest[1]
    return (nbytes - smallest[0]) * range_of_cycles + (cycles - fastest[1]) * range_of_bytes


def some_budget(rng: np.random.Generator, everything: list[tuple[int, int]]) -> Budget:
    """None, one or two limits, from just too small to ample."""
    limits = []
    for axis in (0, 1):
        values = sorted(sums[axis] for sums in everything)
        between = int(rng.integers(values[0] - 2, values[-1] + 2))
        low = int(rng.choice(values[: len(values) // 4 + 1]))
        limit = max(0, (between, low)[rng.integers(2)])
        limits.append(None if rng.random() < 0.3 else limit)
    return Budget(*limits)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("with_code", [False, True])
@pytest.mark.parametrize("largest", [2, 30, 100_000])
def test_is_the_best_of_all_choices(objective: str, with_code: bool, largest: int) -> None:
    rng = np.random.default_rng([largest, with_code, len(objective)])
    n_within_both = n_impossible = 0
    for _ in range(80):
        choice = random_choice(rng, largest, with_code)
        everything = list(every_choice(choice))
        budget = some_budget(rng, everything)
        flash, cycles = budget.flash, budget.cycles
        kept = [
            sums
            for sums in everything
            if (flash is None or sums[0] <= flash) and (cycles is None or sums[1] <= cycles)
        ]
        if not kept:
            n_impossible += 1
            with pytest.raises(sp.BudgetError) as error:
                choice.best(budget, objective)
            assert str(error.value) == what_is_missing(everything, budget)
            continue
        n_within_both += None not in (flash, cycles)
        chosen = choice.best(budget, objective)
        assert chosen == choice.best(budget, objective)
        best = min((score(sums, everything, objective), *sums) for sums in kept)
        sums = choice.sums(chosen)
        assert (score(sums, everything, objective), *sums) == best
    assert n_within_both > 10
    assert n_impossible > 5


def what_is_missing(everything: list[tuple[int, int]], budget: Budget) -> str:
    """The message, with the least of all choices."""
    flash, cycles = budget.flash, budget.cycles
    fewest_bytes = min(
        (b for b, c in everything if flash is not None and (cycles is None or c <= cycles)),
        default=None,
    )
    fewest_cycles = min(
        (c for b, c in everything if cycles is not None and (flash is None or b <= flash)),
        default=None,
    )
    if fewest_bytes is None and fewest_cycles is None:
        assert flash is not None
        assert cycles is not None
        b, c = min(b for b, _ in everything), min(c for _, c in everything)
        return f"{too_little_flash(flash, b)} {too_few_cycles(cycles, c)}"
    if cycles is None:
        return too_little_flash(flash, fewest_bytes)
    if flash is None:
        return too_few_cycles(cycles, fewest_cycles)
    if fewest_bytes is None:  # the cycles alone are too few
        return (
            f"{too_few_cycles(cycles, min(c for _, c in everything))} In {some(flash, 'byte')} of "
            f"Flash, the fastest one needs {some(fewest_cycles, 'cycle')}, which is "
            f"{fewest_cycles - cycles:,} more."
        )
    if fewest_cycles is None:  # Flash alone is too little
        return (
            f"{too_little_flash(flash, min(b for b, _ in everything))} For at most "
            f"{some(cycles, 'cycle')}, the smallest one needs {some(fewest_bytes, 'byte')} of "
            f"Flash, which is {fewest_bytes - flash:,} more."
        )
    return (
        f"No plan keeps `flash={flash}` and `max_cycles={cycles}` together, although each of them "
        f"can be kept alone: allow {some(fewest_bytes, 'byte')} of Flash for "
        f"{some(cycles, 'cycle')}, which is {fewest_bytes - flash:,} more, or allow "
        f"{some(fewest_cycles, 'cycle')} in {some(flash, 'byte')} of Flash, which is "
        f"{fewest_cycles - cycles:,} more."
    )


def too_little_flash(flash: int, least: int) -> str:
    return (
        f"No plan keeps `flash={flash}`. The smallest one needs {some(least, 'byte')} of Flash, "
        f"which is {least - flash:,} more."
    )


def too_few_cycles(cycles: int, least: int) -> str:
    return (
        f"No plan keeps `max_cycles={cycles}`. The fastest one needs {some(least, 'cycle')}, "
        f"which is {least - cycles:,} more."
    )


def some(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def test_what_is_missing_is_enough() -> None:
    """Allow what the message says, and there is a plan; one less, and there is none."""
    rng = np.random.default_rng(5)
    n = n_bytes = n_cycles = 0
    while n < 40:
        choice = random_choice(rng, 1000, with_code=True)
        flash, cycles = some_budget(rng, list(every_choice(choice))), 0
        budget = Budget(flash.flash, flash.cycles if flash.cycles is not None else cycles)
        try:
            choice.best(budget, "size")
        except sp.BudgetError as error:
            text = str(error)
        else:
            continue
        if text.count("No plan keeps") == 2:  # neither alone can be kept
            continue
        n += 1
        # The last one is that with the other budget kept.
        if found := re.findall(r"(?:needs|allow) ([\d,]+) bytes? of Flash", text):
            n_bytes += 1
            enough = int(found[-1].replace(",", ""))
            assert choice.sums(choice.best(Budget(enough, budget.cycles), "size"))[0] == enough
            with pytest.raises(sp.BudgetError):
                choice.best(Budget(enough - 1, budget.cycles), "size")
        if found := re.findall(r"(?:needs|allow) ([\d,]+) cycles?\b", text):
            n_cycles += 1
            enough = int(found[-1].replace(",", ""))
            assert choice.sums(choice.best(Budget(budget.flash, enough), "speed"))[1] == enough
            if enough:
                with pytest.raises(sp.BudgetError):
                    choice.best(Budget(budget.flash, enough - 1), "size")
    assert min(n_bytes, n_cycles) > 5


def test_of_equal_formats_the_first() -> None:
    tensors = [
        {"rle": Option(5, 5), "psr": Option(5, 5)},
        {"psr": Option(5, 5), "rle": Option(5, 5)},
    ]
    for objective in OBJECTIVES:
        assert FormatChoice(tensors).best(Budget(), objective) == ["rle", "psr"]
        assert FormatChoice(tensors).best(Budget(10, 10), objective) == ["rle", "psr"]


def test_a_decoder_must_be_worth_its_code() -> None:
    tensors = [{"dense": Option(100, 1), "rle": Option(60, 9)}] * 3
    for code, expected in ((119, "rle"), (121, "dense")):
        choice = FormatChoice(tensors, 0, {"rle": code})
        assert choice.best(Budget(), "size") == [expected] * 3
    # Once it is there, everything uses it.
    with pytest.raises(
        sp.BudgetError, match=r"`flash=299`\. .* needs 300 bytes of Flash, which is 1 more"
    ):
        FormatChoice(tensors, 0, {"rle": 121}).best(Budget(299), "size")


def test_balanced_weighs_shares() -> None:
    """Of 100 bytes and 1000 cycles that lie between the ends: 10 % more against 20 % fewer."""
    tensor = {"rle": Option(100, 1000), "dcsr": Option(110, 800), "dense": Option(200, 0)}
    assert FormatChoice([tensor]).best(Budget(), "balanced") == ["dcsr"]
    tensor["dcsr"] = Option(121, 800)
    assert FormatChoice([tensor]).best(Budget(), "balanced") == ["rle"]


def test_arguments() -> None:
    with pytest.raises(sp.InputError, match=r"`objective=small` is .* size, speed or balanced\."):
        FormatChoice([]).best(Budget(), "small")
    with pytest.raises(sp.InputError, match=r"`max_cycles=-1` is not possible\. .* at least 0"):
        Budget(cycles=-1)
