# SPDX-License-Identifier: Apache-2.0
"""examples/rust runs on the emulated board, where there is a core library of Rust for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rust_core

import stridepack as sp

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "examples/resnet8_cifar10_50.tflite"
TARGET = "thumbv8m.main-none-eabihf"
TOOLS = ("cargo", "arm-none-eabi-gcc", "arm-none-eabi-readelf", "qemu-system-arm")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, with the crate and the weights."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed")
    folder = tmp_path_factory.mktemp("rust") / "copy"
    ours = shutil.ignore_patterns("target", "stridepack", "weights.spk", "expected.in")
    shutil.copytree(REPOSITORY / "examples/rust", folder, ignore=ours)
    stridepack = (sys.executable, "-m", "stridepack")
    run(folder, *stridepack, "runtime", "stridepack", "--for", "rust")
    run(folder, *stridepack, "pack", str(MODEL), "-o", "weights.spk", "--sram", "8192")
    checksums = run(folder, sys.executable, "expected.py", str(MODEL))
    (folder / "expected.in").write_text(checksums)
    return folder


def run(folder: Path, *command: str, code: int = 0, **variables: str) -> str:
    """What a command prints to its standard output."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_on_the_board(project: Path, tmp_path: Path) -> None:
    """It unpacks every weight, with Helium, and finds out where one differs."""
    rustflags = f"-Dwarnings {rust_core.flags(TARGET, tmp_path)}"
    cargo = ("cargo", "run", "--release", "--offline", "--quiet")
    lines = run(project, *cargo, RUSTFLAGS=rustflags).splitlines()
    assert lines[0] == f"stridepack {sp.__version__}"
    assert "stacks.2.conv2.weight: Tensor[64, 3, 3, 64]" in lines
    total = sum(tensor.size for tensor in sp.read_tflite(MODEL))
    assert lines[-3] == f"{total} weights in memory"
    assert lines[-2] == f"{total} weights through a reader"
    assert lines[-1] == "All weights are exact."
    program = f"target/{TARGET}/release/firmware"
    assert "Tag_MVE_arch" in run(project, "arm-none-eabi-readelf", "-A", program)

    checksums = (project / "expected.in").read_text()
    (project / "expected.in").write_text(checksums.replace(", 0x", ", 0x1 ^ 0x", 1))
    lines = run(project, *cargo, RUSTFLAGS=rustflags, code=1).splitlines()
    assert lines[-1] == "ERROR: the weights differ from those of the model"
