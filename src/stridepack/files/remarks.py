# SPDX-License-Identifier: Apache-2.0
"""What `pack` says of a model, beside how its tensors are stored."""

from collections.abc import Iterable, Sequence

from stridepack._words import counted
from stridepack.files.job import Stored
from stridepack.tensor import WeightTensor
from stridepack.tflite.operators import CMSIS_NN_ONLY
from stridepack.tflite.pack import NOT_DECODED, PackedModel

_IN_A_BYTE = {"uint8": "one element", "int4": "two elements", "uint4": "two elements"}


def stored_as_bytes(tensors: Sequence[WeightTensor]) -> list[str]:
    """What is stored of tensors whose elements are not int8."""
    return [
        f"{_has(n, f'{dtype} elements')}. Their bytes are stored as the model has them, with "
        f"{_IN_A_BYTE.get(dtype, 'four elements')} in each, and are unpacked to the same bytes."
        for dtype, n in _other_types(tensors).items()
    ]


def about_windows(blobs: Iterable[tuple[int, int]], n_files: int = 1) -> list[str]:
    """What reads files with tiles from a memory that is not mapped.

    blobs: of each, the number of tiles and `reader_window`.
    """
    some = list(blobs)
    if all(n_tiles <= 1 for n_tiles, _ in some):
        return []
    window = max(window for _, window in some)
    these = "this file" if n_files == 1 else "one of these files"
    return [f"Firmware that reads {these} through `spk_reader` needs a window of {window:,} bytes."]


def about_model(packed: PackedModel, tensors: Sequence[Stored]) -> list[str]:
    """What was done to a .tflite beside packing, and what else could be packed."""
    remarks = []
    if n := len(packed.already):
        remarks.append(
            f"{counted(n, 'tensor')} {'was' if n == 1 else 'were'} packed in the model already, "
            f"and {'stays as it is' if n == 1 else 'stay as they are'}. To pack the model in "
            "another way, unpack it first with `stridepack unpack`."
        )
    if n := len(packed.densified):
        remarks.append(
            f"{_has(n, 'the sparse encoding of TensorFlow Lite')}, which TensorFlow Lite Micro "
            "does not read. What is not packed of them is dense now."
        )
    for dtype in _other_types([s.tensor for s in tensors if isinstance(s.tensor, WeightTensor)]):
        if any(note == NOT_DECODED.format(dtype) for note in packed.notes.values()):
            remarks.append(
                f"A .spk or .c file holds {dtype} tensors packed. So does a .tflite file for the "
                'decoder of stridepack: --decoder stridepack, or `decoder="stridepack"` in Python.'
            )
    if n := sum(note.endswith(CMSIS_NN_ONLY) for note in packed.notes.values()):
        remarks.append(
            f"For firmware without the kernels of CMSIS-NN, {n} of these tensors can be packed: "
            "--reference-kernels, or `reference_kernels=True` in Python."
        )
    return remarks


def _other_types(tensors: Sequence[WeightTensor]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for tensor in tensors:
        if tensor.dtype != "int8":
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + 1
    return counts


def _has(n: int, what: str) -> str:
    return f"1 tensor has {what}" if n == 1 else f"{n:,} tensors have {what}"
