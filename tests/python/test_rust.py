# SPDX-License-Identifier: Apache-2.0
"""`stridepack runtime DIR --for rust`: the crate passes its tests, in all ways to build it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cargo import require_cargo
from commands import run as stridepack

import stridepack as sp
from stridepack import _spec
from stridepack.files.runtime.library import runtime_dir

TESTS = Path(__file__).resolve().parents[1]
VALUES = np.tile(np.array([0, 3, 0, 0, -2, 0, 5, 0], np.int8), 64)


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crate, and w.spk with a tensor in each format."""
    require_cargo()
    folder = tmp_path_factory.mktemp("crate")
    said = stridepack("runtime", folder, "--for", "rust")
    assert 'Name the directory in Cargo.toml: `stridepack = { path = "..." }`.' in said
    sp.write_bundle(folder / "w.spk", {name: sp.pack(VALUES, name) for name in sp.formats()})
    (folder / "tests").mkdir()
    shutil.copy(TESTS / "rust/vectors.rs", folder / "tests")
    return folder


def cargo(crate: Path, *arguments: str, code: int = 0, **variables: str) -> str:
    """What cargo and the program print; no registry is asked for anything."""
    done = subprocess.run(
        ["cargo", *arguments[:1], "--offline", "--quiet", *arguments[1:]],
        cwd=crate,
        env=os.environ | {"RUSTFLAGS": "-Dwarnings"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_vector(crate: Path) -> None:
    said = cargo(crate, "test", VECTORS=str(TESTS / "vectors"))
    assert re.findall(r"(\d+) passed; 0 failed", said) == ["0", "4", "2"]  # unit, vectors, docs


def test_the_example_unpacks_every_format(crate: Path) -> None:
    said = cargo(crate, "run", "--example", "unpack", "--", "w.spk")
    total = int(VALUES.sum())
    assert said.splitlines() == [
        f"{name}: Tensor[{VALUES.size}], the sum of all weights is {total}" for name in sp.formats()
    ]


def test_formats_are_features(crate: Path) -> None:
    only = ("--no-default-features", "--features", "bitmap")
    said = cargo(crate, "run", *only, "--example", "unpack", "--", "w.spk", code=1)
    assert "Unsupported" in said


def test_a_library_that_was_compiled_before(crate: Path, tmp_path: Path) -> None:
    sources = list((crate / "c/src").rglob("*.c"))
    compile_all = ["cc", "-std=c99", "-O1", f"-I{crate}/c/include", "-c", *sources]
    subprocess.run(compile_all, cwd=tmp_path, check=True)
    objects = list(tmp_path.glob("*.o"))
    subprocess.run(["ar", "crs", "libstridepack.a", *objects], cwd=tmp_path, check=True)
    variables = {"STRIDEPACK_LIB_DIR": str(tmp_path), "CC": "false", "AR": "false"}
    said = cargo(crate, "run", "--example", "unpack", "--", "w.spk", **variables)
    assert len(said.splitlines()) == len(sp.formats())


def test_errors_are_the_statuses() -> None:
    """In their order, and each with what the specification says of it, in other words."""
    source = (runtime_dir() / "rust/src/error.rs").read_text()
    names = re.findall(r"Error::(\w+),", source[source.index("const ERRORS") :].partition("];")[0])
    assert [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in names] == [
        name for value, (name, _) in sorted(_spec.STATUS.items()) if value
    ]


def test_sources_say_their_licence_and_keep_unsafe_in_few_files() -> None:
    sources = {path.name: path.read_text() for path in (runtime_dir() / "rust").rglob("*.rs")}
    assert len(sources) > 5
    for text in sources.values():
        assert text.startswith("// SPDX-License-Identifier: Apache-2.0\n")
        assert len(re.findall(r"\bunsafe \{", text)) <= text.count("// SAFETY:")
