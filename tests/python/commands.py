"""Commands run in this process, for tests of what they say and how they end."""

from collections.abc import Callable

import pytest

from stridepack.cli.failure import exit_code_of
from stridepack.cli.main import run

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """A command with its arguments: exit code, standard output, standard error."""

    def of(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = exit_code_of(lambda: run(list(map(str, arguments))))
        said = capsys.readouterr()
        return code, said.out, said.err

    return of
