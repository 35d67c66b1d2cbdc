# SPDX-License-Identifier: Apache-2.0
"""The C++ encoders and the C decoders do what the NumPy reference does, for every format."""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from arrays import SPARSITIES, Int8Array, random_array, special_arrays
from compare import check
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import stridepack as sp
from stridepack import reference
from stridepack.groups import ORDERS
from stridepack.reference import hybrid

TILES = (None, 1, 7, 16, 255, 256, 1000)

# Parameters that hybrid has to store otherwise than those of the paper.
GROUP_SIZES = ((16, 12, 8, 4), (5, 3), (32,), (255,), (2, 1), ())
STRIDES = (range(1, 17), (1, 2, 40), range(3, 9), (250,), (1, 256), (7,), ())
OCCUPANCIES = (0, 0.5, 0.55, 0.8, 1)

each_format = pytest.mark.parametrize("name", sp.formats())


def blocks_of(*parts: tuple[int, float]) -> Int8Array:
    """Random blocks of (length, sparsity), one after the other."""
    return np.concatenate([random_array(n, s, seed=i) for i, (n, s) in enumerate(parts)])


def non_zeros_at(n: int, positions: Iterable[int]) -> Int8Array:
    """An array that is 0 except at the positions, where it has different values."""
    array = np.zeros(n, np.int8)
    for i, position in enumerate(positions):
        array[position] = (1 + i % 127) * (-1) ** i
    return array


SPECIAL = dict(special_arrays()) | {
    "65535": random_array(65_535, 0.98),
    "65536": random_array(65_536, 0.98),
    "65537": random_array(65_537, 0.98),
    "one far from both ends": non_zeros_at(1000, (500,)),
    "one at 65535 and 65536": non_zeros_at(65_537, (65_535, 65_536)),
    "dense and dead blocks": blocks_of(*[(300, 0.1), (4000, 1.0), (40, 0.6), (700, 1.0)] * 3),
    "distances grow": non_zeros_at(33_000, np.cumsum(np.arange(250))),
    "distances shrink": non_zeros_at(33_000, np.cumsum(np.arange(250)[::-1])),
    # Lane offsets that fit until padding is put in front of them (section 6).
    "gap, then a run": non_zeros_at(900, (0, *range(60, 69), 120, 400, 401, 402, 899)),
    # A last block of PSR that is short, and yet has 254 or 255 non-zeros.
    "254 in a short block": non_zeros_at(256 + 255, (*range(256), *range(257, 511))),
    "255 in a short block": non_zeros_at(256 + 255, range(511)),
    "254 in a whole block": non_zeros_at(512, range(2, 512)),
}


# Encoders and decoders ---------------------------------------------------------------------------


@each_format
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_every_length(name: str, sparsity: float) -> None:
    for n in (*range(41), 254, 255, 256, 257, 511, 512, 513):
        check(random_array(n, sparsity), name)


@each_format
@pytest.mark.parametrize("tile", TILES)
def test_tiles(name: str, tile: int | None) -> None:
    for n, sparsity in ((0, 0.5), (1, 0.0), (255, 0.0), (256, 0.9), (400, 0.6)):
        check(random_array(n, sparsity), name, tile)


@each_format
@pytest.mark.parametrize("case", SPECIAL)
def test_special(name: str, case: str) -> None:
    check(SPECIAL[case], name)
    check(SPECIAL[case], name, tile=1000)


@each_format
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3, 4), (1, 2, 1, 2, 1, 2, 1, 2)])
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    check(np.arange(int(np.prod(shape)), dtype=np.int8).reshape(shape), name)


@each_format
def test_sizes_of_streams(name: str) -> None:
    """`Packed.streams` finds in the bytes what the reference has written."""
    for array in (random_array(3000, 0.7), SPECIAL["dense and dead blocks"], np.zeros(9, np.int8)):
        for tile in (None, 1000):
            sizes = dict(sp.Packed.encode(array, name, tile).streams)
            sizes.pop("tile_index", None)
            sizes.pop("alignment", None)
            tiles = reference.encode_streams(array, name, tile)
            assert sizes == {stream: sum(len(t[stream]) for t in tiles) for stream in tiles[0]}


@st.composite
def spread_arrays(draw: st.DrawFn) -> Int8Array:
    """Runs of non-zeros with distances of every magnitude between them."""
    distance = st.one_of(st.just(1), st.integers(1, 20), st.integers(1, 300), st.integers(1, 5000))
    distances = draw(st.lists(distance, max_size=60))
    tail = draw(st.integers(0, 300))
    return non_zeros_at(sum(distances) + tail, np.cumsum(distances) - 1)


