# SPDX-License-Identifier: Apache-2.0
"""Plans of real tensors against trying everything; tiles, and what is said of a plan."""

import itertools
import math
import re

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack._words import listed
from stridepack.cost import estimate
from stridepack.cost.estimate import decode_cycles, decoder_nbytes
from stridepack.files.spk import build_bundle, bundle_overhead
from stridepack.formats import all_options
from stridepack.plan.budget import OBJECTIVES
from stridepack.report.plan import plan_sentences

TENSORS = [
    sp.WeightTensor("conv1", random_array(2304, 0.5).reshape(16, 144)),
    sp.WeightTensor("conv2", random_array(5000, 0.9)),
    sp.WeightTensor("fc", random_array(4000, 0.2)),
    sp.WeightTensor("small", random_array(100, 0.9)),
    sp.WeightTensor("added", random_array(3000, 0.97), zero_point=3, operators=("ADD",)),
]
CONTAINER = bundle_overhead(tensor.name for tensor in TENSORS)


def known(target: str) -> list[str]:
    """Formats whose cycles and code are known."""
    every = {name: sp.pack(TENSORS[0].values, name) for name in sp.formats()}
    return [
        name
        for name, packed in every.items()
        if None not in (decode_cycles(packed, target), decoder_nbytes(name, target))
    ]


def blobs(tensor: sp.WeightTensor, **options: int | None) -> list[sp.Packed]:
    """Every blob that a plan may take."""
    return [sp.pack(tensor.values, name, **options) for name in sp.formats()]


def file_nbytes(packed: list[sp.Packed]) -> int:
    return len(build_bundle({t.name: p for t, p in zip(TENSORS, packed, strict=True)}))


def cycles_of(packed: list[sp.Packed], target: str) -> int:
    return sum(math.ceil(decode_cycles(p, target) or 0) for p in packed)


def all_plans(target: str, *, with_code: bool = False) -> list[tuple[int, int]]:
    """Bytes and cycles of every plan in known formats, each by building its file."""
    names = known(target)
    candidates = [
        [(p, cycles_of([p], target)) for p in blobs(tensor) if p.format in names]
        for tensor in TENSORS
    ]
    plans = []
    for chosen in itertools.product(*candidates):
        packed = [p for p, _ in chosen]
        used = {p.format for p in packed} if with_code else ()
        code = sum(decoder_nbytes(name, target)[0] for name in used)
        plans.append((file_nbytes(packed) + code, sum(cycles for _, cycles in chosen)))
    return plans


def taken(plan: sp.BudgetPlan) -> tuple[int, int | None]:
    return plan.flash, plan.cycles


@pytest.fixture(scope="module", params=("cortex-m55", "cortex-m55-scalar"))
def everything(request: pytest.FixtureRequest) -> tuple[str, list[tuple[int, int]]]:
    return request.param, all_plans(request.param)


def test_is_the_best_of_all_plans(everything: tuple[str, list[tuple[int, int]]]) -> None:
    target, plans = everything
    smallest, fastest = min(plans), min(plans, key=lambda plan: plan[::-1])
    rng = np.random.default_rng(0)
    n_impossible = 0
    for i in range(30):
        below = (fastest[0] - smallest[0]) // 4
        flash = int(rng.integers(smallest[0] - below, fastest[0])) if i % 3 != 2 else None
        limit = int(rng.integers(fastest[1], smallest[1])) if i % 3 != 1 else None
        kept = [
            plan
            for plan in plans
            if (flash is None or plan[0] <= flash) and (limit is None or plan[1] <= limit)
        ]
        settings = {"target": target, "container_nbytes": CONTAINER, "candidates": known(target)}
        for axis, objective in enumerate(("size", "speed")):
            if not kept:
                n_impossible += 1
                with pytest.raises(sp.BudgetError):
                    sp.plan_within(TENSORS, sp.Budget(flash, limit), objective, **settings)
                continue
            plan = sp.plan_within(TENSORS, sp.Budget(flash, limit), objective, **settings)
            best = min(kept, key=lambda each: (each[axis], each))
            cycles_matter = objective == "speed" or limit is not None
            assert taken(plan) == best if cycles_matter else plan.flash == best[0]
            packed = [planned.packed for planned in plan.tensors]
            assert taken(plan) == (file_nbytes(packed), cycles_of(packed, target))
    assert 4 <= n_impossible < 50


