# SPDX-License-Identifier: Apache-2.0
"""A table that fits where it is shown: whole in a pipe, in parts of its columns on a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

# Names take at most two lines of this width on a terminal: TensorFlow joins the names of fused
# operators to hundreds of characters.
_NARROWEST = 20
_WIDEST = 42

# Between columns, and a reserve
_GAP = 2


def fitting(table: Table, console: Console) -> Iterator[Table]:
    """The table, or parts of it that the console can show, with the first column in each of them.

    Nothing is left out but the middle of long names. In a pipe or a file, a row is always one line,
    and names are whole.
    """
    natural = width_of(table, console)
    if not console.is_terminal or natural <= console.width:
        yield table
        return
    first, *others = table.columns
    widths = [_width_of_column(table, column, console) for column in others]
    room = console.width - sum(widths)
    if room < _NARROWEST:  # they do not fit side by side, however short the names are
        room = console.width - max(widths, default=0)
    name_width = max(_NARROWEST, min(_WIDEST, room, _width_of_column(table, first, console)))
    chosen: list[int] = []
    taken = name_width
    for i, width in enumerate(widths):
        if chosen and taken + width > console.width:
            yield _part(table, chosen, name_width)
            chosen, taken = [], name_width
        chosen.append(i)
        taken += width
    yield _part(table, chosen, name_width)


def width_of(table: Table, console: Console) -> int:
    """Characters that the longest row takes, where nothing is folded."""
    return Measurement.get(console, console.options.update(max_width=10**6), table).maximum


def _width_of_column(table: Table, column: Column, console: Console) -> int:
    cells = [column.header, *column.cells]
    texts = (console.render_str(c) if isinstance(c, str) else Text(str(c)) for c in cells)
    width = max(text.cell_len for text in texts) + _GAP
    return width if column.no_wrap else min(width, console.width // 2)


def _part(table: Table, chosen: Sequence[int], name_width: int) -> Table:
    """The first column and some of the others."""
    part = Table(
        title=table.title,
        title_justify=table.title_justify,
        box=table.box,
        padding=table.padding,
        pad_edge=table.pad_edge,
    )
    first, *others = table.columns
    part.add_column(first.header, max_width=name_width - _GAP, overflow="fold")
    for i in chosen:
        column = others[i]
        part.add_column(column.header, justify=column.justify, no_wrap=column.no_wrap)
    cells = [_shortened(first, name_width - _GAP), *(others[i].cells for i in chosen)]
    for row, *of_row in zip(table.rows, *cells, strict=True):
        part.add_row(*of_row, style=row.style, end_section=row.end_section)
    return part


def _shortened(column: Column, width: int) -> Iterator[Text]:
    """Names that take at most two lines; of longer ones the middle is left out."""
    for cell in column.cells:
        text = Text.from_markup(cell, emoji=False) if isinstance(cell, str) else Text(str(cell))
        if len(text) > 2 * width:
            text = Text(f"{text.plain[: width - 3]}...{text.plain[-width:]}")
        yield text
