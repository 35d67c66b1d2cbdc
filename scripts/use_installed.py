#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Use an installed stridepack as somebody does who has nothing but its wheel.

    python scripts/use_installed.py [MODEL.tflite]

It needs no sources and no compiler. What needs packages of an extra is left out where they are not
installed, and that is said.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import stridepack as sp

REPORT = ("altair", "jinja2", "PIL", "vl_convert")  # what the extra `report` installs
COMMAND = [sys.executable, "-P", "-m", "stridepack"]


def run(*arguments: str | Path) -> str:
    """A command, which must succeed; what it prints."""
    print("$ stridepack", *arguments)
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def use_arrays(folder: Path) -> None:
    """Every command that needs no extra, and the same from Python."""
    random = np.random.default_rng(0)
    values = random.integers(-127, 128, (64, 300), np.int8)
    values[random.random(values.shape) < 0.8] = 0
    model, packed = folder / "weights.npz", folder / "weights.spk"
    np.savez(model, layer=values)
    for name in sp.formats():
        assert np.array_equal(sp.pack(values, format=name).unpack(), values), name
    assert "layer" in run("inspect", model)
    run("pack", model, "-o", packed)
    run("verify", model, packed)
    run("pack", model, "-o", folder / "weights.c", "--flash", "12kB", "--objective", "speed")
    run("unpack", packed, "-o", folder / "again.npz")
    with np.load(folder / "again.npz") as again:
        assert np.array_equal(again["layer"], values)
    run("runtime", folder / "runtime", "--tflm")
    assert (folder / "runtime/include/spk.h").is_file()
    assert len(list((folder / "runtime/src").glob("*.c"))) > 10
    for package in ("meson", "zephyr", "esp-idf", "arduino", "platformio", "cmsis-pack"):
        run("runtime", folder / package, "--for", package)
    if has(*REPORT, extra="report"):
        run("report", model, packed, "-o", folder / "report.html")
        assert (folder / "report.html").stat().st_size > 500_000


def use_model(model: Path, folder: Path) -> None:
    """A .tflite model, as the README shows it."""
    if not has("tflite_micro", "flatbuffers", extra="tflite"):
        return
    run("inspect", model)
    for name in ("packed.tflite", "packed.spk", "packed.cc"):
        run("pack", model, "-o", folder / name)
        run("verify", model, folder / name)
    if has(*REPORT, extra="report"):
        run("report", model, folder / "packed.spk", "-o", folder / "model.html")
        assert 500_000 < (folder / "model.html").stat().st_size < 3_000_000


def has(*packages: str, extra: str) -> bool:
    """Whether the packages of an extra are installed; if not, it is said."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        print(f"left out what needs the extra {extra}: {', '.join(missing)} is not installed")
    return not missing


def main() -> None:
    """Stop at the first thing that does not work."""
    version = importlib.metadata.version("stridepack")
    assert sp.__version__ == version
    assert run("--version").strip().endswith(version)
    package = Path(sp.__file__).parent
    assert (package / "py.typed").is_file()
    with tempfile.TemporaryDirectory() as name:
        use_arrays(Path(name))
        for model in sys.argv[1:]:
            use_model(Path(model).resolve(), Path(name))
    print(f"stridepack {version} in {package} works, with Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
