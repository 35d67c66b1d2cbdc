# SPDX-License-Identifier: Apache-2.0
"""Budgets on the command line: plans that keep them, and what is said where none does."""

import math
import re
from pathlib import Path

import pytest
from commands import files_below, npz, run

import stridepack as sp
from stridepack.cost.estimate import decode_cycles
from stridepack.files.spk import parse_bundle

__all__ = ["npz"]

MODEL = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"


def test_pack_within_budgets(npz: Path, tmp_path: Path) -> None:
    packed = tmp_path / "w.spk"
    budgets = ("--flash", 9000, "--max-cycles", 12_000, "--sram", 1600)
    output = run("pack", npz, "-o", packed, *budgets)
    assert "all 3 tensors are equal" in run("verify", npz, packed)
    assert f"Flash: {packed.stat().st_size:,} of 9,000 bytes" in output
    blobs = parse_bundle(packed.read_bytes())
    cycles = sum(math.ceil(decode_cycles(blob, "cortex-m55") or 0) for blob in blobs.values())
    assert f"Cycles: {cycles:,} of 12,000 to decode every tensor once on cortex-m55." in output
    assert (
        "SRAM: 1,600 of 1,600 bytes for one buffer that holds any tensor or tile. 2 of the "
        "tensors are cut into tiles." in output
    )
    assert {blob.tile_size for blob in blobs.values()} == {1600, 100}
    for text in ("layer1", "why", "which Flash does not count"):
        assert text in output
    unused = set(sp.formats()).difference(blob.format for blob in blobs.values())
    assert all(f"SPK_WITHOUT_{name.upper()}" in output for name in unused)


def test_pack_by_objective_and_target(npz: Path, tmp_path: Path) -> None:
    sizes, cycles = {}, {}
    for objective in ("size", "balanced", "speed"):
        path = tmp_path / f"{objective}.spk"
        target = ("--target", "cortex-m55-scalar") if objective == "balanced" else ()
        output = run("pack", npz, "-o", path, "--objective", objective, *target)
        assert ("cortex-m55-scalar" in output) == bool(target)
        sizes[objective] = path.stat().st_size
        blobs = parse_bundle(path.read_bytes()).values()
        cycles[objective] = sum(decode_cycles(blob, "cortex-m55") or 0 for blob in blobs)
    assert sizes["size"] < sizes["balanced"] < sizes["speed"]
    assert cycles["speed"] < cycles["balanced"]
    # The smallest plan is what pack makes without one.
    run("pack", npz, "-o", tmp_path / "w.spk")
    assert (tmp_path / "w.spk").read_bytes() == (tmp_path / "size.spk").read_bytes()


def test_pack_c_within_budgets(npz: Path, tmp_path: Path) -> None:
    output = run("pack", npz, "-o", tmp_path / "w.c", "--sram", 2000, "--count-code")
    assert re.search(r"their code takes at most [\d,]+ bytes, which Flash counts\.", output)
    assert "#define W_LARGEST_TILE 2000 " in (tmp_path / "w.h").read_text()


@pytest.mark.parametrize("suffix", ["spk", "c"])
@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--flash"], "smallest one needs {} bytes of Flash"),
        (["--max-cycles"], "fastest one needs {} cycles"),
        (["--format", "rle", "--count-code", "--flash"], "smallest one needs {} bytes of Flash"),
        (
            ["--objective", "speed", "--target", "cortex-m55-scalar", "--max-cycles"],
            "fastest one needs {} cycles",
        ),
    ],
)
def test_budgets_that_cannot_be_kept(
    npz: Path, tmp_path: Path, suffix: str, arguments: list[str], what: str
) -> None:
    """The least that is said to do does, and one less does not. Nothing is written until then."""
    output = tmp_path / f"out/w.{suffix}"
    output.parent.mkdir()
    message = run("pack", npz, "-o", output, *arguments, 1000, code=2)
    option, number = arguments[-1], r"([\d,]+)"
    found = re.search(
        rf"No plan keeps `{option} 1000`\. The {what.format(number)}, which is {number} more\.",
        message,
    )
    assert found, message
    enough, more = (int(text.replace(",", "")) for text in found.groups())
    assert enough - more == 1000
    message = run("pack", npz, "-o", output, *arguments, enough - 1, code=2)
    assert f"No plan keeps `{option} {enough - 1}`. " in message
    assert f" {what.format(f'{enough:,}')}, which is 1 more." in message
    assert not files_below(output.parent)
    assert f"of {enough:,}" in run("pack", npz, "-o", output, *arguments, enough)


def test_budgets_that_exclude_each_other(npz: Path, tmp_path: Path) -> None:
    output = tmp_path / "w.spk"
    run("pack", npz, "-o", output, "--max-cycles", 10**9)
    budgets = ("--flash", output.stat().st_size, "--max-cycles", 5000)
    output.unlink()
    message = run("pack", npz, "-o", output, *budgets, code=2)
    flash = budgets[1]
    assert f"No plan keeps `--flash {flash}` and `--max-cycles 5000` together, although" in message
    for way, budget in (
        (r": allow ([\d,]+) bytes of Flash for 5,000 cycles, which is ([\d,]+) more, or ", flash),
        (
            rf", or allow ([\d,]+) cycles in {flash:,} bytes of Flash, which is ([\d,]+) more\.",
            5000,
        ),
    ):
        found = re.search(way, message)
        assert found, message
        enough, more = (int(text.replace(",", "")) for text in found.groups())
        assert enough - more == budget
    assert (
        "`--sram 3` is too small. Tensor 'layer1' needs a buffer of at least 16 bytes, which is "
        "one tile of 16 elements. That is 13 more."
        in run("pack", npz, "-o", output, "--sram", 3, code=2)
    )
    assert not output.exists()


def test_a_tflite_can_be_too_large(tmp_path: Path) -> None:
    packed = tmp_path / "w.tflite"
    output = run("pack", MODEL, "-o", packed, "--flash", 70_000)
    size = packed.stat().st_size
    assert f"Flash: {size:,} of 70,000 bytes" in output
    packed.unlink()
    output = run("pack", MODEL, "-o", packed, "--flash", size - 1, code=2)
    assert (
        f"`--flash {size - 1}` is too small. The smallest .tflite file takes {size:,} bytes, "
        "which is 1 more. A .spk or .c file is usually smaller." in output
    )
    assert not files_below(tmp_path)
