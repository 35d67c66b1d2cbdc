# SPDX-License-Identifier: Apache-2.0
"""Rust's core library for a target: the one that is installed, or one compiled from rust-src."""

import os
import re
import subprocess
from pathlib import Path

import pytest

RUSTC = os.environ.get("RUSTC", "rustc")


def flags(target: str, folder: Path) -> str:
    """What RUSTFLAGS has to say, so that there is a core library. Skip the test if there is none.

    Compiling it takes about 20 seconds, and needs no network.
    """
    if any(_printed("target-libdir", target).glob("libcore-*.rlib")):
        return ""
    library = _printed("sysroot", target) / "lib/rustlib/src/rust/library"
    core = library / "core"
    builtins = library / "compiler-builtins/compiler-builtins"
    for needed in (core, builtins):
        if not (needed / "src/lib.rs").is_file():
            pytest.skip(f"no core library for {target}, and no sources of it in {needed}")
    # The features are those that its build script chooses for targets without an operating system.
    features = ("compiler-builtins", "mem")
    _compile(core, "core", target, folder)
    _compile(builtins, "compiler_builtins", target, folder, *(f'feature="{it}"' for it in features))
    return f"--sysroot {folder}"


def _printed(what: str, target: str) -> Path:
    command = [RUSTC, "--print", what, "--target", target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{RUSTC} does not know {target}: {done.stderr}")
    return Path(done.stdout.strip())


def _compile(crate: Path, name: str, target: str, folder: Path, *conditions: str) -> None:
    edition = re.search(r'^edition = "(\d+)"', (crate / "Cargo.toml").read_text(), re.MULTILINE)
    assert edition
    out = folder / "lib/rustlib" / target / "lib"
    command = [RUSTC, "--crate-name", name, "--crate-type", "rlib", "--edition", edition[1]]
    command += ["--target", target, "-Copt-level=1", "-Cpanic=abort", "--cap-lints", "allow"]
    command += [part for condition in conditions for part in ("--cfg", condition)]
    command += ["--sysroot", str(folder), "-Cextra-filename=-1", "--out-dir", str(out)]
    # The sources use what is not stable yet, as those of every core library do.
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1"}
    source = str(crate / "src/lib.rs")
    done = subprocess.run(
        [*command, source], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
