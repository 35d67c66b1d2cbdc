"""What the command line shows: tables for people, dictionaries for --json."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from stridepack.convert import Stored
from stridepack.formats import formats
from stridepack.tensor import WeightTensor

Sizes = dict[str, int]  # bytes of the blob in every format

# TensorFlow joins the names of fused operators, to hundreds of characters.
NAME_COLUMN: dict[str, Any] = {"overflow": "ellipsis", "no_wrap": True, "max_width": 48}

STORED_COLUMNS = ("elements", "sparsity", "bytes", "of dense")  # what stored_cells gives


def sizes_table(
    title: str, tensors: Sequence[WeightTensor], sizes: Sequence[Sizes], min_size: int
) -> Table:
    """Every tensor in every format; tensors below min_size in one row, as they stay dense."""
    table = Table(title=f"{title}: bytes in every format", title_justify="left")
    table.add_column("tensor", **NAME_COLUMN)
    for heading in ("shape", "non-zeros", "sparsity", *formats(), "entropy bound"):
        table.add_column(heading, justify="right", no_wrap=True)
    small = [t for t in tensors if t.size < min_size]
    total = dict.fromkeys(formats(), sum(t.size for t in small))
    for tensor, nbytes in zip(tensors, sizes, strict=True):
        if tensor.size < min_size:
            continue
        zero_point = f" (zero point {tensor.zero_point})" if tensor.zero_point else ""
        table.add_row(
            escape(tensor.name + zero_point),
            "x".join(map(str, tensor.values.shape)),
            *(f"{tensor.n_non_zero:,}", f"{tensor.sparsity:.1%}"),
            *_size_cells(nbytes),
            f"{tensor.entropy_nbytes:,.0f}",
        )
        total = {name: size + nbytes[name] for name, size in total.items()}
    if small:
        table.add_row(
            f"{len(small)} smaller than {min_size}, stay dense",
            *("", f"{sum(t.n_non_zero for t in small):,}", ""),
            *(f"{sum(t.size for t in small):,}" for _ in formats()),
            f"{sum(t.entropy_nbytes for t in small):,.0f}",
        )
    table.add_section()
    n = sum(t.size for t in tensors)
    n_non_zero = sum(t.n_non_zero for t in tensors)
    table.add_row(
        f"total of {len(tensors)}",
        *(f"{n:,}", f"{n_non_zero:,}", ratio(n - n_non_zero, n)),
        *_size_cells(total),
        f"{sum(t.entropy_nbytes for t in tensors):,.0f}",
        style="bold",
    )
    return table


def best_sentence(tensors: Sequence[WeightTensor], sizes: Sequence[Sizes], min_size: int) -> str:
    """What choosing the best format for each tensor gives."""
    n = sum(t.size for t in tensors)
    best = sum(
        t.size if t.size < min_size else min(nbytes.values())
        for t, nbytes in zip(tensors, sizes, strict=True)
    )
    return f"the best format for each tensor: {best:,} of {n:,} bytes ({ratio(best, n)})"


def sizes_report(
    model: str, tensors: Sequence[WeightTensor], sizes: Sequence[Sizes], min_size: int
) -> dict[str, Any]:
    """The same for --json: all tensors, with their sizes in every format."""
    rows = [
        {
            "name": tensor.name,
            "shape": list(tensor.values.shape),
            "n_elements": tensor.size,
            "n_non_zero": tensor.n_non_zero,
            "sparsity": tensor.sparsity,
            "zero_point": tensor.zero_point,
            "origin": tensor.origin,
            "nbytes": nbytes,
            "entropy_nbytes": tensor.entropy_nbytes,
            "best": best_format(tensor, nbytes, min_size),
        }
        for tensor, nbytes in zip(tensors, sizes, strict=True)
    ]
    n = sum(t.size for t in tensors)
    n_non_zero = sum(t.n_non_zero for t in tensors)
    total = {
        "n_elements": n,
        "n_non_zero": n_non_zero,
        "sparsity": 1 - n_non_zero / n if n else 0.0,
        "nbytes": {name: sum(nbytes[name] for nbytes in sizes) for name in formats()},
        "entropy_nbytes": sum(t.entropy_nbytes for t in tensors),
    }
    return {"model": model, "min_size": min_size, "tensors": rows, "total": total}


def best_format(tensor: WeightTensor, nbytes: Sizes, min_size: int) -> str:
    """The format that `pack` chooses."""
    return "dense" if tensor.size < min_size else min(nbytes, key=nbytes.__getitem__)


def stored_table(tensors: Sequence[Stored]) -> Table:
    """How each tensor is stored in an output; the dense ones summed up by reason."""
    table = Table()
    table.add_column("tensor", **NAME_COLUMN)
    table.add_column("format")
    for heading in STORED_COLUMNS:
        table.add_column(heading, justify="right")

    def add_row(name: str, format: str, some: Sequence[Stored], style: str = "") -> None:
        nbytes = sum(stored.nbytes for stored in some)
        cells = stored_cells([stored.tensor for stored in some], nbytes)
        table.add_row(escape(name), format, *cells, style=style)

    dense: dict[str, list[Stored]] = {}
    for stored in tensors:
        if stored.format == "dense":
            dense.setdefault(stored.note or "nothing is smaller", []).append(stored)
        else:
            add_row(stored.tensor.name, stored.format, [stored])
    for reason, some in dense.items():
        add_row(f"{len(some)} left dense: {reason}", "dense", some)
    table.add_section()
    add_row(f"total of {len(tensors)}", "", tensors, style="bold")
    return table


def stored_cells(tensors: Sequence[WeightTensor], nbytes: int) -> list[str]:
    """STORED_COLUMNS of some tensors that take so many bytes together."""
    n = sum(tensor.size for tensor in tensors)
    n_non_zero = sum(tensor.n_non_zero for tensor in tensors)
    return [f"{n:,}", ratio(n - n_non_zero, n), f"{nbytes:,}", ratio(nbytes, n)]


def ratio(part: int, whole: int) -> str:
    """A share in per cent."""
    return f"{part / whole:.1%}" if whole else "-"


def _size_cells(nbytes: Sizes) -> Iterator[str]:
    """Sizes with thousands separators, the smallest in green."""
    smallest = min(nbytes, key=nbytes.__getitem__)
    for name, size in nbytes.items():
        yield f"[green]{size:,}[/]" if name == smallest else f"{size:,}"
