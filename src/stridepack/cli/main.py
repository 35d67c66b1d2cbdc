"""All commands together, and the errors that they turn into messages."""

import sys
import warnings

import click

from stridepack import __version__
from stridepack.cli.inspect import inspect
from stridepack.cli.output import ERR, warn
from stridepack.cli.pack import pack
from stridepack.cli.runtime import runtime
from stridepack.cli.shrink import shrink
from stridepack.cli.typed import as_typed
from stridepack.cli.unpack import unpack
from stridepack.cli.verify import verify
from stridepack.errors import StridepackError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stridepack")
def cli() -> None:
    """Pack the int8 weights of neural networks so that they fit a microcontroller's Flash.

    Every weight stays exactly as it is; only `shrink` changes weights, and measures what that does.

    \b
    Examples:
      stridepack inspect model.tflite
      stridepack pack model.tflite -o packed.tflite     runs in an unmodified TensorFlow Lite Micro
      stridepack pack model.tflite -o weights.c         C arrays for your firmware
      stridepack pack model.tflite -o weights.spk       one file, read in place from Flash
      stridepack verify model.tflite packed.tflite
      stridepack runtime third_party/stridepack         the C sources that unpack
      stridepack shrink model.tflite --data data.npz -o smaller.tflite --flash 48000
    """


for command in (inspect, pack, unpack, verify, runtime, shrink):
    cli.add_command(command)


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 a verification failed, 2 an error that is explained."""
    warnings.showwarning = warn
    try:
        cli()
    except StridepackError as error:
        ERR.print(f"stridepack: error: {as_typed(error)}", markup=False, soft_wrap=True)
        sys.exit(2)
