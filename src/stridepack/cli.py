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

from stridepack import __version__
from stridepack.budget import OBJECTIVES, Budget
from stridepack.budget_plan import DEFAULT_TARGET
from stridepack.budget_report import plan_sentences, plan_table
from stridepack.convert import DECODERS, pack_file, unpack_file
from stridepack.decoding import (
    add_decoding,
    arena_nbytes,
    decoding_sentences,
    decoding_table,
    describe,
)
from stridepack.emit.runtime import write_runtime
from stridepack.errors import ModelError, StridepackError
from stridepack.estimate import decode_cycles, targets
from stridepack.formats import formats
from stridepack.io import read_weights
from stridepack.packed import Packed
from stridepack.planner import DEFAULT_MIN_SIZE, in_every_format
from stridepack.report import best_sentence, ratio, sizes_report, sizes_table, stored_table
from stridepack.search import DEFAULT_OCCUPANCY, DEFAULT_SIZES, DEFAULT_STRIDES, ORDERS
from stridepack.tensor import WeightTensor
from stridepack.tflm import decode_types
from stridepack.verify import verify_files

# Piped output is as wide as a table needs: nobody wants numbers cut off in a log.
OUT = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=180)
ERR = Console(stderr=True, highlight=False)

PATH = click.Path(path_type=Path)
MODEL = click.argument("model", type=PATH)

Command = TypeVar("Command", bound=Callable[..., Any])


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


def _output(help: str) -> Callable[[Command], Command]:
    return click.option("-o", "--output", type=PATH, required=True, help=help)


