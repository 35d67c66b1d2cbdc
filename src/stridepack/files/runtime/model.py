"""What a packed model needs of the runtime."""

import re
from pathlib import Path

from stridepack import _spec
from stridepack.errors import InputError, reason
from stridepack.files.c_source import needed_decoders
from stridepack.files.spk import read_bundle

_SAID = re.compile(r"^ \* What the runtime must decode: (.+)\.$", re.MULTILINE)


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
        said = _SAID.search(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error
    if not said:
        raise InputError(
            f"{path} does not say what the runtime has to decode, so `stridepack pack` has not "
            "written it. Name the header that lies beside packed weights.",
            model=path,
        )
    names = [] if said[1] == "nothing" else said[1].split(", ")
    known = (*_spec.FORMATS, "transforms")
    for name in names:
        if name not in known:
            raise InputError(
                f"{path} needs the decoder {name}, which this version of stridepack does not have. "
                "Pack the model again.",
                model=path,
            )
    return names
