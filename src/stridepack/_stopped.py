# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while the command is still being imported: it ends at once, and says so.

The first module that the package imports, for what that does. It needs nothing but the standard
library, since NumPy and others take long enough for somebody to change their mind.
"""

import os
import signal
import sys
from itertools import pairwise
from typing import NoReturn

STOPPED = 130  # 128 + SIGINT, as shells count
SAID = "stridepack: stopped. No file was left half-written."


def end_at_once(*_: object) -> NoReturn:
    """The handler: nothing was written so far."""
    os.write(2, f"{SAID}\n".encode())
    os._exit(STOPPED)


def _is_command() -> bool:
    """Whether this is `stridepack` or `python -m stridepack`, which is "-m" while it is found."""
    name = sys.argv[0] if sys.argv else ""
    if name == "-m":
        return ("-m", "stridepack") in pairwise(sys.orig_argv)
    return os.path.basename(name) == "stridepack"  # noqa: PTH119 (pathlib takes time)


# A program that imports the package keeps its own ways, and so does a job in the background, which
# ignores Ctrl-C. `stridepack.cli.interrupt` takes over once everything is there.
if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_at_once)
