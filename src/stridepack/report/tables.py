"""What all tables share: the column of names, and shares in per cent."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

from stridepack.report.text import escape

# TensorFlow joins the names of fused operators, to hundreds of characters.
NAME_COLUMN: dict[str, Any] = {"overflow": "ellipsis", "no_wrap": True, "max_width": 40}


def new_table(title: str | None, first: str, headings: tuple[str, ...]) -> Table:
    """A table with a column of names, and right-aligned columns that are never cut."""
    table = Table(
        title=None if title is None else escape(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column(first, **NAME_COLUMN)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def ratio(part: int, whole: int) -> str:
    """A share in per cent."""
    return f"{part / whole:.1%}" if whole else "-"


def stay_dense(count: int) -> str:
    """Such as "3 tensors stay dense"."""
    return f"{count} tensor stays dense" if count == 1 else f"{count} tensors stay dense"


def dense_sentences(reasons: Iterable[str]) -> list[str]:
    """Why tensors stay dense: one sentence for each reason, given the reason of each tensor.

    >>> dense_sentences(["it is empty", "no other format is smaller", "it is empty"])[0]
    '2 tensors stay dense, because each one is empty.'
    """
    sentences = []
    for reason, count in Counter(reasons).items():
        sentences.append(f"{stay_dense(count)}, because {reason_of(reason, count)}.")
    return sentences


def reason_of(reason: str, count: int) -> str:
    """The reason of one tensor, as that of several."""
    return f"each one {reason[3:]}" if count > 1 and reason.startswith("it ") else reason
