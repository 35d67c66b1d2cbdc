# SPDX-License-Identifier: Apache-2.0
"""What a packed model needs of the runtime."""

from pathlib import Path
from typing import NamedTuple

from stridepack import _spec
from stridepack.errors import InputError, ModelError, reason
from stridepack.files.kinds import C_TEXT, holds_tflite, kind_of, tflite_bytes
from stridepack.files.needs import needed_decoders, said_in
from stridepack.files.read import check_is_file
from stridepack.files.runtime.library import NOT_IN_TFLM
from stridepack.files.spk import read_bundle
from stridepack.tflite.decode import DECODE, own_blobs
from stridepack.tflite.model import load_model


class Needs(NamedTuple):
    """What a runtime must decode, and what of it nobody calls.

    Attributes
    ----------
    decoders : list of str
        The decoders that `pack` has used: formats, and "transforms".
    uncalled : tuple of str
        Other parts that a firmware with this file does not call. None are known where a program of
        the user's own calls the library.
    """

    decoders: list[str]
    uncalled: tuple[str, ...] = ()

    @property
    def in_tflm(self) -> bool:
        """Whether the operator in TensorFlow Lite Micro is all that calls the library."""
        return bool(self.uncalled)


def read_needs(path: Path) -> Needs:
    """The decoders that `pack` has used for a file: formats, and "transforms".

    Parameters
    ----------
    path : Path
        A .spk file, the header that lies beside packed C arrays, which names them, or a .tflite
        with operators of stridepack, as it is or as an array in C text.

    Raises
    ------
    StridepackError
        When the file is something else, is damaged, or cannot be read.
    """
    if kind_of(path) == ".spk":
        return Needs(needed_decoders(read_bundle(path).values()))
    if not holds_tflite(path):
        raise _unknown(path)
    check_is_file(path)
    if kind_of(path) == ".h" and (names := _said_in(path)) is not None:
        return Needs(names)
    try:
        model = tflite_bytes(path)
    except ModelError as error:
        if kind_of(path) not in C_TEXT:
            raise
        raise _no_model(path) from error
    return Needs(_of_operators(path, model), NOT_IN_TFLM)


def _said_in(path: Path) -> list[str] | None:
    """What a header beside packed C arrays names; None where it is another header."""
    try:
        names = said_in(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    known = (*_spec.FORMATS, "transforms")
    for name in names or ():
        if name not in known:
            raise InputError(
                f"{path} needs the decoder {name}, which this version of stridepack does not have. "
                "Pack the model again.",
                model=path,
            )
    if names is not None and set(names) == {"transforms"}:
        raise InputError(
            f"{path} needs transforms and no format. `stridepack pack` writes no such header, so "
            "somebody has changed it. Pack the model again.",
            model=path,
        )
    return names


def _of_operators(path: Path, model: bytes) -> list[str]:
    """What the operators of stridepack in a .tflite model decode."""
    parsed = load_model(model, str(path))
    blobs = own_blobs(parsed)
    if blobs:
        return needed_decoders(blobs)
    operators = {parsed.operator_name(o) for graph in parsed.subgraphs for o in graph.operators}
    if DECODE in operators:
        raise InputError(
            f"`model={path}`: TensorFlow Lite Micro's own DECODE operators unpack this model, so "
            "its firmware needs no code of stridepack. Call `resolver.AddDecode()` there. For a "
            "TensorFlow Lite Micro without such operators, pack the dense model with "
            "`decoder=stridepack`, and name the file that this writes. `stridepack unpack` makes "
            "a packed model dense.",
            model=path,
            decoder="stridepack",
        )
    raise InputError(
        f"`model={path}`: this model has no operators that unpack weights, so all its weights are "
        "dense, and its firmware needs no code of stridepack. To pack them, run `stridepack pack` "
        "with `decoder=stridepack` or with an output that ends in .spk or .c. Name the packed "
        ".spk or .tflite file then, or the header beside the .c file.",
        model=path,
        decoder="stridepack",
    )


def _unknown(path: Path) -> InputError:
    return InputError(
        f"`model={path}`: stridepack finds out what the runtime has to decode from a .spk "
        "file, from the header that `stridepack pack -o weights.c` writes beside weights.c, or "
        "from a .tflite file that was packed with `decoder=stridepack`. Name one of these.",
        model=path,
        decoder="stridepack",
    )


def _no_model(path: Path) -> InputError:
    """For C text without a model."""
    if kind_of(path) != ".h":
        return _unknown(path)
    return InputError(
        f"{path} does not say what the runtime has to decode, and none of its arrays is a .tflite "
        "model. Name the header that `stridepack pack -o weights.c` writes beside weights.c, or "
        "the .tflite or .cc file that was packed with `decoder=stridepack`.",
        model=path,
        decoder="stridepack",
    )
