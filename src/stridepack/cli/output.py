"""The terminal: standard output, messages on standard error, and a progress bar."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from stridepack.files.kinds import C_TEXT, kind_of
from stridepack.tensor import WeightTensor

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


def show(table: Table) -> None:
    """Print a table as wide as it is: nobody wants numbers cut off, in a terminal or in a log."""
    width = Measurement.get(OUT, OUT.options.update(max_width=1000), table).maximum
    Console(highlight=False, width=max(width, OUT.width)).print(table)


def say(sentences: Iterable[str], *, markup: bool = False) -> None:
    """Print sentences, a line each. Long ones are not cut: the terminal wraps them."""
    for sentence in sentences:
        OUT.print(sentence, markup=markup, soft_wrap=True)


def say_written(path: Path, nbytes: int) -> None:
    """Name a file that was written."""
    what = "bytes of C text" if kind_of(path) in C_TEXT else "bytes"
    OUT.print(f"wrote {escape(str(path))}: {nbytes:,} {what}", soft_wrap=True)


def warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning, in place of `warnings.showwarning`."""
    ERR.print(f"warning: {message}", markup=False, soft_wrap=True)


@contextmanager
def progress(
    title: str,
) -> Iterator[tuple[Callable[[list[WeightTensor]], None], Callable[[int], None]]]:
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
        before = (title, 0)

        def advance(what: str, total: int) -> None:
            nonlocal before
            last, done = before
            done = done + 1 if what == last and done < total else 1
            bar.update(task, description=what, total=total, completed=done)
            before = (what, done)

        yield advance


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    return Progress(
        *columns, TimeRemainingColumn(), console=ERR, transient=True, disable=not ERR.is_terminal
    )
