# SPDX-License-Identifier: Apache-2.0
"""The best choice of what to pack within RAM, against trying every choice."""

from itertools import product

import numpy as np
import pytest

from stridepack.plan import ram_choice
from stridepack.plan.ram_choice import Chosen, Ram, RamChoice, RamOption


def random_problem(seed: int) -> RamChoice:
    """A problem whose RAM is sometimes more than what its options say, as planners make it."""
    rng = np.random.default_rng(seed)
    items = []
    for _ in range(rng.integers(0, 6)):
        dense = int(rng.integers(50, 400))
        peak = int(rng.integers(0, 200))
        ways = [
            RamOption(int(rng.integers(10, dense)), int(rng.integers(1, 30)), peak)
            for _ in range(rng.integers(1, 4))
        ]
        items.append([RamOption(dense), *sorted(ways)])
    gap = int(rng.choice([0, 0, 20, 60]))
    fixed, floor, elsewhere = (
        int(rng.integers(0, 100)),
        int(rng.integers(0, 100)),
        rng.random() < 0.3,
    )

    def ram(chosen: Chosen) -> Ram:
        options = [item[o] for item, o in zip(items, chosen, strict=True)]
        kept = fixed + sum(o.kept for o in options)
        peak = max([floor, *(o.peak for o in options)])
        more = hash((seed, chosen)) % (gap + 1) if any(chosen) else 0
        return Ram(kept, peak + more) if elsewhere else Ram(kept + peak + more)

    everything = [ram(chosen).limited for chosen in product(*(range(len(i)) for i in items))]
    limit, flash = None, None
    if rng.random() < 0.7:
        limit = int(rng.integers(min(everything) - 20, max(everything) + 20))
    if rng.random() < 0.4:
        least = sum(min(o.nbytes for o in item) for item in items)
        flash = int(rng.integers(least - 20, sum(item[0].nbytes for item in items) + 20))
    counts = str(rng.choice(["flash", "limited", "all"]))
    return RamChoice(items, ram, fixed, floor, bool(elsewhere), counts, limit, flash)


def test_nothing_is_better() -> None:
    n_none = n_some = 0
    for seed in range(400):
        problem = random_problem(seed)
        chosen, proven = problem.best()
        assert proven
        possible = [
            problem.value(other, ram)
            for other in product(*(range(len(item)) for item in problem.items))
            for ram in [problem.ram(other)]
            if (problem.limit is None or ram.limited <= problem.limit)
            and (problem.flash is None or problem.nbytes(other) <= problem.flash)
        ]
        if chosen is None:
            assert not possible, seed
            n_none += 1
        else:
            assert problem.value(chosen, problem.ram(chosen))[:2] == min(possible)[:2], seed
            n_some += 1
    assert min(n_none, n_some) > 20


def test_a_search_that_is_given_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choices whose bounds are all equal and wrong: none can be excluded."""
    monkeypatch.setattr(ram_choice, "_MOST_WORK", 100)
    items = [[RamOption(100), RamOption(50, 1, 10)] for _ in range(12)]

    def ram(chosen: Chosen) -> Ram:
        return Ram(sum(chosen) + 10 * (sum(chosen) > 0) + 1000 * (sum(chosen) > 3))

    chosen, proven = RamChoice(items, ram, limit=500).best()
    assert chosen is None or ram(chosen).limited <= 500
    assert not proven
