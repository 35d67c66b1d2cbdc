# SPDX-License-Identifier: Apache-2.0
"""Pack a model so that its weights fit a budget of Flash, and check every weight.

    python pack_model.py                                       # the bundled model
    python pack_model.py my_model.tflite --flash 60000 -o out  # your own

It writes the model in three forms, of which you need one:

    packed.tflite  a model for TensorFlow Lite Micro, which unpacks it by itself
    weights.spk    all weights in one file, for the C runtime of `stridepack runtime`
    weights.c, .h  the same as constant arrays, to compile into the firmware

The budget is for the weights, so it holds for weights.spk and weights.c. A .tflite file has much
more in it than weights. It becomes as small as it can, and its size is printed.

It needs stridepack, and `pip install 'stridepack[tflite]'`, which adds what reads .tflite files.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import stridepack as sp

BUNDLED_MODEL = Path(__file__).resolve().parent.parent / "resnet8_cifar10_50.tflite"


def pack(model: Path, folder: Path, flash: int, sram: int, target: str) -> None:
    """Pack a model in all three forms, and print sizes and what decoding costs."""
    tensors = sp.read_tflite(model)
    dense = sum(tensor.size for tensor in tensors)
    print(f"{model.name}: {model.stat().st_size:,} bytes, {dense:,} of them int8 weights")

    # For TensorFlow Lite Micro there is nothing to choose: each tensor gets the smallest encoding
    # that the interpreter decodes. `budget=sp.Budget(flash=...)` would be for the whole file here.
    packed = folder / "packed.tflite"
    sp.pack_file(model, packed)
    print_size(packed)

    # For the C runtime the budget is for the weights, with their names and tables. Choose the
    # fastest formats that fit. A tensor that does not fit the buffer of `sram` bytes is cut into
    # tiles, and unpacked tile by tile.
    budget = sp.Budget(flash=flash, sram=sram)
    bundle, source = folder / "weights.spk", folder / "weights.c"
    sp.pack_file(model, bundle, budget=budget, objective="speed", target=target)
    print_size(bundle)
    plan = sp.pack_file(model, source, budget=budget, objective="speed", target=target).plan
    print(f"  {source.name}: {plan.flash:,} bytes of Flash when it is compiled")

    # The plan says what decoding costs: cycles of a Cortex-M55, or instructions of another core.
    # Waiting for slow memory is not in them.
    print(f"to unpack every weight once on {target}:")
    print(f"  about {plan.cycles:,} {plan.unit}, with the decoders of {', '.join(plan.formats)}")
    print(f"  RAM: a buffer of {plan.sram:,} bytes, and {plan.stack_nbytes:,} bytes of stack")

    check(model, packed, bundle)


def check(model: Path, packed: Path, bundle: Path) -> None:
    """Stop with an error unless every packed weight is exactly that of the model."""
    # Compares all weights. If both files are .tflite, it runs them too, and compares their outputs.
    for file in (packed, bundle):
        verification = sp.verify_files(model, file)
        if not verification.ok:
            sys.exit(f"{file} differs: {verification.differences} {verification.failure}")
        print(f"{file.name}: all {verification.n_tensors} tensors are exact")

    # One tensor after the other, as arrays.
    blobs = sp.read_bundle(bundle)
    for tensor in sp.read_tflite(model):
        np.testing.assert_array_equal(blobs[tensor.name].unpack(), tensor.values)

    # And back to files: a dense .tflite, and NumPy arrays.
    for file, output in ((packed, "dense.tflite"), (bundle, "weights.npz")):
        sp.unpack_file(file, file.with_name(output))
        print_size(file.with_name(output))


def print_size(file: Path) -> None:
    print(f"  {file.name}: {file.stat().st_size:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack a model into a budget of Flash.")
    parser.add_argument("model", nargs="?", type=Path, default=BUNDLED_MODEL)
    parser.add_argument("-o", "--output", type=Path, default=Path("packed"), help="folder")
    parser.add_argument("--flash", type=int, default=70_000, help="bytes for the weights")
    parser.add_argument("--sram", type=int, default=8_192, help="bytes to unpack a tensor into")
    parser.add_argument("--target", choices=sp.targets(), default="cortex-m55")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    try:
        pack(arguments.model, arguments.output, arguments.flash, arguments.sram, arguments.target)
    # All errors that stridepack raises on purpose are of this class. Their messages say what is
    # wrong and what you can do. sp.BudgetError says by how many bytes the budget is too small.
    except sp.StridepackError as error:
        sys.exit(f"pack_model: {error}")


if __name__ == "__main__":
    main()