def test_with_the_decoders_code() -> None:
    plans = all_plans("cortex-m55", with_code=True)
    settings = {"container_nbytes": CONTAINER, "candidates": known("cortex-m55")}
    plan = sp.plan_within(TENSORS, sp.Budget(), count_code=True, **settings)
    assert plan.flash == min(plans)[0]
    plain = sp.plan_within(TENSORS, sp.Budget(), **settings)
    assert plan.code_nbytes < plain.code_nbytes
    assert plan.flash < plain.flash + plain.code_nbytes
    changed = [p.why for p, q in zip(plan.tensors, plain.tensors, strict=True) if p.why != q.why]
    assert changed
    assert all("whose decoder would need more than that" in why for why in changed)
    flash = min(nbytes for nbytes, _ in plans)
    with pytest.raises(sp.BudgetError, match=rf"needs {flash:,} bytes of Flash, which is 1 more"):
        sp.plan_within(TENSORS, sp.Budget(flash - 1), count_code=True, **settings)


def test_size_alone_is_what_plan_makes() -> None:
    expected = sp.plan(TENSORS)
    plan = sp.plan_within(TENSORS, sp.Budget())
    assert [planned.packed for planned in plan.tensors] == [choice.packed for choice in expected]
    assert [planned.note for planned in plan.tensors] == [choice.note for choice in expected]
    why = {planned.tensor.name: planned.why for planned in plan.tensors}
    assert why["conv2"] == "the smallest"
    assert why["small"] == "the smallest"
    assert why["added"] == "the smallest"


def test_the_same_every_time() -> None:
    for objective in OBJECTIVES:
        plans = [
            sp.plan_within(TENSORS, sp.Budget(14_000, 20_000, 1000), objective) for _ in range(3)
        ]
        for plan in plans[1:]:
            assert [p.packed for p in plan.tensors] == [p.packed for p in plans[0].tensors]
            assert [p.why for p in plan.tensors] == [p.why for p in plans[0].tensors]


def test_balanced_lies_between() -> None:
    smallest, balanced, fastest = (
        sp.plan_within(TENSORS, sp.Budget(), objective, candidates=known("cortex-m55"))
        for objective in ("size", "balanced", "speed")
    )
    assert smallest.flash < balanced.flash < fastest.flash
    assert smallest.cycles > balanced.cycles > fastest.cycles


def test_says_what_was_paid_for_what() -> None:
    smallest = sp.plan_within(TENSORS, sp.Budget(cycles=10**9))
    plan = sp.plan_within(TENSORS, sp.Budget(cycles=smallest.cycles - 1))
    (changed,) = (p for p, q in zip(plan.tensors, smallest.tensors, strict=True) if p.why != q.why)
    before = next(p for p in smallest.tensors if p.tensor is changed.tensor)
    assert before.packed.format != changed.packed.format
    bytes_more = changed.packed.nbytes - before.packed.nbytes
    fewer = before.cycles - changed.cycles
    assert changed.why.startswith(
        f"{fewer:,} cycles fewer than {before.packed.format} for {bytes_more:,} bytes more"
    )
    fastest = sp.plan_within(TENSORS, sp.Budget(), "speed")
    assert re.fullmatch(
        r"[\d,]+ cycles fewer than \w+ for [\d,]+ bytes more; the fastest", fastest.tensors[0].why
    )


