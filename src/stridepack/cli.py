"""The command line: arguments in, tables out. What it does is in convert, verify and planner."""

import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from stridepack import __version__
from stridepack.convert import pack_file, unpack_file
from stridepack.emit.runtime import write_runtime
from stridepack.errors import StridepackError
from stridepack.formats import formats
from stridepack.io import read_weights
from stridepack.packed import Packed
from stridepack.planner import DEFAULT_MIN_SIZE, Choice, measure
from stridepack.search import DEFAULT_OCCUPANCY, DEFAULT_SIZES, DEFAULT_STRIDES
from stridepack.tensor import WeightTensor
from stridepack.verify import verify_files

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)


def _integers(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> tuple[int, ...] | None:
    """Integers and ranges: ``16,12,8,4`` or ``1-16``."""
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", part)
        if not match:
            raise click.BadParameter(f"{part!r} is neither a number nor a range such as 1-16")
        first = int(match[1])
        numbers += range(first, int(match[2] or first) + 1)
    return tuple(numbers)


def group_options(command: Command) -> Command:
    """The options of the group search, and the tile."""
    for option in (
        click.option(
            "--occupancy", type=float, help=f"hybrid: threshold theta, {DEFAULT_OCCUPANCY}."
        ),
        click.option(
            "--strides",
            callback=_integers,
            metavar="LIST",
            help=f"hybrid: strides of groups, {DEFAULT_STRIDES[0]}-{DEFAULT_STRIDES[-1]}.",
        ),
        click.option(
            "--sizes",
            callback=_integers,
            metavar="LIST",
            help=f"hybrid: sizes of groups, {','.join(map(str, DEFAULT_SIZES))}.",
        ),
        click.option(
            "--tile", type=int, help="Elements in a tile that decodes alone. [whole tensor]"
        ),
        click.option(
            "--min-size",
            type=click.IntRange(min=0),
            default=DEFAULT_MIN_SIZE,
            show_default=True,
            help="Tensors of fewer elements stay dense.",
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stridepack")
def cli() -> None:
    """Losslessly pack pruned int8 weights so that they fit a microcontroller's Flash.

    \b
    Examples:
      stridepack inspect model.tflite
      stridepack pack model.tflite -o packed.tflite     for TensorFlow Lite Micro as it is
      stridepack pack model.tflite -o weights.c         C arrays for your firmware
      stridepack pack model.tflite -o weights.spk       one file, read in place from Flash
      stridepack verify model.tflite packed.tflite
      stridepack runtime third_party/stridepack         the C sources that unpack
    """


@cli.command()
@click.argument("model", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@group_options
def inspect(model: Path, as_json: bool, min_size: int, tile: int | None, **options: Any) -> None:
    """Show what every format would make of every tensor of MODEL.

    MODEL is a .tflite, .npy, .npz, .safetensors or .spk file. Sizes are bytes of the whole blob.
    The entropy bound is the zero-order entropy of the values, zeros included: no code that looks
    at one element at a time can be smaller.

    \b
    Examples:
      stridepack inspect model.tflite
      stridepack inspect weights.npz --json
      stridepack inspect model.tflite --strides 1-8 --tile 4096
    """
    tensors = read_weights(model)
    with progress("measuring", tensors) as advance:
        sizes = measure(tensors, tile=tile, on_done=advance, **_given(options))
    if as_json:
        report = [_tensor_report(t, s, min_size) for t, s in zip(tensors, sizes, strict=True)]
        click.echo(
            json.dumps({"model": str(model), "tensors": report, "total": _sum(report)}, indent=2)
        )
        return
    table = Table(title=f"{model.name}: bytes in every format", title_justify="left")
    table.add_column("tensor", overflow="fold", max_width=44)
    for heading in ("shape", "non-zeros", "sparsity", *formats(), "entropy bound"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = [(t, s) for t, s in zip(tensors, sizes, strict=True) if t.size >= min_size]
    small = [t for t in tensors if t.size < min_size]
    for tensor, nbytes in rows:
        name = (
            tensor.name
            if not tensor.zero_point
            else f"{tensor.name} (zero point {tensor.zero_point})"
        )
        table.add_row(escape(name), _shape(tensor.values.shape), *_row(tensor, nbytes))
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
    rest = sum(t.size for t in small)
    total = {name: rest + sum(nbytes[name] for _, nbytes in rows) for name in formats()}
    table.add_row(
        f"total of {len(tensors)}",
        *(f"{n:,}", f"{n_non_zero:,}", f"{1 - n_non_zero / n if n else 0:.1%}"),
        *_sizes(total),
        f"{sum(t.entropy_nbytes for t in tensors):,.0f}",
        style="bold",
    )
    OUT.print(table)
    best = rest + sum(min(nbytes.values()) for _, nbytes in rows)
    OUT.print(f"best format for each tensor: {best:,} of {n:,} bytes ({_ratio(best, n)})")


@cli.command()
@click.argument("model", type=PATH)
@click.option(
    "-o", "--output", type=PATH, required=True, help="File ending in .tflite, .c or .spk."
)
@click.option(
    "--format",
    default="auto",
    show_default=True,
    help=f"One of {', '.join(formats())}; auto tries all and takes the smallest.",
)
@group_options
def pack(
    model: Path, output: Path, format: str, min_size: int, tile: int | None, **options: Any
) -> None:
    """Pack the weights of MODEL into OUTPUT, whose suffix decides what is written.

    \b
      .tflite   the model with DECODE operators: TensorFlow Lite Micro runs it as it is
      .c        constant arrays and a table of tensors, and the header beside it
      .spk      one file of named tensors that the C runtime reads in place

    Every tensor is unpacked again with the C runtime and compared before anything is written.

    \b
    Examples:
      stridepack pack model.tflite -o packed.tflite
      stridepack pack weights.safetensors -o weights.spk --format hybrid --tile 4096
      stridepack pack model.tflite -o weights.c --min-size 512
    """
    with lazy_progress("packing") as (start, advance):
        result = pack_file(
            model,
            output,
            format,
            tile=tile,
            min_size=min_size,
            on_start=start,
            on_done=advance,
            **_given(options),
        )
    OUT.print(_pack_table(result.choices, result.notes))
    for path, size in result.files.items():
        OUT.print(f"wrote {path}: {size:,} bytes")
    if output.suffix.lower() == ".tflite":
        before = model.stat().st_size
        after = result.files[output]
        OUT.print(f"model file: {before:,} -> {after:,} bytes ({_ratio(after, before)})")


@cli.command()
@click.argument("packed", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="File ending in .tflite or .npz.")
def unpack(packed: Path, output: Path) -> None:
    """Unpack PACKED: a .tflite to a dense .tflite or .npz, a .spk to .npz.

    \b
    Examples:
      stridepack unpack packed.tflite -o dense.tflite
      stridepack unpack weights.spk -o weights.npz
    """
    size = unpack_file(packed, output)
    OUT.print(f"wrote {output}: {size:,} bytes")


@cli.command()
@click.argument("model", type=PATH)
@click.argument("packed", type=PATH)
@click.option("--inputs", default=10, show_default=True, help="Random inputs for the interpreter.")
@click.option("--seed", default=0, show_default=True, help="Seed of the random inputs.")
def verify(model: Path, packed: Path, inputs: int, seed: int) -> None:
    """Compare every int8 weight of MODEL with PACKED, a .spk or .tflite file.

    Two .tflite files also run in the TensorFlow Lite Micro interpreter on random inputs; their
    outputs are compared, and the memory arenas they need are shown. The exit code is 1 where
    anything differs.

    \b
    Examples:
      stridepack verify model.tflite packed.tflite
      stridepack verify weights.npz weights.spk
    """
    result = verify_files(model, packed, n_inputs=inputs, seed=seed)
    for difference in result.differences:
        OUT.print(f"[red]differs[/] {escape(difference)}")
    if not result.differences:
        OUT.print(f"weights: all {result.n_tensors} tensors are equal")
    if result.outputs:
        outputs = result.outputs
        said = "equal" if outputs.equal else f"differ by up to {outputs.max_difference}"
        OUT.print(f"outputs: {said} on {outputs.n_inputs} random inputs, in TensorFlow Lite Micro")
        before, after = outputs.arena_nbytes
        OUT.print(f"tensor arena: {before:,} bytes dense, {after:,} packed ({after - before:+,})")
    if not result.ok:
        sys.exit(1)


@cli.command()
@click.argument("directory", type=PATH)
def runtime(directory: Path) -> None:
    """Write the C sources that a firmware project compiles below DIRECTORY.

    \b
    Example:
      stridepack runtime third_party/stridepack
      cc -Ithird_party/stridepack/include -c third_party/stridepack/src/*.c
    """
    files = write_runtime(directory)
    OUT.print(f"wrote {len(files)} files below {directory}")
    OUT.print(f"compile {directory}/src/*.c as C99 with -I{directory}/include, call spk.h")


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 a verification failed, 2 an error that is explained."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        ERR.print(f"warning: {message}", markup=False)

    warnings.showwarning = show
    try:
        cli()
    except StridepackError as error:
        ERR.print(f"stridepack: error: {error}", markup=False, soft_wrap=True)
        sys.exit(2)


@contextmanager
def lazy_progress(
    title: str,
) -> Iterator[tuple[Callable[[list[WeightTensor]], None], Callable[[int], None]]]:
    """A progress bar over elements whose length is known later; shown on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=ERR, transient=True, disable=not ERR.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)
        yield (
            lambda tensors: bar.update(task, total=sum(t.size for t in tensors)),
            lambda n: bar.advance(task, n),
        )


@contextmanager
def progress(title: str, tensors: list[WeightTensor]) -> Iterator[Callable[[int], None]]:
    """A progress bar over the elements of all tensors."""
    with lazy_progress(title) as (start, advance):
        start(tensors)
        yield advance


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Only the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _sizes(nbytes: dict[str, int]) -> Iterator[str]:
    """Sizes with thousands separators, the smallest in green."""
    smallest = min(nbytes, key=nbytes.__getitem__)
    for name, size in nbytes.items():
        yield f"[green]{size:,}[/]" if name == smallest else f"{size:,}"


def _row(tensor: WeightTensor, nbytes: dict[str, int]) -> Iterator[str]:
    yield f"{tensor.n_non_zero:,}"
    yield f"{tensor.sparsity:.1%}"
    yield from _sizes(nbytes)
    yield f"{tensor.entropy_nbytes:,.0f}"


def _tensor_report(tensor: WeightTensor, nbytes: dict[str, int], min_size: int) -> dict[str, Any]:
    small = tensor.size < min_size
    return {
        "name": tensor.name,
        "shape": list(tensor.values.shape),
        "n_elements": tensor.size,
        "n_non_zero": tensor.n_non_zero,
        "sparsity": tensor.sparsity,
        "zero_point": tensor.zero_point,
        "origin": tensor.origin,
        "nbytes": nbytes,
        "entropy_nbytes": tensor.entropy_nbytes,
        "best": "dense" if small else min(nbytes, key=nbytes.__getitem__),
    }


def _sum(report: list[dict[str, Any]]) -> dict[str, Any]:
    n = sum(tensor["n_elements"] for tensor in report)
    n_non_zero = sum(tensor["n_non_zero"] for tensor in report)
    return {
        "n_elements": n,
        "n_non_zero": n_non_zero,
        "sparsity": 1 - n_non_zero / n if n else 0.0,
        "nbytes": {name: sum(tensor["nbytes"][name] for tensor in report) for name in formats()},
        "entropy_nbytes": sum(tensor["entropy_nbytes"] for tensor in report),
        "best_nbytes": sum(tensor["nbytes"][tensor["best"]] for tensor in report),
    }


def _pack_table(choices: list[Choice], notes: dict[str, str]) -> Table:
    table = Table()
    table.add_column("tensor", overflow="fold", max_width=52)
    table.add_column("format")
    for heading in ("elements", "sparsity", "packed", "of dense"):
        table.add_column(heading, justify="right")

    def stored(packed: Packed) -> int:
        return packed.n_elements if packed.format == "dense" else packed.nbytes

    for choice in choices:
        packed, name = choice.packed, choice.tensor.name
        note = notes.get(name)
        size = packed.n_elements if note else stored(packed)
        table.add_row(
            escape(f"{name} ({note})" if note else name),
            "dense" if note else packed.format,
            *(f"{packed.n_elements:,}", f"{packed.sparsity:.1%}", f"{size:,}"),
            _ratio(size, packed.n_elements),
        )
    table.add_section()
    n = sum(choice.packed.n_elements for choice in choices)
    total = sum(
        c.packed.n_elements if c.tensor.name in notes else stored(c.packed) for c in choices
    )
    table.add_row("total", "", f"{n:,}", "", f"{total:,}", _ratio(total, n), style="bold")
    return table


if __name__ == "__main__":
    main()
