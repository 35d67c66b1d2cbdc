# SPDX-License-Identifier: Apache-2.0
"""Plans know each format with transforms and without them."""

import itertools
import math

import numpy as np
import pytest
from arrays import Int8Array, random_array

import stridepack as sp
from stridepack.cost import decode_cycles
from stridepack.plan.encode import TensorEncoder
from stridepack.plan.options import PackOptions

TARGET = "cortex-m55"
FORMATS = ("dense", "bitmap", "rans", "huffman")


def with_dead_parts(n_rows: int, n: int, sparsity: float, every: int) -> Int8Array:
    """Each `every`-th row and column is 0."""
    values = random_array(n_rows * n, sparsity).reshape(n_rows, n)
    values[::every] = 0
    values[:, ::every] = 0
    return values


TENSORS = [
    sp.WeightTensor("a", with_dead_parts(32, 72, 0.5, 4)),
    sp.WeightTensor("b", with_dead_parts(64, 100, 0.8, 2)),
    sp.WeightTensor("c", random_array(3000, 0.7)),
    # Transforms would save 1 % and cost a third of the time: `pack` does without.
    sp.WeightTensor("d", with_dead_parts(200, 200, 0.3, 45)),
]


def variants(values: Int8Array) -> list[sp.Packed]:
    encoder = TensorEncoder(values, PackOptions(), None)
    return [packed for name in FORMATS for packed in encoder.variants(name)]


def cycles_of(packed: sp.Packed) -> int:
    return math.ceil(decode_cycles(packed, TARGET) or 0)


def test_what_variants_are() -> None:
    """The first is what `pack` takes. One of them has no transforms, and none is there twice."""
    for tensor in TENSORS:
        encoder = TensorEncoder(tensor.values, PackOptions(), None)
        for name in FORMATS:
            found = encoder.variants(name)
            assert found[0] == sp.pack(tensor.values, name)
            assert sp.pack(tensor.values, name, transforms=False) in found
            assert len(set(found)) == len(found)
            assert all(p.format == name for p in found)
            for packed in found:
                np.testing.assert_array_equal(packed.unpack(), tensor.values)


def test_is_the_best_of_all_plans() -> None:
    candidates = [[(p.nbytes, cycles_of(p)) for p in variants(t.values)] for t in TENSORS]
    plans = [
        (sum(nbytes for nbytes, _ in chosen), sum(cycles for _, cycles in chosen))
        for chosen in itertools.product(*candidates)
    ]
    smallest, fastest = min(plans), min(plans, key=lambda plan: plan[::-1])
    rng = np.random.default_rng(0)
    usual_is_worse = 0
    usual = [[(p.nbytes, cycles_of(p)) for p in _usual(t.values)] for t in TENSORS]
    for _ in range(15):
        flash = int(rng.integers(smallest[0], fastest[0]))
        cycles = int(rng.integers(fastest[1], smallest[1]))
        plan = sp.plan_within(TENSORS, sp.Budget(flash), "speed", candidates=FORMATS)
        assert plan.cycles == min(plan[1] for plan in plans if plan[0] <= flash)
        best = [
            sum(cycles for _, cycles in chosen)
            for chosen in itertools.product(*usual)
            if sum(nbytes for nbytes, _ in chosen) <= flash
        ]
        usual_is_worse += not best or min(best) > plan.cycles
        plan = sp.plan_within(TENSORS, sp.Budget(cycles=cycles), "size", candidates=FORMATS)
        assert plan.flash == min(plan[0] for plan in plans if plan[1] <= cycles)
    assert usual_is_worse > 2


def _usual(values: Int8Array) -> list[sp.Packed]:
    return [sp.pack(values, name) for name in FORMATS]


def test_size_takes_slow_transforms_only_where_they_are_needed() -> None:
    usual = sum(choice.packed.nbytes for choice in sp.plan(TENSORS))
    least = sum(min(p.nbytes for p in variants(t.values)) for t in TENSORS)
    assert least < usual
    for flash, expected in ((None, usual), (usual, usual), (usual - 1, least), (least, least)):
        assert sp.plan_within(TENSORS, sp.Budget(flash)).flash == expected
    with pytest.raises(sp.BudgetError, match=rf"smallest one needs {least:,} bytes"):
        sp.plan_within(TENSORS, sp.Budget(least - 1))


def test_the_decoder_of_a_format_counts_once() -> None:
    """With code counted, variants of one format share it."""
    both = [TENSORS[0], TENSORS[3]]
    plan = sp.plan_within(both, sp.Budget(), format="bitmap", count_code=True)
    code = plan.code_nbytes
    assert code is not None
    assert plan.formats == ("bitmap",)
    assert plan.flash == code + sum(p.packed.nbytes for p in plan.tensors)
    of_bitmap = [[p.nbytes for p in variants(t.values) if p.format == "bitmap"] for t in both]
    least = code + sum(map(min, of_bitmap))
    assert least < plan.flash
    with pytest.raises(sp.BudgetError, match=rf"smallest one needs {least:,} bytes"):
        sp.plan_within(both, sp.Budget(1000), format="bitmap", count_code=True)


def test_why_names_the_transforms() -> None:
    a = [TENSORS[0]]
    smallest = sp.plan_within(a, sp.Budget(cycles=10**9), format="bitmap")
    (planned,) = sp.plan_within(a, sp.Budget(cycles=smallest.cycles - 1), format="bitmap").tensors
    assert not planned.packed.transforms
    assert planned.why.startswith(
        f"{smallest.cycles - planned.cycles:,} cycles fewer than bitmap (dead rows and columns) for"
    )
