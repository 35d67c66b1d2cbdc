"""What decoding a model costs on a target: a table and sentences for people, fields for --json."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.markup import escape
from rich.table import Table

from stridepack.convert import pack_file
from stridepack.estimate import decoder_nbytes
from stridepack.formats import formats
from stridepack.interpreter import compare_outputs
from stridepack.report import NAME_COLUMN, Sizes, best_format
from stridepack.tensor import WeightTensor

Cycles = dict[str, float | None]  # to decode a blob in every format; None where not known


@dataclass(frozen=True)
class Decoding:
    """What decoding the tensors of a model costs; `stridepack.estimate` says what is counted.

    Attributes
    ----------
    target : str
    mhz : float or None
        Clock of the core.
    cycles : sequence of dict
        For each tensor, in every format.
    best : sequence of str
        The smallest format of each tensor, which `pack` chooses.
    scratch_nbytes : int
        What the C runtime decodes into: the largest tensor that is packed, or its tile.
    arena_nbytes : tuple of int, or str
        Tensor arena as it is, and packed with DECODE operators; or why it is not known.
    """

    target: str
    mhz: float | None
    cycles: Sequence[Cycles]
    best: Sequence[str]
    scratch_nbytes: int
    arena_nbytes: tuple[int, int] | str

    def totals(self, *, dense: Sequence[bool]) -> Cycles:
        """Cycles of all tensors in every format, and for "auto" in the smallest of each.

        dense: which tensors stay dense, whatever the format.
        """
        chosen = {name: [name] * len(self.cycles) for name in formats()} | {"auto": self.best}
        return {
            format: _sum(
                cycles["dense" if is_dense else name]
                for cycles, name, is_dense in zip(self.cycles, names, dense, strict=True)
            )
            for format, names in chosen.items()
        }

    def ms(self, cycles: float | None) -> float | None:
        """Milliseconds."""
        return None if cycles is None or self.mhz is None else round(cycles / self.mhz / 1000, 6)


def describe(
    tensors: Sequence[WeightTensor],
    sizes: Sequence[Sizes],
    cycles: Sequence[Cycles],
    *,
    min_size: int,
    tile: int | None,
    target: str,
    mhz: float | None,
    arena_nbytes: tuple[int, int] | str,
) -> Decoding:
    """Put together what is known."""
    packed = [tensor.size for tensor in tensors if tensor.size >= min_size]
    largest = max(packed, default=0)
    return Decoding(
        target=target,
        mhz=mhz,
        cycles=cycles,
        best=[best_format(*each, min_size) for each in zip(tensors, sizes, strict=True)],
        scratch_nbytes=largest if tile is None else min(tile, largest),
        arena_nbytes=arena_nbytes,
    )


def arena_nbytes(model: Path, *, min_size: int) -> tuple[int, int]:
    """Bytes of tensor arena that a .tflite model needs as it is, and packed with DECODE operators.

    Measured with the TensorFlow Lite Micro interpreter on this host: `interpreter.Comparison`
    says how a device differs.

    Raises
    ------
    StridepackError
        When the model cannot be packed or run.
    """
    with TemporaryDirectory() as directory:
        packed = Path(directory) / "packed.tflite"
        pack_file(model, packed, min_size=min_size)
        names = (str(model), f"{model}, packed")
        comparison = compare_outputs(
            model.read_bytes(), packed.read_bytes(), n_inputs=1, names=names
        )
    return comparison.arena_nbytes


def decoding_table(
    title: str, tensors: Sequence[WeightTensor], min_size: int, decoding: Decoding
) -> Table:
    """Cycles of every tensor in every format; tensors below min_size in one row."""
    table = Table(
        title=f"{title}: estimated cycles to decode on {decoding.target}", title_justify="left"
    )
    table.add_column("tensor", **NAME_COLUMN)
    for heading in ("elements", *formats(), "auto"):
        table.add_column(heading, justify="right", no_wrap=True)
    small = [tensor.size < min_size for tensor in tensors]
    rows = zip(tensors, decoding.cycles, decoding.best, small, strict=True)
    for tensor, cycles, best, is_small in rows:
        if not is_small:
            cells = map(_rounded, (*cycles.values(), cycles[best]))
            table.add_row(escape(tensor.name), f"{tensor.size:,}", *cells)
    if any(small):
        of_small = _sum(
            c["dense"] for c, is_small in zip(decoding.cycles, small, strict=True) if is_small
        )
        table.add_row(
            f"{sum(small)} smaller than {min_size}, stay dense",
            f"{sum(t.size for t in tensors if t.size < min_size):,}",
            *([_rounded(of_small)] * (len(formats()) + 1)),
        )
    table.add_section()
    totals = decoding.totals(dense=small).values()
    n = sum(t.size for t in tensors)
    name = f"total of {len(tensors)}"
    table.add_row(name, f"{n:,}", *map(_rounded, totals), style="bold")
    if decoding.mhz is not None:
        times = (f"{ms:.3g}" if ms is not None else "-" for ms in map(decoding.ms, totals))
        table.add_row(f"ms at {decoding.mhz:g} MHz", "", *times)
    memory = [decoder_nbytes(name, decoding.target) for name in formats()]
    for i, what in enumerate(("code", "stack")):
        nbytes = (f"{pair[i]:,}" if pair else "-" for pair in memory)
        table.add_row(f"bytes of {what} of the decoder", "", *nbytes, "")
    return table


def decoding_sentences(decoding: Decoding) -> list[str]:
    """RAM, and what the cycles leave out."""
    tflm = "RAM with TensorFlow Lite Micro:"
    if isinstance(decoding.arena_nbytes, str):
        arena = f"{tflm} not known: {decoding.arena_nbytes}"
    else:
        before, after = decoding.arena_nbytes
        arena = (
            f"{tflm} tensor arena of {before:,} bytes as it is, {after:,} packed "
            f"({after - before:+,}), as measured on this host"
        )
    return [
        f"RAM with the C runtime: {decoding.scratch_nbytes:,} bytes for the largest packed "
        "tensor or tile, and the decoder's stack",
        arena,
        "cycles: a model of the core alone, fitted to within 10 %; waiting for memory comes on top",
    ]


def add_decoding(report: dict[str, Any], decoding: Decoding) -> None:
    """Add the same to what `report.sizes_report` gave for --json; null where it is not known."""
    for row, cycles in zip(report["tensors"], decoding.cycles, strict=True):
        row["cycles"] = {name: _integer(count) for name, count in cycles.items()}
    totals = decoding.totals(dense=[False] * len(decoding.cycles))
    report["total"]["cycles"] = {name: _integer(count) for name, count in totals.items()}
    if decoding.mhz is not None:
        report["total"]["ms"] = {name: decoding.ms(count) for name, count in totals.items()}
    memory = {name: decoder_nbytes(name, decoding.target) for name in formats()}
    arena = decoding.arena_nbytes
    report["target"] = {
        "name": decoding.target,
        "mhz": decoding.mhz,
        "code_nbytes": {name: pair[0] if pair else None for name, pair in memory.items()},
        "stack_nbytes": {name: pair[1] if pair else None for name, pair in memory.items()},
        "scratch_nbytes": decoding.scratch_nbytes,
        "arena_nbytes": None if isinstance(arena, str) else {"model": arena[0], "packed": arena[1]},
    }


def _sum(cycles: Iterable[float | None]) -> float | None:
    """None where one of them is."""
    total = 0.0
    for each in cycles:
        if each is None:
            return None
        total += each
    return total


def _integer(cycles: float | None) -> int | None:
    return None if cycles is None else round(cycles)


def _rounded(cycles: float | None) -> str:
    """Three digits: more would promise too much."""
    return "-" if cycles is None else f"{float(f'{cycles:.3g}'):,.0f}"
