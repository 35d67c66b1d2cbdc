# SPDX-License-Identifier: Apache-2.0
"""What to_tflite prints: where it is, on a terminal; and nothing of what the libraries print."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator

OnProgress = Callable[[str, int, int], None]


def show(what: str, done: int, total: int) -> None:
    """One line on standard error, written over again and again, where that is a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        text = f"{what}: {done} of {total}" if total > 1 else what
        sys.stderr.write(f"\r{text:<40}" if what else "\r" + " " * 40 + "\r")
        sys.stderr.flush()


@contextlib.contextmanager
def quiet(progress: OnProgress) -> Iterator[OnProgress]:
    """Keep libraries from printing, also those in C++, which write past Python's `sys.stderr`.

    Gives `progress` in a form that can still print.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        visible, stderr = _duplicate(2), sys.stderr
        sink = stack.enter_context(tempfile.TemporaryFile())

        def mute(yes: bool) -> None:
            if visible is not None:
                os.dup2(sink.fileno() if yes else visible, 2)
            sys.stderr = io.StringIO() if yes else stderr

        def aloud(what: str, done: int, total: int) -> None:
            mute(False)
            try:
                progress(what, done, total)
            finally:
                mute(True)

        mute(True)
        try:
            yield aloud
        finally:
            mute(False)
            if visible is not None:
                os.close(visible)


def _duplicate(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:  # it is closed
        return None
