# SPDX-License-Identifier: Apache-2.0
"""Every source file says which licence it has."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["*.py", "*.c", "*.h", "*.cc", "*.cpp", "*.hpp", "*.rs", "*.ld", "*.toml", "*.sh", "*.mk"]
SOURCES += ["*.S", "*Makefile", "*CMakeLists.txt"]


def test_every_source_file_names_the_licence() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *SOURCES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone: git lists no files")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(files) > 500
    without = [
        str(file.relative_to(ROOT))
        for file in files
        if file.is_file() and "SPDX-License-Identifier: Apache-2.0" not in file.read_text()[:400]
    ]
    assert without == []
