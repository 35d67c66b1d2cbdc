# SPDX-License-Identifier: Apache-2.0
"""All commands together."""

import os
import sys
import warnings

import click

from stridepack import __version__
from stridepack._stopped import STOPPED
from stridepack.cli.failure import exit_code_of
from stridepack.cli.inspect import inspect
from stridepack.cli.interrupt import end_now, end_soon_after_interrupt
from stridepack.cli.output import warn
from stridepack.cli.pack import pack
from stridepack.cli.report import report
from stridepack.cli.runtime import runtime
from stridepack.cli.shrink import shrink
from stridepack.cli.sweep import sweep
from stridepack.cli.unpack import unpack
from stridepack.cli.verify import verify


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


for command in (inspect, pack, unpack, verify, report, runtime, shrink, sweep):
    cli.add_command(command)


def main() -> None:
    """Entry point. `failure` lists the exit codes."""
    if "_STRIDEPACK_COMPLETE" in os.environ:  # a shell asks for completions
        cli()
    warnings.showwarning = warn
    code = exit_code_of(_run_with_interrupts)
    if code == STOPPED:
        end_now()
    sys.exit(code)


def _run_with_interrupts() -> None:
    end_soon_after_interrupt()
    run(sys.argv[1:])


def run(arguments: list[str]) -> None:
    """Run a command with its arguments; errors are raised, and end nothing."""
    with cli.make_context("stridepack", list(arguments)) as context:
        cli.invoke(context)
