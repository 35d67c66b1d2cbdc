"""Plans with budgets, against trying everything; and what is said where none is possible."""

import itertools

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.budget import OBJECTIVES, Budget, BudgetPlan, plan_within
from stridepack.errors import BudgetError

TENSORS = [
    sp.WeightTensor("conv1", random_array(2304, 0.5).reshape(16, 144)),
    sp.WeightTensor("conv2", random_array(5000, 0.9)),
    sp.WeightTensor("conv3", random_array(3000, 0.97)),
    sp.WeightTensor("fc", random_array(4000, 0.2)),
    sp.WeightTensor("small", random_array(100, 0.9)),
    sp.WeightTensor("asymmetric", random_array(2500, 0.9), zero_point=3),
]


def cycles(packed: sp.Packed) -> float | None:
    """Not a real machine: the small formats are the slow ones. hybrid is unknown."""
    for_each = {"psr": 0.4, "rle": 0.7, "dcsr": 0.5, "bitmap": 1.3}
    if packed.format not in for_each:
        return None
    return 50.5 * packed.n_tiles + for_each[packed.format] * packed.n_elements


def totals(plan: BudgetPlan) -> tuple[int, int]:
    assert plan.cycles is not None
    return plan.flash, plan.cycles


def all_plans() -> list[tuple[int, int]]:
    """Bytes and cycles of every possible plan."""
    options = []
    for tensor in TENSORS:
        dense = sp.pack(tensor.values, "dense")
        every = [(dense.nbytes, 0)]
        if tensor.size >= 2048 and tensor.zero_point == 0:
            for name in ("psr", "rle", "dcsr", "bitmap"):
                packed = sp.pack(tensor.values, name)
                needed = cycles(packed)
                assert needed is not None
                every.append((packed.nbytes, int(np.ceil(needed))))
        options.append(every)
    return [
        (sum(nbytes for nbytes, _ in plan), sum(needed for _, needed in plan))
        for plan in itertools.product(*options)
    ]


ALL_PLANS = all_plans()
SMALLEST = min(ALL_PLANS)
FASTEST = min(ALL_PLANS, key=lambda plan: (plan[1], plan[0]))


def score(plan: tuple[int, int], objective: str) -> tuple[float, int]:
    nbytes, needed = plan
    if objective == "size":
        return nbytes, needed
    if objective == "speed":
        return needed, nbytes
    share_of_bytes = (nbytes - SMALLEST[0]) * (SMALLEST[1] - FASTEST[1])
    share_of_cycles = (needed - FASTEST[1]) * (FASTEST[0] - SMALLEST[0])
    return share_of_bytes + share_of_cycles, nbytes


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_is_the_best_of_all_plans(objective: str) -> None:
    rng = np.random.default_rng(0)
    n_impossible = 0
    for i in range(40):
        flash = int(rng.integers(SMALLEST[0] - 300, FASTEST[0])) if i % 4 in (1, 3) else None
        limit = int(rng.integers(FASTEST[1], SMALLEST[1])) if i % 4 in (2, 3) else None
        kept = [
            plan
            for plan in ALL_PLANS
            if (flash is None or plan[0] <= flash) and (limit is None or plan[1] <= limit)
        ]
        budget = Budget(flash, limit)
        if not kept:
            with pytest.raises(BudgetError):
                plan_within(TENSORS, budget, objective, cycle_model=cycles)
            n_impossible += 1
            continue
        plan = plan_within(TENSORS, budget, objective, cycle_model=cycles)
        best = min(kept, key=lambda each: score(each, objective))
        assert score(totals(plan), objective) == score(best, objective)
    assert n_impossible < 30


def test_size_alone_is_what_plan_makes() -> None:
    plan = plan_within(TENSORS, Budget())
    tensors = [t for t in TENSORS if t.name != "asymmetric"]
    expected = {c.tensor.name: c.packed for c in sp.plan(tensors)}
    for planned in plan.tensors:
        if planned.tensor.name != "asymmetric":
            assert planned.packed == expected[planned.tensor.name]
    assert plan.cycles is None
    assert plan.tensors[5].packed.format == "dense"
    assert plan.tensors[5].why == "zero point 3"
    assert plan.tensors[1].why == "the smallest"


def test_says_what_was_paid_for_what() -> None:
    smallest = plan_within(TENSORS, Budget(), cycle_model=cycles)
    assert smallest.cycles is not None
    plan = plan_within(TENSORS, Budget(cycles=smallest.cycles - 1), cycle_model=cycles)
    (changed,) = (p for p, q in zip(plan.tensors, smallest.tensors, strict=True) if p.why != q.why)
    before = next(p for p in smallest.tensors if p.tensor is changed.tensor)
    assert changed.cycles is not None
    assert before.cycles is not None
    more = changed.packed.nbytes - before.packed.nbytes
    less = before.cycles - changed.cycles
    assert changed.why == f"{more} bytes more than {before.packed.format}, {less} cycles less"


@pytest.mark.parametrize("sram", [0, 15, 16, 100, 1000, 4999, 10_000])
def test_sram_chooses_tiles(sram: int) -> None:
    plan = plan_within(TENSORS, Budget(sram=sram))
    assert plan.sram <= sram
    for planned in plan.tensors:
        np.testing.assert_array_equal(planned.packed.unpack(), planned.tensor.values)
        if planned.packed.n_tiles > 1:
            assert planned.packed.tile_size == sram // 16 * 16
            assert f"in tiles of {planned.packed.tile_size} for {sram} bytes" in planned.why
    if sram == 15:
        assert plan.tensors[0].why == "15 bytes of SRAM are too few for a tile of 16"
    if sram == 10_000:
        assert plan.flash == plan_within(TENSORS, Budget()).flash


def test_says_which_budget_cannot_be_kept() -> None:
    flash, needed = SMALLEST
    with pytest.raises(BudgetError) as error:
        plan_within(TENSORS, Budget(flash=flash - 7), cycle_model=cycles)
    text = f"at least {flash} bytes of Flash are needed, 7 more than {flash - 7}"
    assert str(error.value) == f"no plan keeps the budgets: {text}"

    # Both can be kept alone, but not together.
    with pytest.raises(BudgetError) as error:
        plan_within(TENSORS, Budget(flash, needed - 1), cycle_model=cycles)
    least = min(plan[0] for plan in ALL_PLANS if plan[1] <= needed - 1)
    assert f"at least {least} bytes of Flash are needed with {needed - 1} cycles" in str(
        error.value
    )
    assert (
        f"or at least {needed} cycles are needed with {flash} bytes of Flash, 1 more than "
        f"{needed - 1}" in str(error.value)
    )


def test_arguments() -> None:
    with pytest.raises(sp.InputError, match="unknown objective 'small'; there are size, speed"):
        plan_within(TENSORS, Budget(), "small")
    with pytest.raises(sp.InputError, match="objective 'speed' needs a cycle model"):
        plan_within(TENSORS, Budget(), "speed")
    with pytest.raises(sp.InputError, match="with a budget of 7 cycles needs a cycle model"):
        plan_within(TENSORS, Budget(cycles=7))
    with pytest.raises(sp.InputError, match="unknown option colour"):
        plan_within(TENSORS, Budget(), colour="red")


def test_without_tensors() -> None:
    plan = plan_within([], Budget(0, 0, 0), cycle_model=cycles)
    assert (plan.flash, plan.cycles, plan.sram) == (0, 0, 0)