@pytest.mark.parametrize("sram", [16, 100, 1000, 4999, 5000, 10_000])
def test_sram_chooses_tiles(sram: int) -> None:
    plan = sp.plan_within(TENSORS, sp.Budget(sram=sram), container_nbytes=CONTAINER)
    assert plan.sram <= sram
    expected = []
    for tensor in TENSORS:
        tile = None if tensor.size <= sram else sram // 16 * 16
        expected.append(min(blobs(tensor, tile=tile), key=lambda packed: packed.nbytes))
    assert plan.flash == file_nbytes(expected)
    for planned in plan.tensors:
        np.testing.assert_array_equal(planned.packed.unpack(), planned.tensor.values)
        assert planned.packed.n_tiles == 1 or planned.packed.tile_size == sram // 16 * 16
    # Whole tensors take less, where they may be whole.
    whole = sp.plan_within(TENSORS, sp.Budget(), container_nbytes=CONTAINER)
    assert (plan.flash == whole.flash) == (sram >= 5000)


def test_sram_with_tiles_that_were_asked_for() -> None:
    plan = sp.plan_within(TENSORS, sp.Budget(sram=1000), tile=300)
    assert {p.packed.tile_size for p in plan.tensors} == {300, 100}
    with pytest.raises(sp.BudgetError) as error:
        sp.plan_within(TENSORS, sp.Budget(sram=1000), tile=1024)
    assert str(error.value) == (
        "`sram=1000` is too small for `tile=1024`. Tensor 'conv2' needs a buffer of at least "
        "1,024 bytes, which is one tile of 1,024 elements. That is 24 more."
    )
    # A tile larger than every tensor is the whole tensor.
    with pytest.raises(sp.BudgetError, match=r"'conv2' .* at least 5,000 bytes\. That is 1 more"):
        sp.plan_within(TENSORS, sp.Budget(sram=4999), tile=100_000)
    # Without a budget of SRAM, what stays dense is whole, as `plan` leaves it.
    expected = [choice.packed for choice in sp.plan(TENSORS, tile=300)]
    assert [p.packed for p in sp.plan_within(TENSORS, sp.Budget(), tile=300).tensors] == expected


def test_sram_too_small_for_a_tile() -> None:
    with pytest.raises(sp.BudgetError) as error:
        sp.plan_within(TENSORS, sp.Budget(sram=15))
    assert str(error.value) == (
        "`sram=15` is too small. Tensor 'conv2' needs a buffer of at least 16 bytes, which is one "
        "tile of 16 elements. That is 1 more."
    )
    few = [sp.WeightTensor("few", np.ones(7, np.int8))]
    assert sp.plan_within(few, sp.Budget(sram=7)).sram == 7
    with pytest.raises(
        sp.BudgetError, match=r"`sram=6` .* 'few' .* at least 7 bytes\. That is 1 more"
    ):
        sp.plan_within(few, sp.Budget(sram=6))


def test_flash_that_the_sram_makes_too_small() -> None:
    whole, tiled = (
        sp.plan_within(TENSORS, sp.Budget(sram=sram), container_nbytes=CONTAINER)
        for sram in (None, 256)
    )
    assert whole.flash < tiled.flash
    with pytest.raises(sp.BudgetError) as error:
        sp.plan_within(TENSORS, sp.Budget(whole.flash, None, 256), container_nbytes=CONTAINER)
    assert str(error.value) == (
        f"No plan keeps `flash={whole.flash}`. The smallest one needs {tiled.flash:,} bytes of "
        f"Flash, which is {tiled.flash - whole.flash:,} more. This holds with `sram=256`."
    )


def test_one_format_or_dense() -> None:
    plan = sp.plan_within(TENSORS, sp.Budget(), format="rle")
    # rle makes "fc" larger.
    expected = ["rle", "rle", "dense", "rle", "rle"]
    assert [p.packed.format for p in plan.tensors] == expected
    plan = sp.plan_within(TENSORS, sp.Budget(), candidates=("psr", "rle"))
    assert set(plan.formats) == {"dense", "psr", "rle"}
    assert sp.plan_within(TENSORS, sp.Budget(), format="dense").formats == ("dense",)
    owners = listed(all_options()["sizes"][1], "and")
    with pytest.raises(
        sp.InputError, match=rf"`sizes=\(4,\)` is not an option of rle\. .* {owners}\."
    ):
        sp.plan_within(TENSORS, sp.Budget(), format="rle", sizes=(4,))


