# SPDX-License-Identifier: Apache-2.0
"""`inspect`: bytes of every tensor in every format."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.table import Table

from stridepack.formats import formats
from stridepack.plan.measure import Measured
from stridepack.report.tables import dense_sentences, new_table, ratio, stay_dense
from stridepack.report.text import escape

# What `inspect --sort` takes. The largest comes first, but for names.
SORTS: dict[str, Callable[[Measured], Any]] = {
    "order": lambda m: 0,
    "name": lambda m: m.tensor.name,
    "elements": lambda m: -m.tensor.size,
    "zeros": lambda m: -m.tensor.sparsity,
    "bytes": lambda m: -m.nbytes[m.best],
    "gain": lambda m: m.nbytes[m.best] - m.tensor.size,
}

# Colours of the smallest size of a tensor, by its share of the dense bytes, at most
_COLOURS = ((0.5, "bold green"), (0.9, "green"), (1.0, "yellow"))
_NO_GAIN = "red"


def sizes_table(title: str, measured: Sequence[Measured]) -> Table:
    """Every tensor in every format; those that stay dense in one row."""
    table = new_table(
        f"{title}: bytes in every format",
        "tensor",
        ("shape", "non-zeros", "zeros", *formats(), "bound"),
    )
    for m in measured:
        if m.note:
            continue
        zero_point = f" (zero point {m.tensor.zero_point})" if m.tensor.zero_point else ""
        dtype = f" ({m.tensor.dtype})" if m.tensor.dtype != "int8" else ""
        table.add_row(
            escape(m.tensor.name + dtype + zero_point),
            "x".join(map(str, m.tensor.values.shape)),
            *_counts([m]),
            *_size_cells(m.nbytes, m.tensor.size),
            f"{m.tensor.entropy_nbytes:,.0f}",
        )
    if dense := [m for m in measured if m.note]:
        table.add_row(*_summed_up(dense, stay_dense(len(dense))))
    table.add_section()
    table.add_row(*_summed_up(measured, f"total of {len(measured)}"), style="bold")
    return table


def sizes_sentences(measured: Sequence[Measured]) -> list[str]:
    """What choosing the best format for each tensor gives."""
    n = sum(m.tensor.size for m in measured)
    best = sum(m.nbytes[m.best] for m in measured)
    return [
        *dense_sentences(m.note for m in measured if m.note),
        "bound: the zero-order entropy of the values. No format that codes each weight on its own "
        "can be smaller.",
        f"With the best format for each tensor, the weights take {best:,} of {n:,} bytes "
        f"({ratio(best, n)}).",
    ]


def sizes_report(model: str, measured: Sequence[Measured], min_size: int) -> dict[str, Any]:
    """The same for --json, in bytes."""
    rows = [
        {
            "name": m.tensor.name,
            "dtype": m.tensor.dtype,
            "shape": list(m.tensor.values.shape),
            "n_elements": m.tensor.size,
            "n_non_zero": m.tensor.n_non_zero,
            "sparsity": m.tensor.sparsity,
            "zero_point": m.tensor.zero_point,
            "origin": m.tensor.origin,
            "nbytes": m.nbytes,
            "entropy_nbytes": m.tensor.entropy_nbytes,
            "best": m.best,
            "why_dense": m.note,
            **({"transforms": m.transforms} if m.transforms else {}),
        }
        for m in measured
    ]
    n = sum(m.tensor.size for m in measured)
    n_non_zero = sum(m.tensor.n_non_zero for m in measured)
    total = {
        "n_elements": n,
        "n_non_zero": n_non_zero,
        "sparsity": 1 - n_non_zero / n if n else 0.0,
        "nbytes": {name: sum(m.nbytes[name] for m in measured) for name in formats()},
        "best_nbytes": sum(m.nbytes[m.best] for m in measured),
        "entropy_nbytes": sum(m.tensor.entropy_nbytes for m in measured),
    }
    return {"model": model, "min_size": min_size, "tensors": rows, "total": total}


def _summed_up(some: Sequence[Measured], name: str) -> list[str]:
    nbytes = {name: sum(m.nbytes_in(name) for m in some) for name in formats()}
    bound = sum(m.tensor.entropy_nbytes for m in some)
    n = sum(m.tensor.size for m in some)
    return [name, f"{n:,}", *_counts(some), *_size_cells(nbytes, n), f"{bound:,.0f}"]


def _counts(some: Sequence[Measured]) -> tuple[str, str]:
    """Non-zeros, and the share of zeros."""
    n = sum(m.tensor.size for m in some)
    n_non_zero = sum(m.tensor.n_non_zero for m in some)
    return f"{n_non_zero:,}", ratio(n - n_non_zero, n)


def _size_cells(nbytes: dict[str, int], n_elements: int) -> Iterator[str]:
    """Sizes with thousands separators, the smallest in the colour of what it saves."""
    smallest = min(nbytes, key=nbytes.__getitem__)
    share = nbytes[smallest] / max(n_elements, 1)
    colour = next((colour for most, colour in _COLOURS if share < most), _NO_GAIN)
    for name, size in nbytes.items():
        yield f"[{colour}]{size:,}[/]" if name == smallest else f"{size:,}"
