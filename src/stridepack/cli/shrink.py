# SPDX-License-Identifier: Apache-2.0
"""`stridepack shrink`."""

from pathlib import Path

import click

from stridepack.cli.nbytes import memory_option, nbytes
from stridepack.cli.numbers import FloatRange
from stridepack.cli.options import MODEL, PATH, output_option
from stridepack.cli.output import progress_in_rounds, say, say_json, say_written, show
from stridepack.files.atomic import write_files
from stridepack.files.outputs import check_output, refuse_to_overwrite
from stridepack.report.curve import check_curve_file, curve_file
from stridepack.report.shrink import shrink_report, shrink_sentences, shrink_table
from stridepack.shrink import read_data
from stridepack.shrink import shrink as shrink_model
from stridepack.shrink.rate import RATES


@click.command()
@MODEL
@click.option(
    "--data",
    type=PATH,
    required=True,
    metavar="DATA.npz",
    help="Typical samples: an array inputs, and an array labels if there are any.",
)
@output_option("The shrunk model, a .tflite file.")
@click.option(
    "--flash",
    type=nbytes,
    metavar="BYTES",
    help="The packed file takes at most this many bytes.",
)
@click.option(
    "--max-drop",
    type=FloatRange(0, 100),
    metavar="POINTS",
    help="Lose at most this many points of accuracy. Without labels, at most this many per cent of "
    "the samples change their class.",
)
@click.option(
    "--min-snr",
    type=FloatRange(min=0),
    metavar="DB",
    help="Keep at least this signal-to-noise ratio of the outputs, in dB.",
)
@click.option(
    "--step",
    type=FloatRange(1, 127),
    metavar="Q",
    help="Use this step in all tensors, in units of the scales that they have.",
)
@click.option(
    "--for",
    "packed_as",
    type=click.Choice(tuple(RATES)),
    default=next(iter(RATES)),
    show_default=True,
    help="What `pack` will write: a .spk file, or a .tflite for an unmodified TensorFlow Lite "
    "Micro. Its bytes are counted.",
)
@memory_option
@click.option(
    "--curve",
    type=PATH,
    metavar="FILE",
    help="Also measure plans of all sizes: data in a .json file, or a plot in a .png or .svg file.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON instead of a table. `stridepack report --shrink` shows it.",
)
def shrink(
    model: Path,
    data: Path,
    output: Path,
    *,
    flash: int | None,
    max_drop: float | None,
    min_snr: float | None,
    step: float | None,
    packed_as: str,
    curve: Path | None,
    as_json: bool,
) -> None:
    """Put the weights of MODEL on coarser grids, so that they pack into fewer bytes.

    This is the one command that changes weights. It needs no training and no labels: a few hundred
    typical inputs show what each layer must keep. Weights that are 0 stay 0. The result is an
    ordinary int8 .tflite file, which `stridepack pack` then packs without any further loss.

    Give exactly one of --flash, --max-drop, --min-snr and --step. A quarter of the samples is held
    back from the calibration, and shows what the result is worth. If a target cannot be met,
    nothing is written, the message says by how much it is missed, and the exit code is 2.

    \b
    Examples:
      stridepack shrink model.tflite --data data.npz -o small.tflite --flash 48000
      stridepack shrink model.tflite --data data.npz -o small.tflite --max-drop 1
      stridepack shrink model.tflite --data data.npz -o small.tflite --flash 90000 --for tflite
      stridepack shrink model.tflite --data data.npz -o small.tflite --step 8 --curve curve.svg
    """
    if (flash, max_drop, min_snr, step).count(None) != 3:
        raise click.UsageError("Give exactly one of --flash, --max-drop, --min-snr and --step.")
    if curve is not None:
        check_curve_file(curve)
    for path in (output, *([] if curve is None else [curve])):
        refuse_to_overwrite(path, model, "model")
        refuse_to_overwrite(path, data, "samples")
        check_output(path)
    inputs, labels = read_data(data)
    with progress_in_rounds("starting") as advance:
        result = shrink_model(
            model,
            inputs,
            labels,
            flash,
            max_drop,
            step,
            min_snr=min_snr,
            packed_as=packed_as,
            curve=curve is not None,
            on_progress=advance,
        )
    files = {output: result.model}
    if curve is not None:
        files[curve] = curve_file(curve, result)
    write_files(files)
    if as_json:
        say_json(shrink_report(result))
        return
    show(shrink_table(result))
    say(shrink_sentences(result))
    for path, content in files.items():
        say_written(path, len(content))