def test_formats_of_which_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = known("cortex-m55")

    def plan_within(*arguments: object, **settings: object) -> sp.BudgetPlan:
        return sp.plan_within(TENSORS, *arguments, candidates=candidates, **settings)

    plain = plan_within(sp.Budget())
    lacking = plain.tensors[1].packed.format
    assert lacking != "dense"
    for table in ("CYCLES", "MEMORY"):
        of_target = dict(getattr(estimate, table)["cortex-m55"])
        del of_target[lacking]
        monkeypatch.setattr(estimate, table, {"cortex-m55": of_target})
    # Size alone needs no cycles.
    plan = plan_within(sp.Budget())
    assert [p.packed for p in plan.tensors] == [p.packed for p in plain.tensors]
    assert (plan.cycles, plan.code_nbytes, plan.left_out) == (None, None, ())
    said = " ".join(plan_sentences(plan))
    assert f"Cycles: unknown, because those of {lacking} on cortex-m55 are not known." in said
    assert "code takes an unknown number of bytes, which Flash does not count." in said
    assert "stack takes an unknown number of bytes, which SRAM does not count." in said
    for changed in (
        plan_within(sp.Budget(cycles=10**9)),
        plan_within(sp.Budget(), "balanced"),
        plan_within(sp.Budget(), count_code=True),
    ):
        assert changed.left_out == (lacking,)
        assert lacking not in changed.formats
        assert plan_sentences(changed)[-1] == (
            f"Not used: {lacking}, because the cycles or the code size on cortex-m55 are not known."
        )
    with pytest.raises(sp.BudgetError) as error:
        plan_within(sp.Budget(100, sram=2000), count_code=True)
    assert str(error.value).endswith(
        f" more. This holds with `sram=2000` and without {lacking}, because the cycles or the code "
        "size on cortex-m55 are not known."
    )
    assert str(error.value).startswith("No plan keeps `flash=100`. The smallest one needs ")
    monkeypatch.setattr(estimate, "CYCLES", {"cortex-m55": {}})
    with pytest.raises(sp.InputError, match=r"'conv1' .* `target=cortex-m55` is not known"):
        plan_within(sp.Budget(), "speed")


def test_packs_asymmetric_weights() -> None:
    """What 0 stands for does not matter: what is packed is what comes back."""
    values = random_array(3000, 0.9)
    asymmetric, symmetric = (
        sp.plan_within([sp.WeightTensor("fc", values, zero_point=zero)], sp.Budget())
        for zero in (3, 0)
    )
    (planned,) = asymmetric.tensors
    assert planned.packed == symmetric.tensors[0].packed
    assert planned.packed.format != "dense"
    assert (planned.note, planned.why) == ("", "the smallest")
    np.testing.assert_array_equal(planned.packed.unpack(), values)


def test_arguments() -> None:
    with pytest.raises(sp.InputError, match=r"`objective=small` is unknown\. Choose size"):
        sp.plan_within(TENSORS, sp.Budget(), "small")
    with pytest.raises(
        sp.InputError, match=r"`target=z80` is unknown\. Choose cortex-m55, cortex-m55-s"
    ):
        sp.plan_within(TENSORS, sp.Budget(), target="z80")
    with pytest.raises(sp.InputError, match=r"`colour=red` is not an option of dense, psr"):
        sp.plan_within(TENSORS, sp.Budget(), colour="red")


def test_without_tensors() -> None:
    plan = sp.plan_within([], sp.Budget(0, 0, 0))
    assert (plan.flash, plan.cycles, plan.sram) == (0, 0, 0)
    with pytest.raises(
        sp.BudgetError, match=r"`flash=23`\. .* needs 24 bytes of Flash, which is 1 more"
    ):
        sp.plan_within([], sp.Budget(23), container_nbytes=bundle_overhead([]))
