# SPDX-License-Identifier: Apache-2.0
"""What a packed model needs of the runtime."""

from pathlib import Path

from stridepack import _spec
from stridepack.errors import InputError, reason
from stridepack.files.needs import needed_decoders, said_in
from stridepack.files.spk import read_bundle


def read_needs(path: Path) -> list[str]:
    """The decoders that `pack` has used for a file: formats, and "transforms".

    Parameters
    ----------
    path : Path
        A .spk file, or the header that lies beside packed C arrays, which names them.

    Raises
    ------
    InputError
        When the file is something else, or cannot be read.
    """
    if path.suffix == ".spk":
        return needed_decoders(read_bundle(path).values())
    if path.suffix != ".h":
        raise InputError(
            f"`model={path}`: stridepack finds out what the runtime has to decode from a .spk "
            "file, or from the header that `stridepack pack -o weights.c` writes beside weights.c. "
            "Name one of these.",
            model=path,
        )
    try:
        names = said_in(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    if names is None:
        raise InputError(
            f"{path} does not say what the runtime has to decode, so `stridepack pack` has not "
            "written it. Name the header that lies beside packed weights.",
            model=path,
        )
    known = (*_spec.FORMATS, "transforms")
    for name in names:
        if name not in known:
            raise InputError(
                f"{path} needs the decoder {name}, which this version of stridepack does not have. "
                "Pack the model again.",
                model=path,
            )
    if set(names) == {"transforms"}:
        raise InputError(
            f"{path} needs transforms and no format. `stridepack pack` writes no such header, so "
            "somebody has changed it. Pack the model again.",
            model=path,
        )
    return names
