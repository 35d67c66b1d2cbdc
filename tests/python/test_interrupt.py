# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while the command is still being imported. test_outputs.py has it while it works."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = "from stridepack.cli import main\nmain()\n"


def start(tmp_path: Path, module: str, command: list[str | Path]) -> subprocess.Popen[str]:
    """Run a command that imports a module which takes for ever; return once it is there."""
    (tmp_path / f"{module}.py").write_text(
        "import time\nprint('importing', flush=True)\nwhile True: time.sleep(0.01)\n"
    )
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    child = subprocess.Popen(
        # Jobs in the background of a script ignore Ctrl-C, and so would what they start.
        ["env", "--default-signal=INT", sys.executable, "-B", *command],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "importing\n"
    return child


@pytest.mark.parametrize("module", ["numpy", "click", "rich"])
@pytest.mark.parametrize("how", ["-m", "script"])
def test_ctrl_c_while_importing(tmp_path: Path, module: str, how: str) -> None:
    script = tmp_path / "bin/stridepack"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    command: list[str | Path] = ["-m", "stridepack"] if how == "-m" else [script]
    child = start(tmp_path, module, [*command, "--help"])
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60) == (
        "stridepack: stopped. No file was left half-written.\n",
        None,
    )
    assert child.returncode == 130


def test_other_programs_keep_their_own_way(tmp_path: Path) -> None:
    """Importing the package in a program of one's own changes nothing."""
    program = tmp_path / "program.py"
    program.write_text(
        "try:\n    import stridepack\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    child = start(tmp_path, "numpy", [program])
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60)[0] == "interrupted\n"
    assert child.returncode == 0
