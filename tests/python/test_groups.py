# SPDX-License-Identifier: Apache-2.0
"""find_groups: its contract. test_reference.py compares it group by group with slow code."""

import numpy as np
import pytest
from arrays import random_array
from hypothesis import given, settings
from hypothesis import strategies as st

import stridepack as sp
from stridepack.groups import GroupParams


def covered(groups: sp.Groups) -> np.ndarray:
    """Positions of all slots of all groups."""
    parts = [
        start + stride * np.arange(size)
        for size, stride, start in zip(
            groups.size.tolist(), groups.stride.tolist(), groups.start.tolist(), strict=True
        )
    ]
    return np.concatenate([np.empty(0, int), *parts])


@settings(max_examples=300, deadline=None)
@given(
    bits=st.lists(st.booleans(), max_size=400),
    sizes=st.lists(st.integers(1, 20), max_size=4),
    strides=st.lists(st.integers(1, 20), max_size=5),
    occupancy=st.floats(0, 1),
)
def test_groups_partition_the_mask(
    bits: list[bool], sizes: list[int], strides: list[int], occupancy: float
) -> None:
    mask = np.array(bits, bool)
    groups = sp.find_groups(mask, sizes, strides, occupancy)
    slots = covered(groups)
    assert slots.size == 0 or slots.max() < mask.size
    # Every non-zero is in one group, or in the remainder.
    owned = np.zeros(mask.size, int)
    np.add.at(owned, slots, 1)
    np.testing.assert_array_equal(mask & (owned == 0), groups.remainder)
    assert not (groups.remainder & ~mask).any()
    # Every group had enough non-zeros when it was found.
    left = mask.copy()
    params = GroupParams(sizes, strides, occupancy)
    needed = dict(zip(params.sizes, params.min_counts, strict=True))
    for size, stride, start in zip(groups.size, groups.stride, groups.start, strict=True):
        slot = int(start) + int(stride) * np.arange(size)
        assert left[slot].sum() >= needed[int(size)]
        left[slot] = False


def test_the_papers_example() -> None:
    """Figure 4: two groups of 4 with 75 % and 100 % occupancy, one element left."""
    mask = np.zeros(24, bool)
    mask[[0, 2, 6, 9, 12, 15, 18, 23]] = True
    groups = sp.find_groups(mask, sizes=(4,), occupancy=0.75)
    assert len(groups) == 2
    assert groups.remainder.sum() == 1


def test_order_of_sizes_and_strides_does_not_matter() -> None:
    mask = random_array(3000, 0.5)
    a = sp.find_groups(mask, (16, 12, 8, 4), range(1, 17), 0.8)
    b = sp.find_groups(mask, [4, 16, 8, 12, 8], [*range(16, 0, -1), 3], 0.8)
    np.testing.assert_array_equal((a.size, a.stride, a.start), (b.size, b.stride, b.start))


def test_thresholds_are_exact() -> None:
    """0.55 * 20 is 11.000000000000002 in floating point, and 11 on paper."""
    assert GroupParams((20,), (1,), 0.55).min_counts == (11,)
    assert GroupParams((16, 12, 8, 4), (1,), 0.8).min_counts == (13, 10, 7, 4)
    assert GroupParams((16, 4), (1,), 0).min_counts == (1, 1)  # an empty group is no group
    assert GroupParams((16,), (1,), np.float32(0.5)).min_counts == (8,)


def test_passes_by_rate() -> None:
    """Bytes a non-zero: (4 + 1.5) / 4 = 1.375, (3 + 1.5) / 3 = 1.5, (4 + 1.5) / 3 = 1.83."""
    params = GroupParams((3, 4), (1,), 0.6, "rate")
    assert params.passes == ((4, 4), (3, 3), (4, 3), (3, 2))
    assert GroupParams((3, 4), (1,), 0.6).passes == ((4, 3), (3, 2))
    # (6 + 1.5) / 5 = (3 + 1.5) / 3: the larger group first
    assert GroupParams((3, 6), (1,), 0.8, "rate").passes == ((6, 6), (6, 5), (3, 3))


@pytest.mark.parametrize("sparsity", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("sizes", [(16, 12, 8, 4), (16, 12, 8, 6, 4, 3)])
def test_by_rate_hybrid_is_smaller(sparsity: float, sizes: tuple[int, ...]) -> None:
    values = random_array(36_864, sparsity)
    by_size, by_rate = (
        sp.pack(values, "hybrid", sizes=sizes, order=order).nbytes for order in ("size", "rate")
    )
    assert by_rate < by_size


def test_a_dense_array_leaves_a_remainder() -> None:
    """Appendix A finds that peculiar; it is what the order of the search gives."""
    groups = sp.find_groups(np.ones(36_864, bool))
    assert 0.05 < groups.remainder.mean() < 0.15


def test_share_of_elements_in_groups() -> None:
    """Appendix A: 77 % of the elements at 30 % sparsity."""
    mask = random_array(73_728, 0.3) != 0
    groups = sp.find_groups(mask)
    assert 1 - groups.remainder.sum() / mask.sum() == pytest.approx(0.77, abs=0.01)


def test_any_mask_is_taken_and_none_is_changed() -> None:
    mask = random_array(600, 0.5).reshape(20, 30).T
    before = mask.copy()
    groups = sp.find_groups(mask)
    np.testing.assert_array_equal(mask, before)
    assert groups.remainder.shape == (30, 20)
    flat = sp.find_groups(mask.ravel().tolist())
    np.testing.assert_array_equal(groups.start, flat.start)


@pytest.mark.parametrize("mask", [[], np.zeros((0, 4)), np.zeros(1000)])
def test_nothing_to_find(mask: np.ndarray) -> None:
    groups = sp.find_groups(mask)
    assert len(groups) == 0
    assert not groups.remainder.any()


def test_groups_that_do_not_fit_are_not_looked_for() -> None:
    assert len(sp.find_groups([1] * 15, sizes=(16,))) == 0
    assert len(sp.find_groups([1] * 100, sizes=(2**30,), strides=(2**30,))) == 0
    assert sp.find_groups([1] * 300, sizes=(300,), strides=(1,)).size.tolist() == [300]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (0,)}, r"One of the sizes is 0\. Each must lie between 1 and 1,073,741,824\."),
        (
            {"strides": (-1, 2)},
            r"One of the strides is -1\. Each must lie between 1 and 1,073,741,824\.",
        ),
        ({"sizes": (2**31,)}, "One of the sizes is 2147483648"),
        ({"occupancy": 1.01}, r"`occupancy=1\.01` is out of range\. It must lie between 0 and 1"),
        ({"occupancy": float("nan")}, "`occupancy=nan` is out of range"),
        ({"order": "speed"}, r"`order=speed` is unknown\. Choose size or rate\."),
        (
            {"order": "rate", "sizes": (256,)},
            r"`order=rate` .* groups of at most 255 elements\. One of the sizes is 256",
        ),
    ],
)
def test_bad_parameters(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(sp.InputError, match=message):
        sp.find_groups([1, 0, 1], **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (256,)}, r"groups of at most 255 elements\. One of the sizes is 256\."),
        ({"strides": (256,)}, r"a stride of at most 255\. The smallest of the strides is 256\."),
        ({"strides": (1, 257)}, r"from 1 to 256\. The largest of the strides is 257\."),
    ],
)
def test_what_hybrid_cannot_store(options: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(sp.InputError, match=message):
        sp.pack(np.ones(1000, np.int8), "hybrid", **options)
