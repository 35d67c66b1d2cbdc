# SPDX-License-Identifier: Apache-2.0
"""Compilers and what they make, for tests of C sources."""

import subprocess
from pathlib import Path


def run(folder: Path, *command: str | Path) -> str:
    """What a command prints in a folder; it must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def text_size(folder: Path, *files: str, tool: str = "size") -> int:
    """Bytes of code and constants of files in a folder."""
    lines = run(folder, tool, *files).splitlines()[1:]
    return sum(int(line.split()[0]) for line in lines)
