# SPDX-License-Identifier: Apache-2.0
"""Rust's cargo, where it is installed and new enough for the crate."""

import re
import shutil
import subprocess

import pytest

OLDEST = (1, 85)  # what Cargo.toml asks for


def require_cargo() -> None:
    """Skip the test where there is no cargo, or an older one."""
    if not shutil.which("cargo"):
        pytest.skip("cargo is not installed")
    done = subprocess.run(["cargo", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"cargo (\d+)\.(\d+)", done.stdout)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        pytest.skip(f"cargo is older than 1.85: {done.stdout}{done.stderr}")
