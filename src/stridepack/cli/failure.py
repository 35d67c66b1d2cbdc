# SPDX-License-Identifier: Apache-2.0
"""How a command ends: what is expected becomes a message, and everything else a report of a defect.

Exit codes: 0 done, 1 a difference was found or a budget is exceeded, 2 an error that is explained,
3 a defect of stridepack, 130 stopped by Ctrl-C.
"""

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

import click

from stridepack._stopped import SAID, STOPPED
from stridepack.cli.output import complain, prepare_streams
from stridepack.errors import OutputError, StridepackError, explained

EXPLAINED = 2
DEFECT = 3


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command. What goes wrong is told on standard error."""
    code = _run(command)
    with contextlib.suppress(OSError):  # what cannot be told must not hide the exit code
        _flush(sys.stderr)
    return code


def _run(command: Callable[[], object]) -> int:
    try:
        try:
            prepare_streams()
            command()
        finally:
            _flush(sys.stdout)
    except click.exceptions.Exit as end:  # such as after --help
        return end.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return EXPLAINED
    except (KeyboardInterrupt, click.Abort):
        complain(SAID)
        return STOPPED
    except Exception as error:
        known = _of_stream(error) or explained(error)
        if known is None:
            complain(_defect(error))
            return DEFECT
        complain(f"stridepack: error: {as_typed(known)}")
        return EXPLAINED
    return 0


def as_typed(error: StridepackError) -> str:
    """The text of an error, with options as they are typed on the command line.

    >>> as_typed(StridepackError("`max_cycles=10` is too small.", max_cycles=10))
    '`--max-cycles 10` is too small.'
    """
    text = str(error)
    for name, value in error.options.items():
        flag = f"--{name.replace('_', '-')}"
        typed = f"{flag} {_value(value)}"
        if isinstance(value, bool):
            typed = flag if value else flag.replace("--", "--no-", 1)
        text = text.replace(f"`{name}={value}`", f"`{typed}`")
    return text


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _flush(stream: TextIO | None) -> None:
    """Write what is left for a stream while a failure can still be told."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        # The interpreter would try again when it ends.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def _of_stream(error: BaseException) -> StridepackError | None:
    """What is wrong with standard output, if that is what went wrong."""
    if isinstance(error, OSError) and error.filename is None and error.errno == errno.EPIPE:
        return OutputError(
            "Standard output was closed before everything was written. Files that were named "
            "before are complete."
        )
    return None


def _defect(error: BaseException) -> str:
    """One line that says where it happened: the files of stridepack, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f for f in frames if f"{os.sep}stridepack{os.sep}" in f.filename]
    places = [
        f"{frame.filename.rsplit(f'{os.sep}stridepack{os.sep}', 1)[-1]}:{frame.lineno}"
        for frame in [*inside[-4:], *([frames[-1]] if frames and frames[-1] not in inside else [])]
    ]
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"stridepack: this is a defect of stridepack. Please report it, together with this line "
        f"and the file that it happened with: {said[:500]} ({', '.join(places)})"
    )
