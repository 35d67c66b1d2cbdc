# SPDX-License-Identifier: Apache-2.0
"""`stridepack unpack`."""

from pathlib import Path

import click

from stridepack.cli.nbytes import memory_option
from stridepack.cli.options import PATH, output_option
from stridepack.cli.output import say_written
from stridepack.files import unpack_file


@click.command()
@click.argument("packed", type=PATH)
@output_option("File ending in .tflite or .npz.")
@memory_option
def unpack(packed: Path, output: Path) -> None:
    """Unpack PACKED, a .spk, .tflite or .cc file.

    A .tflite becomes a dense .tflite or a .npz, and so does a .cc file, which is C text with an
    array that holds a .tflite. A .spk becomes a .npz, tensor by tensor, so that it may be larger
    than the memory.

    \b
    Examples:
      stridepack unpack packed.tflite -o dense.tflite
      stridepack unpack weights.spk -o weights.npz
    """
    say_written(output, unpack_file(packed, output))
