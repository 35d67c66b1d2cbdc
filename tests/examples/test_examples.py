# SPDX-License-Identifier: Apache-2.0
"""What users copy from examples/ runs in a folder of its own, and notices what goes wrong."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import stridepack as sp

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MODEL = EXAMPLES / "resnet8_cifar10_50.tflite"
SCRIPTS = ["python/pack_model.py", "firmware/expected.py"]
TOOLS = ["arm-none-eabi-gcc", "qemu-system-arm", "make"]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_use_public_names_only(script: str) -> None:
    tree = ast.parse((EXAMPLES / script).read_text())
    imported = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    modules = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert "stridepack" in imported
    assert not [name for name in (*imported, *modules) if name.startswith("stridepack.")]
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "sp"
    }
    assert used
    assert used <= set(sp.__all__)


def pack_model(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = shutil.copy(EXAMPLES / "python/pack_model.py", folder)
    return run(sys.executable, script, MODEL, *arguments, cwd=folder)


@pytest.mark.parametrize(
    ("target", "unit"), [("cortex-m55", "cycles"), ("riscv-v", "instructions")]
)
def test_pack_model(tmp_path: Path, target: str, unit: str) -> None:
    result = pack_model(tmp_path, "--target", target, "--flash", "60000", "-o", "out")
    assert result.returncode == 0, result.stderr
    assert re.search(rf"on {target}:\n  about [\d,]+ {unit}", result.stdout)
    files = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    names = [
        "packed.tflite",
        "weights.spk",
        "weights.c",
        "weights.h",
        "dense.tflite",
        "weights.npz",
    ]
    assert sorted(files) == sorted(names)
    assert files["packed.tflite"] < MODEL.stat().st_size
    assert files["weights.spk"] <= 60_000
    assert f"packed.tflite: {files['packed.tflite']:,} bytes" in result.stdout
    with np.load(tmp_path / "out/weights.npz") as unpacked:
        for tensor in sp.read_tflite(MODEL):
            np.testing.assert_array_equal(unpacked[tensor.name], tensor.values)


def test_pack_model_says_why_it_cannot(tmp_path: Path) -> None:
    result = pack_model(tmp_path, "--flash", "30000")
    assert result.returncode != 0
    assert result.stderr.startswith("pack_model: ")
    assert "Traceback" not in result.stderr
    assert "30000" in result.stderr


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, built."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed")
    folder = tmp_path_factory.mktemp("firmware") / "copy"
    shutil.copytree(EXAMPLES / "firmware", folder, ignore=shutil.ignore_patterns("build"))
    result = make(folder, "all")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^Flash: code \d+, weights \d+ bytes$", result.stdout, re.MULTILINE)
    return folder


def make(folder: Path, target: str, *choices: str) -> subprocess.CompletedProcess[str]:
    """Of two choices of the same variable, make takes the last one."""
    tools = (f"STRIDEPACK={sys.executable} -m stridepack", f"PYTHON={sys.executable}")
    return run(
        "make",
        "--no-print-directory",
        target,
        *tools,
        f"MODEL={MODEL}",
        "FLAGS=-Werror",
        *choices,
        cwd=folder,
    )


def test_firmware_prints_what_its_readme_says(firmware: Path) -> None:
    result = make(firmware, "run")
    assert result.returncode == 0, result.stdout + result.stderr
    last = result.stdout.splitlines()[-1]
    assert last.startswith("All 77360 weights are exact.")
    assert last in (firmware / "README.md").read_text().splitlines()


def test_firmware_in_cpp(firmware: Path, tmp_path: Path) -> None:
    """The same program in C++. It needs no header of the C++ library."""
    shutil.copytree(firmware, tmp_path / "copy")
    result = make(tmp_path / "copy", "run", "MAIN=main.cpp")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1] == "All weights are exact."
    assert f"stridepack {sp.__version__}" in lines
    assert "conv.weight: read in place" in lines  # dense
    assert "stacks.2.conv2.weight: unpacked" in lines


def test_blobs_lie_in_their_section(firmware: Path) -> None:
    symbols = run("arm-none-eabi-nm", "build/firmware.elf", cwd=firmware).stdout
    sections = run("arm-none-eabi-objdump", "-h", "build/firmware.elf", cwd=firmware).stdout
    size, begin = (int(n, 16) for n in re.findall(r"\.weights +(\w+) +(\w+)", sections)[0])
    blobs = [int(line.split()[0], 16) for line in symbols.splitlines() if " blob_" in line]
    assert len(blobs) == len(sp.read_tflite(MODEL))
    assert all(begin <= place < begin + size for place in blobs)
    of_weights = run("arm-none-eabi-objdump", "-h", "build/weights.o", cwd=firmware).stdout
    assert " .weights " in of_weights


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "build").iterdir()}


def test_firmware_is_built_again_only_for_another_choice(firmware: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(firmware, folder)
    before = times(folder)
    assert make(folder, "all").returncode == 0
    assert times(folder) == before

    # Another model, whose file is older than all that was built.
    model = tmp_path / "other.npz"
    np.savez(model, only=np.arange(5000, dtype=np.int8) % 3)
    os.utime(model, (0, 0))
    other = [f"MODEL={model}"]
    result = make(folder, "run", *other)
    assert "All 5000 weights are exact." in result.stdout, result.stdout + result.stderr

    other.append("PACK=--sram 1024")
    result = make(folder, "run", *other)
    assert result.stdout.splitlines()[-1].endswith("and the buffer 1024 bytes.")

    other.append("FLAGS=-DSPK_WITHOUT_DENSE")
    before = times(folder)
    result = make(folder, "all", *other)
    assert result.returncode == 0, result.stdout + result.stderr
    after = times(folder)
    assert [n for n in ("main.o", "weights.o", "libstridepack.a") if after[n] == before[n]] == []


@pytest.mark.parametrize(
    ("file", "message"),
    [
        # the last byte of a blob, and a checksum of the model
        ("weights.c", r"ERROR: conv\.weight: checksum"),
        ("expected.h", r"ERROR: conv\.weight: the weights differ from those of the model"),
    ],
)
def test_firmware_notices_damage(firmware: Path, tmp_path: Path, file: str, message: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(firmware, folder)
    path = folder / "build" / file
    text = path.read_text()
    place = {"weights.c": r"0x(..),\n\};", "expected.h": r"0x.*(..)u, /\*"}[file]
    found = re.search(place, text)
    assert found is not None
    digits = f"{int(found[1], 16) ^ 1:02x}"
    path.write_text(text[: found.start(1)] + digits + text[found.end(1) :])
    result = make(folder, "run")
    assert result.returncode != 0
    assert re.search(f"^{message}$", result.stdout, re.MULTILINE), result.stdout


EXACT = r"^All 77360 weights are exact\. (\d+) bytes were copied, and the program waited for (\d+)"


def test_external_firmware(firmware: Path, tmp_path: Path) -> None:
    """Tiles are copied while others are decoded, and a file that was damaged is refused."""
    folder = tmp_path / "copy"
    shutil.copytree(firmware, folder)
    result = make(folder, "run-external")
    assert result.returncode == 0, result.stdout + result.stderr
    found = re.search(EXACT, result.stdout, re.MULTILINE)
    assert found is not None, result.stdout
    copied, waited = map(int, found.groups())
    blobs = sum(len(p.to_bytes()) for p in sp.read_bundle(folder / "build/weights.spk").values())
    assert 0.95 * blobs < copied < blobs
    assert 0 < waited < 0.75 * copied  # the others came while the program decoded

    path = folder / "build/weights.spk"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = make(folder, "run-external")
    assert result.returncode != 0
    assert "ERROR: the file in the external Flash: checksum\n" in result.stdout


def test_external_firmware_says_how_large_its_buffers_must_be(
    firmware: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(firmware, folder)
    program = folder / "external/external.c"
    text = program.read_text()
    program.write_text(text.replace("PACKED_TILE = 6144", "PACKED_TILE = 1024"))
    result = make(folder, "run-external")
    assert result.returncode != 0
    found = re.search(r"^ERROR: .*: window, bytes needed: (\d+)$", result.stdout, re.MULTILINE)
    assert found is not None, result.stdout
    assert 2048 < int(found[1]) < 8192