@each_format
@settings(max_examples=100, deadline=None)
@given(
    values=spread_arrays()
    | st_numpy.arrays(np.int8, st.integers(0, 600))
    | st_numpy.arrays(np.int8, st.integers(0, 600), elements=st.sampled_from([0, 0, 0, 1, -128])),
    tile=st.none() | st.integers(100, 1000),
)
def test_any_array(name: str, values: Int8Array, tile: int | None) -> None:
    check(values, name, tile)


# Groups ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", GROUP_SIZES)
@pytest.mark.parametrize("strides", STRIDES)
def test_group_parameters(sizes: tuple[int, ...], strides: tuple[int, ...]) -> None:
    for occupancy in OCCUPANCIES:
        for array in (random_array(700, 0.4), random_array(700, 0.9)):
            check(array, "hybrid", sizes=sizes, strides=strides, occupancy=occupancy)
    check(SPECIAL["dense and dead blocks"], "hybrid", 1000, sizes=sizes, strides=strides)


@pytest.mark.parametrize("distance", [254, 255, 256, 509, 510, 511, 765])
def test_distances_between_groups(distance: int) -> None:
    """Multiples of 255 end with a byte of 0."""
    values = non_zeros_at(2 * distance + 4, range(2 * distance + 4))
    values[4:distance] = values[distance + 4 : 2 * distance] = 0
    check(values, "hybrid")


def test_classes_of_the_same_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What more than 2^24 - 1 groups of one size would need."""
    monkeypatch.setattr(hybrid, "MOST_GROUPS", 3)
    values = random_array(900, 0.5)
    tiles = reference.encode_streams(values, "hybrid")
    assert len(tiles[0]["classes"]) > 4 * 4
    blob = reference.encode(values, "hybrid")
    for decoded in (reference.decode(blob), sp.Packed.from_bytes(blob).unpack()):
        np.testing.assert_array_equal(decoded, values)


group_parameters = st.fixed_dictionaries(
    {},
    optional={
        "sizes": st.sets(st.integers(1, 40), max_size=4),
        "strides": st.sets(st.integers(1, 60), max_size=6),
        "occupancy": st.floats(0, 1) | st.sampled_from(OCCUPANCIES),
        "order": st.sampled_from(ORDERS),
    },
)


@settings(max_examples=150, deadline=None)
@given(
    values=st_numpy.arrays(np.int8, st.integers(0, 300), elements=st.sampled_from([0, 0, 1, -1])),
    options=group_parameters,
)
def test_any_group_parameters(values: Int8Array, options: dict[str, Any]) -> None:
    check(values, "hybrid", **options)


def check_search(mask: npt.NDArray[np.bool_], **options: Any) -> None:
    """`find_groups` finds the groups of the reference, one by one in the same order."""
    groups = sp.find_groups(mask, **options)
    found = zip(groups.size.tolist(), groups.stride.tolist(), groups.start.tolist(), strict=True)
    names = {"sizes": "S", "strides": "D", "occupancy": "theta", "order": "order"}
    expected, remainder = reference.find_groups(mask, **{names[k]: v for k, v in options.items()})
    for j, (got, group) in enumerate(zip(found, expected, strict=True)):
        assert got == group, f"group {j}"
    np.testing.assert_array_equal(groups.remainder, remainder)


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(0, 700),
    sparsity=st.sampled_from(SPARSITIES),
    seed=st.integers(0, 1000),
    options=group_parameters,
)
def test_search_in_random_masks(
    n: int, sparsity: float, seed: int, options: dict[str, Any]
) -> None:
    check_search(random_array(n, sparsity, seed) != 0, **options)


@pytest.mark.parametrize("period", [1, 2, 3, 5, 16, 17])
@pytest.mark.parametrize("n", [3, 64, 1000])
def test_search_in_periodic_masks(n: int, period: int) -> None:
    """Full of equally good groups: it matters which one is the first."""
    mask = np.arange(n) % period == 0
    for damage in (1, 7, 50):
        mask[damage::damage] ^= True
        for occupancy in OCCUPANCIES:
            for order in ORDERS:
                check_search(mask, occupancy=occupancy, order=order)
        check_search(mask, sizes=(40, 3), strides=(1, 30, 400))


@pytest.mark.parametrize(("size", "occupancy", "needed"), [(20, 0.55, 11), (25, 0.28, 7)])
def test_threshold_is_exact(size: int, occupancy: float, needed: int) -> None:
    """Floating point would ask for one more: 0.55 * 20 is 11.000000000000002 there."""
    for n_non_zero in (needed - 1, needed):
        mask = np.arange(size) < n_non_zero
        check_search(mask, sizes=(size,), strides=(1,), occupancy=occupancy)
        groups = sp.find_groups(mask, sizes=(size,), strides=(1,), occupancy=occupancy)
        assert len(groups) == (n_non_zero == needed)


def test_search_in_a_large_mask() -> None:
    check_search(random_array(9216, 0.5) != 0)


# The trap: padding slots at positions of non-zeros that are stored elsewhere ---------------------


def slots_of_groups_and_remainder(
    blob: bytes,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of the slots of a hybrid blob of one tile: in groups, and in the remainder."""
    payload = reference.blob.StreamReader(blob[16:])
    c, _ = hybrid.decode_tile(payload, sp.Packed(blob).n_elements)
    n_values = sp.Packed(blob).streams["values"]
    return c[:n_values], c[n_values:]


