"""What all tables share: the column of names, and shares in per cent."""

import re
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

# TensorFlow joins the names of fused operators, to hundreds of characters.
NAME_COLUMN: dict[str, Any] = {"overflow": "ellipsis", "no_wrap": True, "max_width": 40}


def new_table(title: str | None, first: str, headings: tuple[str, ...]) -> Table:
    """A table with a column of names, and right-aligned columns that are never cut."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
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
    """Why tensors stay dense: one sentence for each kind of reason, given that of each tensor.

    >>> dense_sentences(["it is empty", "no other format is smaller", "it is empty"])[0]
    '2 tensors stay dense, because each one is empty.'
    >>> dense_sentences(["it takes 80 bytes dense", "it takes 96 bytes dense"])
    ['2 tensors stay dense for reasons like this one: it takes 80 bytes dense.']
    """
    alike: dict[str, list[str]] = {}  # but for numbers, such as the bytes of each tensor
    for reason in reasons:
        alike.setdefault(re.sub(r"\d[\d,]*", "#", reason), []).append(reason)
    sentences = []
    for some in alike.values():
        if len(set(some)) == 1:
            why = f", because {reason_of(some[0], len(some))}"
        else:
            why = f" for reasons like this one: {some[0]}"
        sentences.append(f"{stay_dense(len(some))}{why}.")
    return sentences


def reason_of(reason: str, count: int) -> str:
    """The reason of one tensor, as that of several."""
    return f"each one {reason[3:]}" if count > 1 and reason.startswith("it ") else reason
