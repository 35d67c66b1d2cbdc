# SPDX-License-Identifier: Apache-2.0
"""Commands, in this process or in one of their own, for tests of what they say and how they end."""

import io
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

from stridepack.cli.failure import exit_code_of
from stridepack.cli.main import run as run_here
from stridepack.cli.output import warn

ARRAYS = {
    "layer1": random_array(6000, 0.6).reshape(20, 300),
    "[layer] 2": random_array(4000, 0.2),
    "small": random_array(100, 0.9),
}

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """A command with its arguments: exit code, standard output, standard error."""

    def of(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = exit_code_of(lambda: run_here(list(map(str, arguments))))
        said = capsys.readouterr()
        return code, said.out, said.err

    return of


def run(*arguments: object, code: int = 0, limit: int | None = None) -> str:
    """Run the command; standard output and errors together. limit: bytes that a file may have.

    A command with a limit has a process of its own. All others run in this one, which saves the
    time that each process takes to import what the command needs.
    """
    ended, said = _in_own_process(arguments, limit) if limit is not None else _here(arguments)
    assert ended == code, said
    assert "Traceback" not in said, said
    return said


def _here(arguments: tuple[object, ...]) -> tuple[int, str]:
    """What `main` does, but for signals, with the warnings that a new process would show."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(said), redirect_stderr(said), warnings.catch_warnings():
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
            warnings.simplefilter("ignore", category)
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.showwarning = warn
        ended = exit_code_of(lambda: run_here(list(map(str, arguments))))
    said.seek(0)
    return ended, said.read()


def _in_own_process(arguments: tuple[object, ...], limit: int) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-B", "-m", "stridepack", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    path = tmp_path / "weights.npz"
    np.savez(path, **ARRAYS)
    return path


def files_below(path: Path) -> set[Path]:
    return set(path.rglob("*"))
