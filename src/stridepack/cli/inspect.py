# SPDX-License-Identifier: Apache-2.0
"""`stridepack inspect`."""

from pathlib import Path
from typing import Any

import click

from stridepack.cli.failure import as_typed
from stridepack.cli.nbytes import memory_option
from stridepack.cli.numbers import FloatRange
from stridepack.cli.options import MODEL, given, packing_options
from stridepack.cli.output import progress, say, say_json, show
from stridepack.cost import targets
from stridepack.errors import StridepackError
from stridepack.files import read_weights
from stridepack.files.kinds import kind_of
from stridepack.files.tflite import arena_nbytes
from stridepack.plan.measure import measure_all
from stridepack.plan.options import PackOptions
from stridepack.plan.rules import DEFAULT_MIN_SIZE, SMALL
from stridepack.report.decoding import Decoding, add_decoding, decoding_sentences, decoding_table
from stridepack.report.gain import no_gain_sentences
from stridepack.report.sizes import SORTS, sizes_report, sizes_sentences, sizes_table


@click.command()
@MODEL
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--sort",
    type=click.Choice(tuple(SORTS)),
    default=next(iter(SORTS)),
    show_default=True,
    help="The order of the tensors: that of the file, by name, or the most elements, zeros (their "
    "share), bytes or gain first. The gain is the number of bytes that the best format saves.",
)
@click.option(
    "--target",
    type=click.Choice(targets()),
    help="Also estimate what decoding costs on this core: cycles, code and RAM. cortex-m55 uses "
    "Helium, and cortex-m55-scalar does not. For other cores, instructions stand for cycles.",
)
@click.option(
    "--mhz",
    type=FloatRange(min=0, min_open=True),
    help="Clock of the target in MHz. Times in milliseconds are shown as well.",
)
@packing_options
@memory_option
def inspect(
    model: Path,
    *,
    as_json: bool,
    sort: str,
    target: str | None,
    mhz: float | None,
    min_size: int | None,
    tile: int | None,
    transforms: bool,
    **options: Any,
) -> None:
    """Show how many bytes every tensor of MODEL takes in every format.

    MODEL is a .tflite, .onnx, .npy, .npz, .safetensors or .spk file, or C text with an array that
    holds a .tflite. A size counts all bytes that are stored for the tensor, its header included.
    The bound is the zero-order entropy of the values, zeros included. No format that codes each
    weight on its own can be smaller.

    On a terminal, the smallest size of each tensor has a colour: bold green below 50 % of the
    dense bytes, green below 90 %, yellow below 100 %, and red where nothing is saved.

    \b
    Examples:
      stridepack inspect model.tflite
      stridepack inspect model.tflite --sort gain
      stridepack inspect weights.npz --json
      stridepack inspect model.tflite --strides 1-8 --tile 4096
      stridepack inspect model.tflite --target cortex-m55 --mhz 160
    """
    if mhz is not None and target is None:
        raise click.UsageError("--mhz needs --target as well, for example --target cortex-m55.")
    tensors = read_weights(model)
    least = DEFAULT_MIN_SIZE if min_size is None else min_size
    asked = PackOptions(tile=tile, min_size=least, of_formats=given(options), transforms=transforms)
    with progress("measuring every format") as (start, advance):
        start(tensors)
        measured = sorted(measure_all(tensors, asked, target, advance), key=SORTS[sort])
    decoding = None
    if target:
        of_tflite = SMALL if min_size is None else min_size
        decoding = Decoding(measured, target, mhz, tile, _arena(model, of_tflite))
    if as_json:
        report = sizes_report(str(model), measured, least)
        if decoding:
            add_decoding(report, decoding)
        say_json(report)
        return
    show(sizes_table(model.name, measured))
    say(sizes_sentences(measured))
    best = sum(one.nbytes[one.best] for one in measured)
    say(no_gain_sentences([one.tensor for one in measured], best))
    if decoding:
        show(decoding_table(model.name, decoding))
        say(decoding_sentences(decoding))


def _arena(model: Path, min_size: int) -> tuple[int, int] | str:
    """Bytes of tensor arena, dense and packed, or why they are not known."""
    if kind_of(model) != ".tflite":
        return "only .tflite files run there."
    try:
        return arena_nbytes(model, min_size=min_size)
    except StridepackError as error:
        return as_typed(error)
