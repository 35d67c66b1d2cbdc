# SPDX-License-Identifier: Apache-2.0
"""Decode-time estimates: counts that can be known by hand, and errors beside the full count."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.cost import estimate, work_of
from stridepack.cost._fitted import CYCLES
from stridepack.cost.estimate import decode_cycles, decoder_nbytes

BENCH = Path(__file__).resolve().parents[2] / "bench"
TENSORS = json.loads((BENCH / "m55/tensors.json").read_text())
PATHS = {"cortex-m55": "helium", "cortex-m55-scalar": "scalar"}
EXTREMES = json.loads((BENCH / "m55/extremes.json").read_text())
FITTED = {"resnet8", "lengths", "channels", "narrow", "regular"}

# The array of docs/format.md: its non-zeros lie at 0, 2, 4, 5, 6, 17 and 39 of 40.
EXAMPLE = np.zeros(40, np.int8)
EXAMPLE[[0, 2, 4, 5, 6, 17, 39]] = [3, -1, 4, 9, -5, -128, 7]


def rows(format: str, results: dict = TENSORS) -> list[dict]:
    """The rows of tensors.json, or of extremes.json; what the blob has to do, under "work"."""
    data = results[format]
    n = len(data["columns"])
    return [
        dict(zip(data["columns"], row[:n], strict=True))
        | {"work": dict(zip(data["work"], row[n:], strict=True))}
        for row in data["rows"]
    ]


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("dense", {"elements": 40}),
        ("psr", {"blocks": 1, "filled_blocks": 1, "columns": 0, "last_columns": 7}),
        ("rle", {"elements": 40, "values": 0, "checked_values": 0, "last_values": 8}),
        ("dcsr", {"elements": 40, "values": 7, "groups": 1, "edge_groups": 1, "masks": 1}),
        ("dcsr", {"mask_lanes": 7, "extended_groups": 1, "long_bases": 0, "single_pairs": 1}),
        ("dcsr", {"groups_that_might_wrap": 0}),
        ("hybrid", {"classes": 1, "values": 4, "groups": 1, "long_distance_bytes": 0}),
        ("hybrid", {"near_groups_of_4": 0, "far_groups_of_4": 0, "checked_groups": 1}),
        ("hybrid", {"remainder_values": 3, "remainder_groups": 1, "remainder_masks": 0}),
        ("bitmap", {"values": 7, "values_beyond_2_in_16": 3, "rounds": 0, "tail_elements": 40}),
        ("huffman", {"bitmap_elements": 40, "values": 7, "codes": 1, "symbols": 9}),
        ("huffman", {"table_entries": 191, "turns": 1, "long_codes": 0}),
        ("huffman", {"gap_turns": 0, "pair_fills": 81, "pair_turns": 1, "long_pairs": 0}),
    ],
)
def test_the_example_of_the_format_document(format: str, expected: dict[str, int]) -> None:
    work = work_of(sp.pack(EXAMPLE, format))
    assert work["tiles"] == 1
    assert {name: work[name] for name in expected} == expected


@pytest.mark.parametrize("format", sp.formats())
def test_work_of_any_array(format: str) -> None:
    names = set(work_of(sp.pack(EXAMPLE, format)))
    for n in (*range(1, 40), 255, 256, 257, 1000):
        for sparsity in (0, 0.5, 0.95, 1):
            packed = sp.pack(random_array(n, sparsity), format, tile=300)
            assert set(work_of(packed)) == names
            assert work_of(packed)["tiles"] == packed.n_tiles
            assert all(type(count) is int and count >= 0 for count in work_of(packed).values())
    empty = sp.pack(np.zeros(0, np.int8), format)
    assert not any(work_of(empty).values())


def test_far_apart() -> None:
    """What only long stretches of zeros need."""
    values = np.zeros(100_000, np.int8)
    values[::5000] = 1
    assert work_of(sp.pack(values, "dcsr"))["long_bases"] > 0
    values[3:16] = 1
    values[60_000:60_013] = 1
    assert work_of(sp.pack(values, "hybrid", sizes=[12]))["long_distance_bytes"] == 60_003 // 255


def test_groups_of_4() -> None:
    """Sixteen close together, sixteen further apart, sixteen with a long distance, and three."""
    starts = np.cumsum([20] * 16 + [100] * 16 + [20] * 7 + [300] + [20] * 8 + [30] * 3)
    values = np.zeros(starts[-1] + 100, np.int8)
    values[starts[:, None] + np.arange(4)] = 1
    work = work_of(sp.pack(values, "hybrid", sizes=[4], strides=[1]))
    assert (work["near_groups_of_4"], work["far_groups_of_4"], work["groups"]) == (16, 16, 19)
    assert work["checked_groups"] == 1
    # Now the last pair starts where the largest stride that a code can say would lead outside.
    work = work_of(sp.pack(values[: starts[-2] + 4], "hybrid", sizes=[4], strides=[1]))
    assert (work["groups"], work["checked_groups"]) == (18, 2)


def test_near_the_end_of_the_tile() -> None:
    work = work_of(sp.pack(np.ones(600, np.int8), "rle"))
    assert (work["values"], work["checked_values"], work["last_values"]) == (352, 240, 8)
    work = work_of(sp.pack(np.tile(np.array([0, 1], np.int8), 1600), "bitmap", transforms=False))
    # Of 100 words 50, 25, 12, 6, 3, 2 and 1.
    assert (work["rounds"], work["tail_elements"]) == (7, 32)


def test_steepest_slope_of_dcsr() -> None:
    values = np.zeros(17 * 160, np.int8)
    values[::17] = 1
    work = work_of(sp.pack(values, "dcsr"))
    assert (work["groups"], work["groups_that_might_wrap"]) == (10, 10)


@pytest.mark.parametrize("target", PATHS)
@pytest.mark.parametrize("format", TENSORS)
def test_within_12_percent_of_the_full_count(format: str, target: str) -> None:
    """Every tensor that was recorded: most of them the fit has not seen, those of models too."""
    costs = CYCLES[target][format]
    recorded = rows(format)
    assert sum(row["workload"] not in FITTED for row in recorded) > 60
    for row in recorded:
        assert row["elements"] >= 2048
        estimated = sum(costs[name] * count for name, count in row["work"].items() if count)
        counted = row[f"{PATHS[target]}_cycles"]
        assert estimated == pytest.approx(counted, rel=0.12), row


@pytest.mark.parametrize("target", PATHS)
@pytest.mark.parametrize("format", EXTREMES)
def test_within_15_percent_where_tensors_are_unlike_those_of_networks(
    format: str, target: str
) -> None:
    """Constant, regular and short tensors, none of which the fit has seen."""
    costs, recorded = CYCLES[target][format], rows(format, EXTREMES)
    assert {"all 0", "all 5", "every seventh is 5"} <= {row["tensor"] for row in recorded}
    for row in recorded:
        estimated = sum(costs[name] * count for name, count in row["work"].items() if count)
        assert estimated == pytest.approx(row[f"{PATHS[target]}_cycles"], rel=0.15), row


def test_what_is_not_coded_is_counted_apart() -> None:
    """Constant streams take the short ways of a decoder."""
    constant, places = np.full(4000, 5, np.int8), np.zeros(4000, np.int8)
    places[::7] = 5
    work = work_of(sp.pack(constant, "rans"))
    assert (work["rows_without_codes"], work["tables"], work["careful_rows"]) == (500, 0, 0)
    work = work_of(sp.pack(places, "rans"))
    assert (work["rows_of_gap_codes"], work["tables"]) == (72, 1)
    assert work_of(sp.pack(random_array(4000, 0.5), "rans"))["rows_without_codes"] == 0
    work = work_of(sp.pack(constant, "huffman"))
    assert (work["equal_values"], work["values"], work["gaps"]) == (4000, 0, 0)
    work = work_of(sp.pack(places, "huffman"))
    assert (work["equal_values"], work["values"], work["gaps"]) == (572, 0, 572)


@pytest.mark.parametrize("format", TENSORS)
def test_the_record_is_of_these_blobs(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where an encoder, or a `work` function, changed since `make bench-m55`."""
    monkeypatch.syspath_prepend(BENCH)
    monkeypatch.syspath_prepend(BENCH / "m55")
    monkeypatch.delitem(sys.modules, "workloads", raising=False)
    from workloads import synthetic

    recorded = {
        (row["workload"], row["sparsity"], row["tensor"]): row["work"] for row in rows(format)
    }
    for workload in synthetic(0):
        some = workload.name in ("structured", "lengths") and workload.sparsity in (0.2, 0.5)
        if some or workload.name == "regular":
            for name, values in workload.tensors.items():
                packed = sp.pack(values, format, tile=workload.tile, transforms=False)
                key = workload.name, round(workload.sparsity, 4), name
                assert recorded[key] == work_of(packed)


def test_costs_are_not_negative() -> None:
    for formats in CYCLES.values():
        for costs in formats.values():
            assert all(cost >= 0 for cost in costs.values())
            assert any(cost > 0 for cost in costs.values())


def test_what_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    values = random_array(3000, 0.1)
    assert decode_cycles(sp.pack(values, "hybrid", sizes=[16]), "cortex-m55") is not None
    assert decode_cycles(sp.pack(values, "hybrid", sizes=[20]), "cortex-m55") is None
    monkeypatch.setattr(estimate, "CYCLES", {"cortex-m55": {}})
    monkeypatch.setattr(estimate, "MEMORY", {"cortex-m55": {}})
    for format in sp.formats():
        assert decode_cycles(sp.pack(values, format), "cortex-m55") is None
        assert decoder_nbytes(format, "cortex-m55") is None
    with pytest.raises(sp.InputError, match=r"`target=z80` is unknown\. Choose cortex-m55\."):
        decode_cycles(sp.pack(values), "z80")
