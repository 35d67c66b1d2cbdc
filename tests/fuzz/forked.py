# SPDX-License-Identifier: Apache-2.0
"""Processes that are forked from one which has imported everything, so that each starts at once."""

import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stridepack.tflite.arena import measure_child

SILENCE = 120  # seconds without a line after which a process is looked at
MOST_WORK = 60  # seconds of processor time without a line after which it hangs

Say = Callable[[str], None]


class ChildError(Exception):
    """A process did not come to its end. The text says how, and what it said last."""


def lines_of(work: Callable[[Say], None]) -> Iterator[str]:
    """The lines that a function says in a process of its own.

    Raises
    ------
    ChildError
        After the last line, where the process crashed or hung.
    """
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as log:
        sys.stdout.flush()
        if (child := os.fork()) == 0:
            os.setpgid(0, 0)
            os.close(reader)
            _become(lambda: work(lambda line: _write(writer, line)), log.fileno())
        os.close(writer)
        hung = yield from _read(reader, child)
        os.close(reader)
        if hung:
            os.killpg(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if hung or code:
            log.seek(0)
            said = log.read()[-1000:].decode(errors="replace")
            raise ChildError(f"exit code {code}{', hung' if hung else ''}: {said}")


def measure_in_forks() -> None:
    """Let arenas be measured in forks of this process. New ones take 20 times as long."""
    run = subprocess.run

    def forked(command: list[str], **options: Any) -> Any:
        if Path(command[2]).name != Path(measure_child.__file__).name:
            return run(command, **options)
        with tempfile.TemporaryFile() as model, tempfile.TemporaryFile() as log:
            model.write(options["input"])
            model.seek(0)
            if (child := os.fork()) == 0:
                os.dup2(model.fileno(), 0)
                sys.stdin = os.fdopen(0, closefd=False)
                sys.argv = command[2:]
                _become(measure_child.main, log.fileno())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            log.seek(0)
            return subprocess.CompletedProcess(command, code, b"", log.read())

    subprocess.run = forked  # type: ignore[assignment]


def _write(writer: int, line: str) -> None:
    os.write(writer, f"{line}\n".encode(errors="replace"))


def _become(work: Callable[[], None], log: int) -> None:
    """Do nothing but this work from now on. What is printed, by C as well, goes into a file."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = os.fdopen(2, "w", closefd=False)
    code = 1
    try:
        work()
        code = 0
    except SystemExit as end:
        code = int(bool(end.code))
        print(end.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _read(reader: int, child: int) -> Any:
    """Give the lines of a child. Returns whether it hangs."""
    last, before, rest = time.monotonic(), _work_of(child), b""
    while True:
        if select.select([reader], [], [], 5)[0]:
            if not (more := os.read(reader, 65536)):
                return False
            *lines, rest = (rest + more).split(b"\n")
            yield from (line.decode() for line in lines)
            last, before = time.monotonic(), _work_of(child)
        else:
            silent = time.monotonic() - last > SILENCE and _all_asleep(child)
            if silent or _work_of(child) - before > MOST_WORK:
                return True


def _work_of(child: int) -> float:
    """Seconds of processor time of a child and of its own children that have ended."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _all_asleep(group: int) -> bool:
    """Whether no thread of a group of processes wants a processor, as in a deadlock.

    On a busy machine a process may have to wait for minutes, which is not its fault.
    """
    for _ in range(10):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(process.name)) != group:
                    continue
                states = [
                    task.read_text().rpartition(")")[2].split()[0]
                    for task in process.glob("task/*/stat")
                ]
            except (ProcessLookupError, FileNotFoundError):
                continue
            if {"R", "D"} & set(states):
                return False
        time.sleep(0.5)
    return True


def peak_memory() -> int:
    """Bytes that this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
