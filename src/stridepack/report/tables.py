# SPDX-License-Identifier: Apache-2.0
"""What all tables share: the column of names, and shares in per cent."""

import re
from collections.abc import Iterable

from rich import box
from rich.table import Table

from stridepack.report.text import escape

_NUMBER = re.compile(r"\d[\d,.]*")


def new_table(title: str | None, first: str, headings: tuple[str, ...]) -> Table:
    """A table with a column of names, and right-aligned columns that are never cut."""
    table = Table(
        title=None if title is None else escape(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column(first, no_wrap=True)
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
    >>> dense_sentences(["it takes 9 bytes dense", "it takes 8 bytes dense"])[0]
    '2 tensors stay dense for reasons like this one: it takes 9 bytes dense.'
    """
    kinds: dict[str, list[str]] = {}
    for reason in reasons:
        kinds.setdefault(_NUMBER.sub("#", reason), []).append(reason)
    sentences = []
    for alike in kinds.values():
        count = len(alike)
        if len(set(alike)) == 1:
            sentences.append(f"{stay_dense(count)}, because {reason_of(alike[0], count)}.")
        else:
            sentences.append(f"{stay_dense(count)} for reasons like this one: {alike[0]}.")
    return sentences


def reason_of(reason: str, count: int) -> str:
    """The reason of one tensor, as that of several."""
    return f"each one {reason[3:]}" if count > 1 and reason.startswith("it ") else reason
