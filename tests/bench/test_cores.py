# SPDX-License-Identifier: Apache-2.0
"""bench/cores: counts that can be known without counting, and estimates of what nobody has counted.

Needs QEMU and the compilers, which `make test` installs.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from arrays import random_array

import stridepack as sp
from stridepack.cost import decode_cycles, unit_of
from stridepack.cost._fitted_cores import INSTRUCTIONS

HERE = Path(__file__).resolve().parents[2] / "bench/cores"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """bench/cores/run.py, with its firmware built."""
    spec = importlib.util.spec_from_file_location("bench_cores_run", HERE / "run.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    module.build()
    return module


def case(bench: ModuleType, format: str, *sizes: int) -> object:
    return bench.m55.Case("new", format, 0.5, [random_array(n, 0.5, seed=7) for n in sizes])


def test_a_copy_on_riscv(bench: ModuleType) -> None:
    """A word is a load and a store, and the turn of a loop ends with two additions and a branch."""
    (scalar,) = bench.measure(bench.CORES["riscv32"], [case(bench, "dense", 4096, 4096 + 16)])
    first, second = scalar.instructions
    assert 8 <= second - first <= 13


def test_longer_vectors_take_fewer_instructions(bench: ModuleType) -> None:
    cases = [case(bench, format, 8192) for format in ("dense", "bitmap", "rans")]
    short = bench.measure(bench.CORES["riscv-v"], cases)
    long = bench.measure(bench.OTHERS["riscv-v, 512 bits"], cases)
    dense, bitmap, rans = (
        a.instructions[0] / b.instructions[0] for a, b in zip(short, long, strict=True)
    )
    assert dense > 2
    assert bitmap > 2
    assert 0.98 < rans < 1.2  # its eight lanes fit the shortest ones


@pytest.mark.parametrize("target", INSTRUCTIONS)
def test_estimates_of_new_tensors(bench: ModuleType, target: str) -> None:
    """Of a seed that nobody has fitted or recorded."""
    core = (bench.CORES | bench.OTHERS)[target]
    cases = [case(bench, format, 2048, 9000) for format in INSTRUCTIONS[target]]
    for one, result in zip(cases, bench.measure(core, cases), strict=True):
        for packed, counted in zip(one.packed, result.instructions, strict=True):
            assert decode_cycles(packed, target) == pytest.approx(counted, rel=0.15), packed


def test_what_is_counted() -> None:
    assert {unit_of(target) for target in INSTRUCTIONS} == {"instructions"}
    assert set(INSTRUCTIONS) | {"cortex-m55", "cortex-m55-scalar"} == set(sp.targets())


def test_the_fit_follows_from_the_counts() -> None:
    command = [sys.executable, HERE / "fit.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_results_are_complete() -> None:
    records = json.loads((HERE / "counts.json").read_text())
    keys = {(r["core"], r["format"], r["sparsity"]) for r in records}
    cores = (*INSTRUCTIONS, "riscv-v, 256 bits", "riscv-v, 512 bits", "cortex-m33")
    for core in cores:
        for format in sp.formats():
            assert {(core, format, sparsity) for sparsity in (0.3, 0.5, 0.7)} <= keys
    numbers = ("instructions_per_weight", "text_bytes", "stack_bytes")
    assert all(record[number] > 0 for record in records for number in numbers)
