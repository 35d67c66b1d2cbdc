# SPDX-License-Identifier: Apache-2.0
"""bench/m55: counts that can be known without counting, and failures that must not pass silently.

Needs QEMU and clang-19, which `make test` installs.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.cost._fitted import CYCLES
from stridepack.cost.estimate import decode_cycles

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = REPOSITORY / "bench/m55"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """bench/m55/run.py, with its firmware built."""
    sys.path.insert(0, str(HERE))
    try:
        spec = importlib.util.spec_from_file_location("bench_m55_run", HERE / "run.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(HERE))
    module.build()
    return module


def decode(bench: ModuleType, path: str, cases: list, directory: Path) -> tuple[list, list]:
    image = directory / "image"
    image.write_bytes(bench.build_image(cases))
    return bench.run_firmware(bench.BUILD / path / "bench.elf", image, len(cases))


def test_counts_grow_as_the_source_says(bench: ModuleType, tmp_path: Path) -> None:
    """A copy of 16 bytes more is three instructions more: load, store, end of the loop."""
    sizes = (4096, 4096 + 16, 8192)
    cases = [bench.Case("copy", "dense", 0, [random_array(n, 0)]) for n in sizes]
    regions, _ = decode(bench, "helium", cases, tmp_path)
    totals = [sum(count.executed for count in region.values()) for region in regions]
    assert totals[1] - totals[0] == 3
    assert totals[2] - totals[0] == 3 * 4096 // 16


def test_active_lanes_are_the_non_zeros(bench: ModuleType, tmp_path: Path) -> None:
    """psr scatters each non-zero, and nothing else."""
    values = random_array(256 * 40, 0.6)
    case = bench.Case("lanes", "psr", 0.6, [values])
    ((region,), _) = decode(bench, "helium", [case], tmp_path)
    program = bench.Program(bench.BUILD / "helium/bench.elf")
    scatters = [
        count
        for address, count in region.items()
        if program.text[address].startswith("vstrb") and ", q" in program.text[address]
    ]
    assert sum(count.accesses for count in scatters) == np.count_nonzero(values)


def test_regions_start_anew(bench: ModuleType, tmp_path: Path) -> None:
    cases = [bench.Case("twice", "rle", 0.5, [random_array(3000, 0.5)])] * 2
    for path in bench.PATHS:
        (first, second), stacks = decode(bench, path, cases, tmp_path)
        assert first == second
        assert stacks[0] == stacks[1] > 0


@pytest.mark.parametrize("decoder", ["spk_decode_s8", "spk_tflm_prune_s8", "bit_loop"])
def test_a_wrong_byte_fails(bench: ModuleType, tmp_path: Path, decoder: str) -> None:
    case = bench.Case("wrong", "bitmap", 0.5, [random_array(3000, 0.5)], decoder)
    decode(bench, "helium", [case], tmp_path)
    case.tensors[0] = case.tensors[0].copy()
    case.tensors[0][2999] ^= 1
    assert not np.array_equal(case.packed[0].unpack(), case.tensors[0])
    with pytest.raises(bench.click.ClickException, match="wrong bytes"):
        decode(bench, "helium", [case], tmp_path)


def test_cost_of_a_block(bench: ModuleType, tmp_path: Path) -> None:
    """Dependent additions take a cycle each, and a taken branch two more; a gather, its lanes."""
    program = bench.Program(bench.BUILD / "scalar/bench.elf")
    program.text = {
        0x100: "add.w r0, r0, #0x1",
        0x104: "add.w r0, r0, #0x1",
        0x108: "bne.w 0x100 <f>",
        0x10C: "vldrb.u8 q0, [r0, q1]",
    }
    program._next = {0x100: 0x104, 0x104: 0x108, 0x108: 0x10C}
    count = sys.modules["cycles"].Count
    loop = {address: count(10, 0, 0, 0) for address in (0x100, 0x104, 0x108)}
    straight = program.cycles(loop)
    assert 20 <= straight <= 30
    loop[0x108] = count(10, 9, 0, 0)
    assert program.cycles(loop) == straight + 9 * 2
    gather = {0x10C: count(10, 0, 0, 0)}
    full = {0x10C: count(10, 0, 160, 140)}
    assert program.cycles(full) == program.cycles(gather) + 140


def test_the_bit_loop_looks_at_every_element(bench: ModuleType, tmp_path: Path) -> None:
    """Ours does not; both take the same bytes, and neither cares for what the values are."""
    arrays = [random_array(n, 0.5) for n in (4096, 8192)]
    for path in bench.PATHS:
        totals = {}
        for decoder in bench.DECODERS[1:]:
            cases = [bench.Case("prune", "bitmap", 0.5, [array], decoder) for array in arrays]
            regions, _ = decode(bench, path, cases, tmp_path)
            counts = [sum(c.executed for c in region.values()) for region in regions]
            totals[decoder] = (counts[1] - counts[0]) / 4096
        assert totals["bit_loop"] >= 4  # bit, value, store, and the end of the loop
        assert totals["spk_tflm_prune_s8"] < totals["bit_loop"]


@pytest.mark.parametrize("target", CYCLES)
def test_estimates_of_new_tensors(bench: ModuleType, target: str) -> None:
    """Of a seed that nobody has fitted or recorded; the firmware counts, Python estimates."""
    path = {"cortex-m55": "helium", "cortex-m55-scalar": "scalar"}[target]
    tensors = [random_array(n, sparsity) for n in (2048, 5000, 40_000) for sparsity in (0.3, 0.8)]
    cases = [bench.Case("new", format, 0, tensors) for format in CYCLES[target]]
    for case, result in zip(cases, bench.measure(path, bench.MODELLED, cases), strict=True):
        for packed, cycles in zip(case.packed, result.cycles, strict=True):
            assert decode_cycles(packed, target) == pytest.approx(cycles, rel=0.1), packed


def test_missing_tool_is_named() -> None:
    result = subprocess.run(
        [sys.executable, str(HERE / "run.py")],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "qemu-system-arm" in result.stderr
    assert "apt-get install" in result.stderr


def test_results_are_complete() -> None:
    records = json.loads((HERE / "results.json").read_text())
    gcc = [r for r in records if r["compiler"] == "gcc"]
    records = [r for r in records if r["compiler"] == "clang-19"]
    assert {(r["workload"], r["format"], r["path"]) for r in gcc} >= {
        ("resnet8", format, path) for format in sp.formats() for path in ("scalar", "helium")
    }
    prune = {(r["decoder"], r["path"], r["sparsity"]) for r in records if "decoder" in r}
    for path in ("scalar", "helium"):
        for sparsity in (0.3, 0.5, 0.7, 0.9):
            assert {("bit_loop", path, sparsity), ("spk_tflm_prune_s8", path, sparsity)} <= prune
    keys = {(r["workload"], r["format"], r["sparsity"], r["path"]) for r in records}
    for format in sp.formats():
        for path in ("scalar", "helium", "m4"):
            for tenths in range(10):
                assert ("resnet8", format, tenths / 10, path) in keys
        for path in ("scalar", "helium"):
            assert any(w != "resnet8" and (f, p) == (format, path) for w, f, _, p in keys)
    numbers = ("instructions_per_weight", "instructions_per_nonzero", "text_bytes", "stack_bytes")
    assert all(record[number] > 0 for record in records for number in numbers)
    assert all(("cycles_per_weight" in record) == (record["path"] != "m4") for record in records)
