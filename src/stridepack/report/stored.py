# SPDX-License-Identifier: Apache-2.0
"""`pack`: how each tensor is stored."""

from collections.abc import Sequence

from rich.table import Table

from stridepack._words import counted
from stridepack.files import Stored
from stridepack.report.tables import dense_sentences, new_table, ratio, stay_dense
from stridepack.report.text import escape
from stridepack.tensor import Described

# Of more packed tensors than this, those of one format are summed up: nobody reads so many rows,
# and to lay them out takes more memory than to pack small tensors.
_MOST_ROWS = 1000

STORED_COLUMNS = ("elements", "zeros", "bytes", "of dense")  # what stored_cells gives


def stored_table(tensors: Sequence[Stored]) -> Table:
    """How each tensor is stored in an output; the dense ones, or all of very many, summed up."""
    table = new_table(None, "tensor", ("format", *STORED_COLUMNS))

    def add_row(name: str, format: str, some: Sequence[Stored], style: str = "") -> None:
        nbytes = sum(stored.nbytes for stored in some)
        cells = stored_cells([stored.tensor for stored in some], nbytes)
        table.add_row(escape(name), format, *cells, style=style)

    dense = [stored for stored in tensors if stored.format == "dense"]
    packed = [stored for stored in tensors if stored.format != "dense"]
    if len(packed) <= _MOST_ROWS:
        for stored in packed:
            add_row(stored.tensor.name, stored.format, [stored])
    else:
        by_format: dict[str, list[Stored]] = {}
        for stored in packed:
            by_format.setdefault(stored.format, []).append(stored)
        for format, some in sorted(by_format.items()):
            add_row(counted(len(some), "tensor"), format, some)
    if dense:
        add_row(stay_dense(len(dense)), "dense", dense)
    table.add_section()
    add_row(f"total of {len(tensors)}", "", tensors, style="bold")
    return table


def why_dense_sentences(tensors: Sequence[Stored]) -> list[str]:
    """Why tensors stay dense: a sentence for each reason."""
    return dense_sentences(
        stored.note or "no other format is smaller"
        for stored in tensors
        if stored.format == "dense"
    )


def stored_cells(tensors: Sequence[Described], nbytes: int) -> list[str]:
    """STORED_COLUMNS of some tensors that take so many bytes together."""
    n = sum(tensor.size for tensor in tensors)
    n_non_zero = sum(tensor.n_non_zero for tensor in tensors)
    return [f"{n:,}", ratio(n - n_non_zero, n), f"{nbytes:,}", ratio(nbytes, n)]
