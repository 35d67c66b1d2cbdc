"""`pack`: how each tensor is stored."""

from collections.abc import Sequence

from rich.table import Table

from stridepack.files import Stored
from stridepack.report.tables import dense_sentences, new_table, ratio, stay_dense
from stridepack.report.text import escape
from stridepack.tensor import Described

STORED_COLUMNS = ("elements", "zeros", "bytes", "of dense")  # what stored_cells gives


def stored_table(tensors: Sequence[Stored]) -> Table:
    """How each tensor is stored in an output; the dense ones summed up by reason."""
    table = new_table(None, "tensor", ("format", *STORED_COLUMNS))

    def add_row(name: str, format: str, some: Sequence[Stored], style: str = "") -> None:
        nbytes = sum(stored.nbytes for stored in some)
        cells = stored_cells([stored.tensor for stored in some], nbytes)
        table.add_row(escape(name), format, *cells, style=style)

    dense: list[Stored] = []
    for stored in tensors:
        if stored.format == "dense":
            dense.append(stored)
        else:
            add_row(stored.tensor.name, stored.format, [stored])
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
