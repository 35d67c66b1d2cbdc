"""Commands, in this process or in one of their own, for tests of what they say and how they end."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

from stridepack.cli.failure import exit_code_of
from stridepack.cli.main import run as run_here

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
    """Run the command; standard output and errors together. limit: bytes that a file may have."""

    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = subprocess.run(
        [sys.executable, "-B", "-m", "stridepack", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=set_limit,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout
    assert "Traceback" not in result.stdout, result.stdout
    return result.stdout


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    path = tmp_path / "weights.npz"
    np.savez(path, **ARRAYS)
    return path


def files_below(path: Path) -> set[Path]:
    return set(path.rglob("*"))