def _packing_options(command: Command) -> Command:
    """What can be chosen about packing, apart from the format."""
    sizes = ",".join(map(str, DEFAULT_SIZES))
    strides = f"{DEFAULT_STRIDES[0]}-{DEFAULT_STRIDES[-1]}"
    for option in (
        click.option(
            "--order",
            type=click.Choice(ORDERS),
            help="hybrid: the largest groups first, or those of the fewest bytes a non-zero.  "
            f"[default: {ORDERS[0]}]",
        ),
        click.option(
            "--occupancy",
            type=float,
            help=f"hybrid: threshold theta.  [default: {DEFAULT_OCCUPANCY}]",
        ),
        click.option(
            "--strides",
            callback=_integers,
            metavar="LIST",
            help=f"hybrid: strides of groups.  [default: {strides}]",
        ),
        click.option(
            "--sizes",
            callback=_integers,
            metavar="LIST",
            help=f"hybrid: sizes of groups.  [default: {sizes}]",
        ),
        click.option(
            "--tile",
            type=int,
            help="Elements in a tile that decodes alone.  [default: the whole tensor]",
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
@MODEL
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--target",
    type=click.Choice(targets()),
    help="Also estimate what decoding costs there: cycles, code, RAM. "
    "cortex-m55 has Helium; cortex-m55-scalar does without.",
)
@click.option(
    "--mhz", type=click.FloatRange(min=0, min_open=True), help="Clock of the target: shows ms."
)
@_packing_options
def inspect(
    model: Path,
    *,
    as_json: bool,
    target: str | None,
    mhz: float | None,
    min_size: int,
    tile: int | None,
    **options: Any,
) -> None:
    """Show what every format would make of every tensor of MODEL.

    MODEL is a .tflite, .npy, .npz, .safetensors or .spk file. Sizes are bytes of the whole blob.
    The entropy bound is the zero-order entropy of the values, zeros included: no code that looks
    at one element at a time can be smaller.

    \b
    Examples:
      stridepack inspect model.tflite
      stridepack inspect weights.npz --json
      stridepack inspect model.tflite --strides 1-8 --tile 4096
      stridepack inspect model.tflite --target cortex-m55 --mhz 160
    """
    if mhz is not None and target is None:
        raise click.UsageError("--mhz needs a --target")
    tensors = read_weights(model)

    def ask(packed: Packed) -> tuple[int, float | None]:
        return packed.nbytes, decode_cycles(packed, target) if target else None

    with _progress("measuring") as (start, advance):
        start(tensors)
        answers = in_every_format(tensors, ask, tile=tile, on_done=advance, **_given(options))
    sizes = [{name: nbytes for name, (nbytes, _) in every.items()} for every in answers]
    decoding = None
    if target:
        decoding = describe(
            tensors,
            sizes,
            [{name: cycles for name, (_, cycles) in every.items()} for every in answers],
            min_size=min_size,
            tile=tile,
            target=target,
            mhz=mhz,
            arena_nbytes=_arena(model, min_size),
        )
    if as_json:
        report = sizes_report(str(model), tensors, sizes, min_size)
        if decoding:
            add_decoding(report, decoding)
        click.echo(json.dumps(report, indent=2))
        return
    OUT.print(sizes_table(model.name, tensors, sizes, min_size))
    OUT.print(best_sentence(tensors, sizes, min_size))
    if decoding:
        OUT.print(decoding_table(model.name, tensors, min_size, decoding))
        for sentence in decoding_sentences(decoding):
            OUT.print(sentence)


@cli.command()
@MODEL
@_output("File ending in .tflite, .c or .spk.")
@click.option(
    "--format",
    default="auto",
    show_default=True,
    help=f"One of {', '.join(formats())}; for TensorFlow Lite Micro as it is dense, "
    f"{', '.join(decode_types())}. auto tries all and takes the smallest.",
)
@click.option(
    "--decoder",
    type=click.Choice(DECODERS),
    default=DECODERS[0],
    show_default=True,
    help="What decodes a .tflite: TensorFlow Lite Micro as it is, or stridepack's decoder in it.",
)
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    help="What the plan makes as small as it can: bytes, cycles, or both as shares of what can be "
    f"saved.  [default: {OBJECTIVES[0]}]",
)
@click.option(
    "--flash",
    type=click.IntRange(min=0),
    metavar="BYTES",
    help="At most this much Flash for blobs, names and tables.",
)
@click.option(
    "--max-cycles",
    type=click.IntRange(min=0),
    metavar="N",
    help="At most this many estimated cycles to decode every tensor once.",
)
@click.option(
    "--sram",
    type=click.IntRange(min=0),
    metavar="BYTES",
    help="Decode into a buffer of this size: larger tensors are cut into tiles.",
)
@click.option(
    "--target",
    type=click.Choice(targets()),
    help=f"Whose cycles and code.  [default: {DEFAULT_TARGET}]",
)
@click.option(
    "--count-code", is_flag=True, help="Also count the decoders that the plan needs as Flash."
)
@_packing_options
def pack(
    model: Path,
    output: Path,
    *,
    flash: int | None,
    max_cycles: int | None,
    sram: int | None,
    **options: Any,
) -> None:
    """Pack the weights of MODEL into OUTPUT, whose suffix decides what is written.

    \b
      .tflite   the model with DECODE operators: TensorFlow Lite Micro runs it as it is,
                or, with --decoder stridepack, with the decoder of `stridepack runtime --tflm`
      .c        constant arrays and a table of tensors, and the header beside it
      .spk      one file of named tensors that the C runtime reads in place

    Every tensor is unpacked again and compared before anything is written.

    With any option from --objective to --count-code, formats are planned for the whole model: of
    all plans that keep the budgets the best one, for .c and .spk output. --format leaves the choice
    between that format and dense. Tensors larger than --sram are cut into tiles, the largest that
    fit; with --tile they are as you say. For .tflite only --flash is possible: the largest file
    that you accept. Where budgets cannot be kept, nothing is written, the message says by how much,
    and the exit code is 2.

    \b
    Examples:
      stridepack pack model.tflite -o packed.tflite
      stridepack pack model.tflite -o packed.tflite --decoder stridepack
      stridepack pack weights.safetensors -o weights.spk --format hybrid --tile 4096
      stridepack pack model.tflite -o weights.c --min-size 512
      stridepack pack model.tflite -o weights.c --flash 250000 --sram 16384 --objective speed
    """
    budget = Budget(flash, max_cycles, sram)
    options |= {"budget": None if budget == Budget() else budget}
    with _progress("packing") as (start, advance):
        result = pack_file(model, output, on_start=start, on_done=advance, **_given(options))
    if result.plan:
        OUT.print(plan_table(result.plan))
        for sentence in plan_sentences(result.plan):
            OUT.print(sentence)
    else:
        OUT.print(stored_table(result.tensors))
    for path, size in result.files.items():
        OUT.print(f"wrote {escape(str(path))}: {size:,} bytes")
    if output.suffix.lower() == ".tflite":
        before, after = model.stat().st_size, result.files[output]
        OUT.print(f"model file: {before:,} -> {after:,} bytes ({ratio(after, before)})")
        if flash is not None:
            OUT.print(f"Flash: {after:,} of {flash:,} bytes: the file, without decoders")


