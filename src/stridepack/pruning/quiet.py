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
    if sys.stderr.isatty():
        text = f"{what}: {done} of {total}" if total > 1 else what
        sys.stderr.write(f"\r{text:<40}" if what else "\r" + " " * 40 + "\r")
        sys.stderr.flush()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep libraries from printing, also those in C++, which write past Python's `sys.stderr`.

    Python's own `sys.stderr` still reaches the terminal.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        try:
            visible = os.dup(2)
        except OSError:  # there is no standard error
            yield
            return
        sink = stack.enter_context(tempfile.TemporaryFile())
        try:
            ours = sys.stderr
            if ours is sys.__stderr__ and ours is not None:
                ours.flush()
                text = os.fdopen(os.dup(visible), "w", encoding=ours.encoding, errors="replace")
                stack.enter_context(contextlib.redirect_stderr(stack.enter_context(text)))
            os.dup2(sink.fileno(), 2)
            yield
        finally:
            os.dup2(visible, 2)
            os.close(visible)
