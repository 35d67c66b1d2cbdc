# SPDX-License-Identifier: Apache-2.0
"""`pack`: the RAM of a packed .tflite before and after, and what the firmware has to do for it."""

from collections.abc import Iterator

from stridepack._words import counted
from stridepack.tflite.arena.goal import RamUse

_CODE = """\
// Before interpreter.AllocateTensors(). Both variables must stay as long as the interpreter does.
// Newer versions have MicroInterpreter and MicroContext in tflite::micro instead of tflite.
alignas(16) static uint8_t decompression_memory[{nbytes}];
static const tflite::MicroContext::AlternateMemoryRegion decompression_region = {{
    decompression_memory, sizeof(decompression_memory)}};
interpreter.SetDecompressionMemory(&decompression_region, 1);"""


def arena_sentences(use: RamUse, arena: int | None, *, in_ram: bool, file: int) -> Iterator[str]:
    """What the arena takes, and against what.

    Parameters
    ----------
    use : RamUse
    arena : int or None
        The most that was allowed.
    in_ram : bool
        Whether the file counts as RAM.
    file : int
        Bytes of the packed file.
    """
    how = "as the TensorFlow Lite Micro interpreter measures it on this machine"
    if not use.measured:
        how = "an estimate, because the interpreter on this machine cannot run the packed model"
    after = f"{use.after:,}" if arena is None else f"{use.after:,} of {arena:,}"
    about = "" if use.measured else "about "
    yield (
        f"tensor arena: {about}{use.before:,} -> {after} bytes ({use.after - use.before:+,}), {how}"
    )
    if not use.starts:
        yield (
            f"While it starts, the interpreter on this machine needs somewhat more than "
            f"{counted(arena or 0, 'byte')} for a moment. A device with 32-bit pointers needs less "
            "memory than this machine. Try it there."
        )
    count, saved, added = use.left_out
    if count:
        them = "it" if count == 1 else "them"
        how_to = "" if arena is not None or in_ram else f" `--objective size` packs {them}."
        yield (
            f"RAM: {counted(count, 'tensor')} that could be packed "
            f"{'stays' if count == 1 else 'stay'} dense. Packing {them} as well would take "
            f"{saved:,} bytes off the file and add {added:,} bytes of RAM.{how_to}"
        )
    if not use.best:
        yield "Not all choices of tensors could be compared. A better one may exist."
    if in_ram:
        total = file + use.after + use.decompression
        beside = f", and {use.decompression:,} of decompression memory" if use.decompression else ""
        yield (
            f"RAM in all: {about}{total:,} bytes: {file:,} of the file, {use.after:,} of the "
            f"arena{beside}."
        )
    if use.decompression:
        yield (
            f"decompression memory: {use.decompression:,} bytes, which the arena does not count. "
            "The firmware gives them to the interpreter like this:"
        )
        yield from _CODE.format(nbytes=use.decompression).splitlines()
