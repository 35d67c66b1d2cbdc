# SPDX-License-Identifier: Apache-2.0
"""`stridepack pack`."""

from pathlib import Path
from typing import Any

import click

from stridepack.cli.nbytes import memory_option, nbytes
from stridepack.cli.options import MODEL, given, output_option, packing_options
from stridepack.cli.output import progress, say, say_written, show, warn
from stridepack.cost import targets
from stridepack.files import DECODERS, pack_file
from stridepack.formats import formats
from stridepack.plan.budget import OBJECTIVES, Budget
from stridepack.plan.budget_plan import DEFAULT_TARGET
from stridepack.plan.options import AUTO
from stridepack.report.arena import arena_sentences
from stridepack.report.firmware import firmware_sentences
from stridepack.report.gain import pack_gain_sentences
from stridepack.report.plan import plan_sentences, plan_table
from stridepack.report.stored import stored_table, why_dense_sentences
from stridepack.report.tables import ratio
from stridepack.tflite.types import decode_types


@click.command()
@MODEL
@output_option("File ending in .tflite, .cc, .cpp, .c or .spk.")
@click.option(
    "--format",
    default=AUTO,
    show_default=True,
    metavar="NAME",
    help=f"The format of every packed tensor: {', '.join(formats())}. For an unmodified TensorFlow "
    f"Lite Micro: dense, {', '.join(decode_types())}. {AUTO} tries all of them and takes the "
    "smallest.",
)
@click.option(
    "--decoder",
    type=click.Choice(DECODERS),
    default=DECODERS[0],
    show_default=True,
    help="What decodes a .tflite file: TensorFlow Lite Micro itself, from October 2025 or later "
    "(tflm), or an operator of stridepack that the firmware registers (stridepack).",
)
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    help="What the plan makes as small as possible: bytes (size), cycles (speed), or both, weighed "
    f"by how much can be saved (balanced).  [default: {OBJECTIVES[0]}; for .tflite output the "
    "sum of file and tensor arena, or with --arena the file alone]",
)
@click.option(
    "--flash",
    type=nbytes,
    metavar="BYTES",
    help="Use at most this many bytes of Flash for packed weights, names and tables.",
)
@click.option(
    "--max-cycles",
    type=click.IntRange(min=0),
    metavar="N",
    help="Take at most this many cycles (estimated) to decode every tensor once.",
)
@click.option(
    "--sram",
    type=nbytes,
    metavar="BYTES",
    help="Decode into a buffer of this many bytes. Larger tensors are cut into tiles. For .tflite "
    "output the same as --arena.",
)
@click.option(
    "--arena",
    type=nbytes,
    metavar="BYTES",
    help="For .tflite: the tensor arena takes at most this many bytes. The tensors are packed that "
    "give the smallest file within it.",
)
@click.option(
    "--decompression-memory",
    is_flag=True,
    help="For .tflite: DECODE operators write into memory of their own beside the arena. Its size "
    "and the code that sets it up are printed.",
)
@click.option(
    "--in-ram",
    is_flag=True,
    help="For .tflite: the file is loaded into RAM, too. The sum of file and arena is made as "
    "small as possible.",
)
@click.option(
    "--target",
    type=click.Choice(targets()),
    help=f"The core whose cycles and code size are counted.  [default: {DEFAULT_TARGET}]",
)
@click.option("--count-code", is_flag=True, help="Count the code of the decoders as Flash, too.")
@click.option(
    "--reference-kernels",
    is_flag=True,
    help="For .tflite output: the firmware uses TensorFlow Lite Micro's own kernels and not those "
    "of CMSIS-NN, so that the weights of LSTM and SVDF can be packed, too.",
)
@click.option(
    "--array",
    metavar="NAME",
    help="For .cc and .cpp output: the name of the array.  [default: the file's name after `g_`]",
)
@click.option(
    "--no-names",
    is_flag=True,
    help="For .spk output: leave the names of the tensors out. A header beside the file has the "
    "number of each tensor.",
)
@packing_options
@memory_option
def pack(
    model: Path,
    output: Path,
    *,
    flash: int | None,
    max_cycles: int | None,
    sram: int | None,
    no_names: bool,
    **options: Any,
) -> None:
    """Pack the weights of MODEL into OUTPUT. The suffix of OUTPUT decides what is written.

    \b
      .tflite   the model with DECODE operators. An unmodified TensorFlow Lite Micro runs it.
                With --decoder stridepack the model has an operator of ours instead. Every
                version since 2021 runs it with the code that
                `stridepack runtime --tflm` writes.
      .cc .cpp  the same as a C++ array, 16-byte aligned, and the header beside it.
      .c        constant arrays and a table of tensors, and the header beside it.
      .spk      one file of named tensors that the C runtime reads in place. With
                --no-names a header beside it has their numbers instead.

    Every tensor is unpacked again and compared before anything is written.

    The options from --objective to --count-code ask for a plan of the whole model. Such a plan is
    for .c and .spk output. It is the best of all plans that keep the budgets. With --format, each
    tensor is stored in that format or dense. A tensor larger than --sram is cut into the largest
    tiles that fit, or into the tiles that --tile asks for. If no plan keeps the budgets, nothing is
    written, the message says by how much they are missed, and the exit code is 2.

    For .tflite output the budgets are --flash, the largest file that you accept, and --arena, the
    largest tensor arena. TensorFlow Lite Micro unpacks whole tensors into its arena. Without a
    budget, tensors stay dense whose unpacking adds more to the arena than packing takes off the
    file. --objective size packs them nevertheless.

    \b
    Examples:
      stridepack pack model.tflite -o packed.tflite
      stridepack pack model.tflite -o packed.tflite --arena 60000
      stridepack pack model.tflite -o packed.tflite --decoder stridepack
      stridepack pack model.tflite -o model_data.cc
      stridepack pack weights.safetensors -o weights.spk --format hybrid --tile 4096
      stridepack pack model.tflite -o weights.c --min-size 2048
      stridepack pack model.tflite -o weights.c --flash 60000 --sram 16384 --objective speed
    """
    budget = Budget(flash, max_cycles, sram)
    options |= {"budget": None if budget == Budget() else budget, "names": not no_names}
    with progress("packing") as (start, advance):
        result = pack_file(model, output, on_start=start, on_done=advance, **given(options))
    if result.plan:
        show(plan_table(result.plan))
        say(plan_sentences(result.plan))
    else:
        show(stored_table(result.tensors))
        say(why_dense_sentences(result.tensors))
        say(pack_gain_sentences(result))
    say(result.remarks)
    for warning in result.warnings:
        warn(warning)
    for path, size in result.files.items():
        say_written(path, size)
    if result.model_nbytes:
        before, after = result.model_nbytes
        say([f"model file: {before:,} -> {after:,} bytes ({ratio(after, before)})"])
        if flash is not None:
            say([f"Flash: {after:,} of {flash:,} bytes. This counts the file, not the decoders."])
    if result.ram:
        limit = options.get("arena") if sram is None else sram
        say(arena_sentences(result.ram, limit, in_ram=options["in_ram"], file=after))
    if result.firmware:
        say(firmware_sentences(result.firmware))