@cli.command()
@click.argument("packed", type=PATH)
@_output("File ending in .tflite or .npz.")
def unpack(packed: Path, output: Path) -> None:
    """Unpack PACKED: a .tflite to a dense .tflite or .npz, a .spk to .npz.

    \b
    Examples:
      stridepack unpack packed.tflite -o dense.tflite
      stridepack unpack weights.spk -o weights.npz
    """
    size = unpack_file(packed, output)
    OUT.print(f"wrote {escape(str(output))}: {size:,} bytes")


@cli.command()
@MODEL
@click.argument("packed", type=PATH)
@click.option(
    "--inputs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Random inputs for the interpreter.",
)
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
        OUT.print(f"[red]differs:[/] {escape(difference)}")
    if not result.differences:
        OUT.print(f"weights: all {result.n_tensors} tensors are equal")
    if result.not_run:
        OUT.print(f"outputs: not compared: {escape(result.not_run)}", soft_wrap=True)
    if result.outputs:
        outputs = result.outputs
        said = "equal" if outputs.equal else f"[red]differ[/] by up to {outputs.max_difference:g}"
        OUT.print(f"outputs: {said} on {outputs.n_inputs} random inputs in TensorFlow Lite Micro")
        before, after = outputs.arena_nbytes
        OUT.print(f"tensor arena: {before:,} bytes dense, {after:,} packed ({after - before:+,})")
    if result.differences or (result.outputs and not result.outputs.equal):
        sys.exit(1)
    if result.failure:
        raise ModelError(result.failure)


@cli.command()
@click.argument("directory", type=PATH)
@click.option(
    "--tflm", is_flag=True, help="Also the C++ that makes it a TensorFlow Lite Micro decoder."
)
def runtime(directory: Path, tflm: bool) -> None:
    """Write the C sources that a firmware project compiles below DIRECTORY.

    \b
    Example:
      stridepack runtime third_party/stridepack
      cd third_party/stridepack && cc -Iinclude -c src/*.c src/mve/*.c
      stridepack runtime third_party/stridepack --tflm
    """
    files = write_runtime(directory, tflm=tflm)
    OUT.print(f"wrote {len(files)} files below {escape(str(directory))}")
    OUT.print("compile src/ as C99 with include/ on the path; include/spk.h says how to use it")
    if tflm:
        OUT.print("and tflm/spk_tflm.cc with TensorFlow Lite Micro; tflm/spk_tflm.h says how")


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 a verification failed, 2 an error that is explained."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        ERR.print(f"warning: {message}", markup=False, soft_wrap=True)

    warnings.showwarning = show
    try:
        cli()
    except StridepackError as error:
        ERR.print(f"stridepack: error: {error}", markup=False, soft_wrap=True)
        sys.exit(2)


def _arena(model: Path, min_size: int) -> tuple[int, int] | str:
    """Bytes of tensor arena, dense and packed, or why they are not known."""
    if model.suffix.lower() != ".tflite":
        return "only .tflite files run there"
    try:
        return arena_nbytes(model, min_size=min_size)
    except StridepackError as error:
        return str(error)


@contextmanager
def _progress(
    title: str,
) -> Iterator[tuple[Callable[[list[WeightTensor]], None], Callable[[int], None]]]:
    """A progress bar over elements, on a terminal only.

    Gives a function that takes the tensors to be worked on, and one that takes a number of
    elements done.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=ERR, transient=True, disable=not ERR.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)
        yield (
            lambda tensors: bar.update(task, total=sum(t.size for t in tensors)),
            lambda n: bar.advance(task, n),
        )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Only the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


if __name__ == "__main__":
    main()
