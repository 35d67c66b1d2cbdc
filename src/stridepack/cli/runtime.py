# SPDX-License-Identifier: Apache-2.0
"""`stridepack runtime`."""

from pathlib import Path

import click
from click.core import ParameterSource

from stridepack.cli.options import PATH, target_option
from stridepack.cli.output import say
from stridepack.files.runtime import AMALGAMATED, DEFAULT, PACKAGES, read_needs, write_runtime
from stridepack.report.runtime import needs_sentences


@click.command()
@click.argument("directory", type=PATH)
@click.option(
    "--for",
    "package",
    type=click.Choice(list(PACKAGES)),
    help=f"The build system that takes the sources in.  [default: {DEFAULT}]",
)
@click.option(
    "--amalgamate",
    is_flag=True,
    help="Write one header and one C file, spk.h and spk.c, instead of a file for each decoder.",
)
@click.option(
    "--model",
    type=PATH,
    metavar="FILE",
    help="Write only the decoders that packed weights need: a .spk file, weights.h, or a .tflite "
    "file that was packed with --decoder stridepack, also as a C array.",
)
@target_option("With --model: the core for which the size of the decoders is printed.")
@click.option(
    "--tflm",
    is_flag=True,
    help="Also write the C++ that makes the decoder an operator of TensorFlow Lite Micro.",
)
def runtime(
    directory: Path,
    *,
    package: str | None,
    amalgamate: bool,
    model: Path | None,
    target: str,
    tflm: bool,
) -> None:
    """Write the C sources of the decoder into DIRECTORY. Your firmware project compiles them.

    \b
    Examples:
      stridepack runtime third_party/stridepack
      cd third_party/stridepack && cc -Iinclude -c src/*.c src/*/*.c
      stridepack runtime modules/stridepack --for zephyr
      stridepack runtime third_party/stridepack --model packed.spk
      stridepack runtime third_party/stridepack --model weights.h
      stridepack runtime third_party/stridepack --amalgamate
      stridepack runtime third_party/stridepack --tflm
      stridepack runtime third_party/stridepack --tflm --model packed.tflite
    """
    given = click.get_current_context().get_parameter_source("target")
    if model is None and given is not ParameterSource.DEFAULT:
        raise click.UsageError(
            "--target says for which core the size of a model's decoders is printed. Give --model, "
            "too, or leave --target out."
        )
    needs = read_needs(model) if model else None
    files = write_runtime(
        directory,
        package=package,
        amalgamate=amalgamate,
        decoders=needs.decoders if needs else None,
        uncalled=needs.uncalled if needs else (),
        tflm=tflm,
    )
    say([f"wrote {len(files)} files into {directory}"])
    if needs:
        say(needs_sentences(needs, target))
    header = next(path for path in files if path.name == "spk.h").relative_to(directory)
    next_step = AMALGAMATED if amalgamate else PACKAGES[package or DEFAULT].next_step
    say([f"{next_step} {header} says how to use them."])
    if tflm:
        say(
            [
                "Compile tflm/spk_tflm.cc together with TensorFlow Lite Micro. "
                "tflm/spk_tflm.h says how to register the operator."
            ]
        )
    elif needs and needs.in_tflm:
        say(["This model needs the operator of stridepack, too. Add `--tflm` to write its code."])
