# SPDX-License-Identifier: Apache-2.0
"""`inspect --target`: what decoding a model costs on a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from stridepack._numbers import total
from stridepack.cost import decoder_nbytes, unit_of
from stridepack.formats import formats
from stridepack.plan.measure import Measured
from stridepack.report.tables import new_table, stay_dense
from stridepack.report.text import escape

Cycles = dict[str, float | None]  # to decode a blob in every format; None where not known


@dataclass(frozen=True)
class Decoding:
    """What decoding the tensors of a model costs; `stridepack.cost` says what is counted.

    Attributes
    ----------
    measured : sequence of Measured
        With the cycles on the target.
    target : str
    mhz : float or None
        Clock of the core.
    tile : int or None
        Elements in a tile.
    arena_nbytes : tuple of int, or str
        Tensor arena as it is, and packed with DECODE operators; or why it is not known.
    """

    measured: Sequence[Measured]
    target: str
    mhz: float | None
    tile: int | None
    arena_nbytes: tuple[int, int] | str

    @property
    def scratch_nbytes(self) -> int:
        """What the C runtime decodes into: the largest tensor that is packed, or its tile."""
        largest = max((m.tensor.size for m in self.measured if not m.note), default=0)
        return largest if self.tile is None else min(self.tile, largest)

    def totals(self, *, all_packed: bool) -> Cycles:
        """Cycles of all tensors in every format, and for "auto" in the smallest of each.

        all_packed: also those that stay dense, whatever their sizes, but for "auto".
        """
        by_format = {
            format: total(
                m.cycles["dense" if m.note and not all_packed else format] for m in self.measured
            )
            for format in formats()
        }
        return by_format | {"auto": total(m.cycles[m.best] for m in self.measured)}

    def ms(self, cycles: float | None) -> float | None:
        """Milliseconds."""
        return None if cycles is None or self.mhz is None else round(cycles / self.mhz / 1000, 6)


def decoding_table(title: str, decoding: Decoding) -> Table:
    """Cycles of every tensor in every format; those that stay dense in one row."""
    table = new_table(
        f"{title}: estimated {unit_of(decoding.target)} to decode on {decoding.target}",
        "tensor",
        ("elements", *formats(), "auto"),
    )
    dense = [m for m in decoding.measured if m.note]
    for m in decoding.measured:
        if not m.note:
            cells = map(_rounded, (*m.cycles.values(), m.cycles[m.best]))
            table.add_row(escape(m.tensor.name), f"{m.tensor.size:,}", *cells)
    if dense:
        table.add_row(
            f"{stay_dense(len(dense))}",
            f"{sum(m.tensor.size for m in dense):,}",
            *([_rounded(total(m.cycles["dense"] for m in dense))] * (len(formats()) + 1)),
        )
    table.add_section()
    totals = decoding.totals(all_packed=False).values()
    n = sum(m.tensor.size for m in decoding.measured)
    name = f"total of {len(decoding.measured)}"
    table.add_row(name, f"{n:,}", *map(_rounded, totals), style="bold")
    if decoding.mhz is not None:
        times = (f"{ms:.3g}" if ms is not None else "-" for ms in map(decoding.ms, totals))
        counts_cycles = unit_of(decoding.target) == "cycles"
        one = "" if counts_cycles else ", one instruction a cycle"
        table.add_row(f"ms at {decoding.mhz:g} MHz{one}", "", *times)
    memory = [decoder_nbytes(name, decoding.target) for name in formats()]
    for i, what in enumerate(("code", "stack")):
        nbytes = (f"{pair[i]:,}" if pair else "-" for pair in memory)
        table.add_row(f"bytes of {what} of the decoder", "", *nbytes, "")
    return table


def decoding_sentences(decoding: Decoding) -> list[str]:
    """RAM, and what the cycles leave out."""
    tflm = "RAM with TensorFlow Lite Micro:"
    if isinstance(decoding.arena_nbytes, str):
        arena = f"{tflm} it is not known, because {decoding.arena_nbytes}"
    else:
        before, after = decoding.arena_nbytes
        arena = (
            f"{tflm} a tensor arena of {before:,} bytes before packing and {after:,} after "
            f"({after - before:+,}), as measured on this computer."
        )
    return [
        f"RAM with the C runtime: {decoding.scratch_nbytes:,} bytes for the largest packed tensor "
        "or tile, plus the decoder's stack.",
        arena,
        what_is_estimated(decoding.target),
    ]


def what_is_estimated(target: str) -> str:
    """A sentence about the numbers of the table."""
    if unit_of(target) == "cycles":
        return (
            "Cycles are estimates for the core alone. Time spent waiting for memory comes on top."
        )
    return (
        "Instructions are estimates. How many cycles they take depends on the core. Time spent "
        "waiting for memory comes on top."
    )


def add_decoding(report: dict[str, Any], decoding: Decoding) -> None:
    """Add the same to what `sizes_report` gave for --json; null where it is not known."""
    for row, m in zip(report["tensors"], decoding.measured, strict=True):
        row["cycles"] = {name: _integer(count) for name, count in m.cycles.items()}
    totals = decoding.totals(all_packed=True)
    report["total"]["cycles"] = {name: _integer(count) for name, count in totals.items()}
    if decoding.mhz is not None:
        report["total"]["ms"] = {name: decoding.ms(count) for name, count in totals.items()}
    memory = {name: decoder_nbytes(name, decoding.target) for name in formats()}
    arena = decoding.arena_nbytes
    report["target"] = {
        "name": decoding.target,
        "unit": unit_of(decoding.target),
        "mhz": decoding.mhz,
        "code_nbytes": {name: pair[0] if pair else None for name, pair in memory.items()},
        "stack_nbytes": {name: pair[1] if pair else None for name, pair in memory.items()},
        "scratch_nbytes": decoding.scratch_nbytes,
        "arena_nbytes": None if isinstance(arena, str) else {"model": arena[0], "packed": arena[1]},
    }


def _integer(cycles: float | None) -> int | None:
    return None if cycles is None else round(cycles)


def _rounded(cycles: float | None) -> str:
    """Three digits: more would promise too much."""
    return "-" if cycles is None else f"{float(f'{cycles:.3g}'):,.0f}"
