# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C: a command ends within a second after one press, whatever it is doing."""

import os
import signal
import threading
import time

from stridepack._stopped import SAID, STOPPED, end_at_once
from stridepack.cli.output import complain

# What the main thread has to end by itself, in seconds
_PATIENCE = 0.6


def end_soon_after_interrupt() -> None:
    """End the process soon after SIGINT, also where the main thread is in the middle of C code.

    Python tells the main thread of a signal only between two of its own instructions. The number of
    the signal is written to a pipe at once, and another thread waits for it there.
    """
    if signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, end_at_once):
        return  # ignored, as for a job in the background
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _interrupt)
    threading.Thread(target=_watch, args=(read,), daemon=True).start()


def end_now() -> None:
    """End the process, and with it all threads, at once."""
    os._exit(STOPPED)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the second press must not break what ends
    raise KeyboardInterrupt


def _watch(pipe: int) -> None:
    while signal.SIGINT not in os.read(pipe, 64):
        pass
    time.sleep(_PATIENCE)
    complain(SAID)
    end_now()
