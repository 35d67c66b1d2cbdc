# SPDX-License-Identifier: Apache-2.0
"""`verify`: what was compared, and what was found."""

from collections.abc import Iterator

from stridepack._words import counted
from stridepack.files import Verification
from stridepack.report.text import escape


def verification_lines(result: Verification) -> Iterator[str]:
    """Lines for a terminal, with rich's markup."""
    if result.swapped:
        yield "The packed file was given first. Below, the second file is the model."
    if result.same_file:
        yield (
            "Both arguments are the same file, so nothing can differ. Give the model and the file "
            "that was packed from it."
        )
    for difference in result.differences:
        yield f"[red]differs:[/] {escape(difference)}"
    if not result.differences:
        n = result.n_tensors
        yield f"weights: {'the only tensor is' if n == 1 else f'all {n} tensors are'} equal"
    if result.not_run:
        yield f"outputs: not compared. {escape(result.not_run)}"
    if result.outputs:
        outputs = result.outputs
        inputs = counted(outputs.n_inputs, "random input")
        said = "equal" if outputs.equal else f"[red]differ[/] by up to {outputs.max_difference:g}"
        yield f"outputs: {said} on {inputs} in TensorFlow Lite Micro"
        if result.stand_in:
            yield (
                "Its own DECODE operators took the places of those of stridepack, which the Python "
                "package tflite-micro cannot register. They write the same values, and they "
                "need a little more of the tensor arena."
            )
        before, after = outputs.arena_nbytes
        yield f"tensor arena: {before:,} bytes dense, {after:,} packed ({after - before:+,})"
