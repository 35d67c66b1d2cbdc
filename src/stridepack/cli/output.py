# SPDX-License-Identifier: Apache-2.0
"""The terminal: standard output, messages on standard error, and a progress bar."""

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from stridepack.cli.table import fitting, width_of
from stridepack.errors import OutputError
from stridepack.files.kinds import C_TEXT, kind_of
from stridepack.files.safetensors import Entry
from stridepack.report.text import printable
from stridepack.tensor import WeightTensor


class _Console(Console):
    """A console that leaves it to `failure` what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class _TimeLeft(TimeRemainingColumn):
    """Such as "0:01:20 left", and nothing while the time is not known."""

    def render(self, task: Task) -> Text:
        time = super().render(task).plain
        return Text(f"{time} left" if time.strip(" -:") else "", style="progress.remaining")


class _Progress(Progress):
    """A progress bar that is silent where it is not shown: rich before 14 ends it with a line."""

    def stop(self) -> None:
        if not self.disable:
            super().stop()


OUT = _Console(highlight=False, emoji=False)
ERR = _Console(stderr=True, highlight=False, emoji=False)


def prepare_streams() -> None:
    """Let every text through, whatever the encoding, and refuse a standard output that is closed.

    Raises
    ------
    OutputError
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (until the process ends)
    if sys.stdout is None:
        raise OutputError("Standard output is closed. Send it to /dev/null to see nothing of it.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show(table: Table) -> None:
    """Print a table. Its numbers are never cut: `table.py` says how it fits."""
    for part in fitting(table, OUT):
        if OUT.is_terminal:
            OUT.print(part)
        else:  # a console never prints wider than it is
            width = max(width_of(part, OUT), OUT.width)
            _Console(highlight=False, emoji=False, file=OUT.file, width=width).print(part)


def say(sentences: Iterable[str], *, markup: bool = False) -> None:
    """Print sentences, a line each. On a terminal, long ones are folded between words."""
    for sentence in sentences:
        text = sentence if markup else printable(sentence)
        OUT.print(text, markup=markup, soft_wrap=not OUT.is_terminal)


def say_written(path: Path, nbytes: int) -> None:
    """Name a file that was written."""
    what = "bytes of C text" if kind_of(path) in C_TEXT else "bytes"
    say([f"wrote {path}: {nbytes:,} {what}"])


def say_json(report: object) -> None:
    """Print data for other programs."""
    OUT.print(json.dumps(report, indent=2), markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a message on standard error. A full or closed one must not hide the exit code."""
    with suppress(OSError):
        ERR.print(printable(text), markup=False, soft_wrap=True)


def warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning, in place of `warnings.showwarning`."""
    complain(f"warning: {message}")


@contextmanager
def progress(
    title: str,
) -> Iterator[
    tuple[Callable[[Sequence[WeightTensor] | Sequence[Entry]], None], Callable[[int], None]]
]:
    """A progress bar over elements, on a terminal only.

    Gives a function that takes the tensors to be worked on, and one that takes a number of
    elements done.
    """
    with _bar() as bar:
        task = bar.add_task(title, total=None)
        yield (
            lambda tensors: bar.update(task, total=sum(t.size for t in tensors)),
            lambda n: bar.advance(task, n),
        )


@contextmanager
def progress_in_rounds(title: str) -> Iterator[Callable[[str, int], None]]:
    """A progress bar for work that is done in rounds, on a terminal only.

    Gives a function that is called after each piece of work, with what is done in this round and
    how many pieces it has.
    """
    with _bar() as bar:
        task = bar.add_task(title, total=None)
        before = (title, 0, 0)

        def advance(what: str, total: int) -> None:
            nonlocal before
            last, done, number = before
            if what != last:
                bar.reset(task)  # such rounds have a speed of their own: the time left starts anew
                before = (what, 1, 1)
            elif done < total:
                before = (what, done + 1, number)
            else:
                before = (what, 1, number + 1)
            _, done, number = before
            description = what if number == 1 else f"{what}, round {number}"
            bar.update(task, description=description, total=total, completed=done)

        yield advance


@contextmanager
def progress_over(title: str) -> Iterator[tuple[Callable[[int, int], None], Callable[[], None]]]:
    """A progress bar over things that are done one by one, on a terminal only.

    Gives a function that takes how many there are to do and how many are done already, and one
    that is called after each.
    """
    with _bar() as bar:
        task = bar.add_task(title, total=None)
        yield (
            lambda left, done: bar.update(task, total=left + done, completed=done),
            lambda: bar.advance(task),
        )


def _bar() -> Progress:
    """What is being done, how much of it, and how long it will still take."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        _TimeLeft(),
    )
    return _Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal)
