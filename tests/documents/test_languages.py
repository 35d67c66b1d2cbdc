# SPDX-License-Identifier: Apache-2.0
"""docs/languages.md: its programs in C++ and Rust print the same."""

import re
import subprocess
from pathlib import Path

import pytest
from cargo import require_cargo

import stridepack as sp
from stridepack.files.runtime import write_runtime

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples/resnet8_cifar10_50.tflite"
NAME = "stacks.2.conv2.weight"


def snippet(language: str) -> str:
    text = (ROOT / "docs/languages.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("languages")
    sp.pack_file(MODEL, path / "weights.spk")
    return path


@pytest.fixture(scope="module")
def expected(folder: Path) -> tuple[int, int]:
    """Number of weights, and their sum."""
    values = sp.read_bundle(folder / "weights.spk")[NAME].unpack()
    return values.size, int(values.sum())


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cpp(folder: Path, expected: tuple[int, int]) -> None:
    write_runtime(folder / "one", amalgamate=True)
    (folder / "main.cpp").write_text(snippet("cpp"))
    run(folder, "gcc", "-c", "one/spk.c")
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Ione"]
    run(folder, "g++", *flags, "main.cpp", "spk.o", "-o", "program")
    assert run(folder, "./program") == f"{expected[0]} weights, their sum is {expected[1]}\n"


def test_rust(folder: Path, expected: tuple[int, int]) -> None:
    require_cargo()
    write_runtime(folder / "stridepack", package="rust")
    (folder / "src").mkdir()
    program = snippet("rust").replace("weights.spk", "../weights.spk")
    (folder / "src/main.rs").write_text(program)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "program"\nedition = "2024"\n\n'
        '[dependencies]\nstridepack = { path = "stridepack" }\n'
    )
    assert run(folder, "cargo", "run", "--offline", "--quiet") == f"Ok({expected[1]})\n"
