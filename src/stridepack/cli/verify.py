# SPDX-License-Identifier: Apache-2.0
"""`stridepack verify`."""

import sys
from pathlib import Path

import click

from stridepack.cli.nbytes import memory_option
from stridepack.cli.options import MODEL, PATH
from stridepack.cli.output import progress_in_rounds, say
from stridepack.errors import ModelError
from stridepack.files import verify_files
from stridepack.report.verification import verification_lines


@click.command()
@MODEL
@click.argument("packed", type=PATH)
@click.option(
    "--inputs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many random inputs the interpreter runs.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The seed that the random inputs are drawn with.",
)
@click.option(
    "--weights-only",
    is_flag=True,
    help="Compare the weights and run nothing, as for a model with operators that this interpreter "
    "does not have.",
)
@memory_option
def verify(model: Path, packed: Path, inputs: int, seed: int, *, weights_only: bool) -> None:
    """Compare every int8 weight of MODEL with PACKED, a .spk, .tflite or .cc file.

    A .cc file is C text with an array that holds a .tflite. Two .tflite files also run in the
    TensorFlow Lite Micro interpreter on random inputs. Their outputs are compared, and the size of
    their memory arenas is shown. The exit code is 1 if anything differs.

    Tensors of .safetensors and .spk files are read one after the other. The index of a checkpoint,
    model.safetensors.index.json, is compared with the directory into which it was packed.

    \b
    Examples:
      stridepack verify model.tflite packed.tflite
      stridepack verify weights.npz weights.spk
      stridepack verify model.tflite packed.tflite --weights-only
    """
    with progress_in_rounds("reading") as advance:
        result = verify_files(
            model,
            packed,
            n_inputs=inputs,
            seed=seed,
            weights_only=weights_only,
            on_progress=advance,
        )
    say(verification_lines(result), markup=True)
    if result.differences or (result.outputs and not result.outputs.equal):
        sys.exit(1)
    if result.failure:
        raise ModelError(result.failure)