def check_any_order(values: Int8Array, blob: bytes) -> None:
    """The slots of a blob can be written in any order."""
    _, (c, v) = reference.decode_slots(blob)
    rng = np.random.default_rng(0)
    for _ in range(20):
        order = rng.permutation(c.size)
        decoded = np.zeros(values.size, np.int8)
        for i in order:
            decoded[c[i]] = v[i]
        np.testing.assert_array_equal(decoded, values)


@pytest.mark.parametrize(
    "positions",
    [
        # stride 1 takes 10..13, then stride 2 takes 8, 14 with gaps at 10, 12: written before ...
        (8, 10, 11, 12, 13, 14),
        # ... and here 15, 17 with gaps at 11, 13: written after the group that owns them
        (10, 11, 12, 13, 15, 17),
    ],
)
def test_gap_of_a_group_over_a_non_zero_of_another(positions: tuple[int, ...]) -> None:
    values = non_zeros_at(20, positions)
    options: dict[str, Any] = {"sizes": (4,), "strides": (1, 2), "occupancy": 0.5}
    groups, remainder = reference.find_groups(values != 0, (4,), (1, 2), 0.5)
    assert [b.d for b in groups] == [1, 2]
    assert not remainder.any()
    owned, other = ({b.n + i * b.d for i in range(4)} for b in groups)
    assert len(owned & other) == 2
    assert all(values[c] != 0 for c in owned & other)

    check(values, "hybrid", **options)
    check_any_order(values, sp.pack(values, "hybrid", **options).to_bytes())


@pytest.mark.parametrize(
    ("positions", "padding"),
    [
        # 5 and 400 are left. Padding follows 5 where it has no gap to go into.
        ((5, 7, 8, 9, 10, 400), {7, 8, 9, 10}),
        # 5, 205, 600, 602, ... are left. The centre of the largest gap is 105, and so on.
        ((5, 104, 105, 106, 107, 205, *range(600, 800, 2)), {105}),
    ],
)
def test_padding_of_the_remainder_over_a_non_zero_of_a_group(
    positions: tuple[int, ...], padding: set[int]
) -> None:
    values = non_zeros_at(800, positions)
    options: dict[str, Any] = {"sizes": (4,), "strides": (1,), "occupancy": 1}
    blob = sp.pack(values, "hybrid", **options).to_bytes()
    groups, remainder = slots_of_groups_and_remainder(blob)
    assert padding <= set(remainder.tolist()) & set(groups.tolist())
    assert all(values[c] != 0 for c in padding)

    check(values, "hybrid", **options)
    check_any_order(values, blob)


def test_the_trap_is_common() -> None:
    """In arrays like real ones, so that the other tests here meet it all the time."""
    values = np.concatenate([random_array(2000, 0.5), np.zeros(500, np.int8)] * 2)
    blob = sp.pack(values, "hybrid", occupancy=0.5).to_bytes()
    groups, remainder = slots_of_groups_and_remainder(blob)
    c, count = np.unique(groups, return_counts=True)
    assert np.count_nonzero(values[c[count > 1]]) > 100
    assert np.count_nonzero(values[np.intersect1d(groups, remainder)]) > 0
    check_any_order(values, blob)


# The reference itself ----------------------------------------------------------------------------


def test_the_reference_is_independent() -> None:
    """It imports no compiled code, and nothing of the package that does."""
    allowed = ("stridepack._spec", "stridepack.errors.", "stridepack.reference")
    for path in Path(reference.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported = {f"{node.module}.{alias.name}" for alias in node.names}
            else:
                continue
            for name in imported:
                assert not name.startswith("stridepack") or name.startswith(allowed), path.name


def test_input_errors() -> None:
    with pytest.raises(sp.InputError, match="`format=blob` is unknown"):
        reference.encode(np.zeros(3, np.int8), "blob")
    with pytest.raises(sp.InputError, match="int16"):
        reference.encode(np.zeros(3, np.int16), "dense")
    with pytest.raises(sp.InputError, match="dimensions"):
        reference.encode(np.zeros((1,) * 9, np.int8), "dense")
    with pytest.raises(sp.InputError, match="`tile=0` is not possible"):
        reference.encode(np.zeros(3, np.int8), "dense", tile=0)
