"""`stridepack runtime`."""

from pathlib import Path

import click

from stridepack.cli.options import PATH
from stridepack.cli.output import say
from stridepack.files.runtime import write_runtime


@click.command()
@click.argument("directory", type=PATH)
@click.option(
    "--tflm",
    is_flag=True,
    help="Also write the C++ that makes the decoder an operator of TensorFlow Lite Micro.",
)
def runtime(directory: Path, tflm: bool) -> None:
    """Write the C sources of the decoder into DIRECTORY. Your firmware project compiles them.

    \b
    Examples:
      stridepack runtime third_party/stridepack
      cd third_party/stridepack && cc -Iinclude -c src/*.c src/mve/*.c
      stridepack runtime third_party/stridepack --tflm
    """
    files = write_runtime(directory, tflm=tflm)
    say(
        [
            f"wrote {len(files)} files into {directory}",
            "README.md says how to compile them. include/spk.h says how to use them.",
        ]
    )
    if tflm:
        say(
            [
                "Compile tflm/spk_tflm.cc together with TensorFlow Lite Micro. "
                "tflm/spk_tflm.h says how to register the operator."
            ]
        )
