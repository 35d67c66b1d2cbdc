# SPDX-License-Identifier: Apache-2.0
"""Write the C runtime into a directory, anew or over an earlier version of itself."""

import contextlib
import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from stridepack._words import listed
from stridepack.errors import InputError, OutputError, reason
from stridepack.files.atomic import write_files
from stridepack.files.runtime import amalgamation
from stridepack.files.runtime.library import Files, read_library
from stridepack.files.runtime.packages import DEFAULT, PACKAGES

# Says what stridepack has written, so that a later version finds what is stale and what was edited.
_RECORD = "stridepack-files.json"


def write_runtime(
    directory: Path,
    *,
    package: str | None = None,
    amalgamate: bool = False,
    decoders: Collection[str] | None = None,
    uncalled: Collection[str] = (),
    tflm: bool = False,
) -> list[Path]:
    """Write sources, licence and build file to a directory, which is made if need be.

    Files that an earlier call has written, and that this one does not, are removed.

    Parameters
    ----------
    directory : Path
    package : str, optional
        The build system: a key of `PACKAGES`. Default: cmake.
    amalgamate : bool
        One header and one C file instead, which need no build system.
    decoders : collection of str, optional
        What to decode: formats, and "transforms", as `needed_decoders` lists it. Default: all.
    uncalled : collection of str
        With `decoders`: other parts to leave out, as `Needs` has them. The crate for Rust calls all
        of them, so there they stay.
    tflm : bool
        Also tflm/: the C++ that registers the decoder with TensorFlow Lite Micro.

    Returns
    -------
    list of Path
        The files written, in order.

    Raises
    ------
    InputError
        For an unknown build system, or for one together with `amalgamate`.
    OutputError
        When a file cannot be written, belongs to others, or was edited since it was written.
    """
    if package is not None and package not in PACKAGES:
        raise InputError(
            f"`package={package}` is unknown. Choose {listed(PACKAGES)}.", package=package
        )
    if package is not None and amalgamate:
        raise InputError(
            "`amalgamate=True` writes one C file, which any build system compiles, and so there is "
            f"no package of it for {package}. Leave one of them out.",
            amalgamate=True,
        )
    chosen = PACKAGES[package or DEFAULT]
    arrange = amalgamation.arrange if amalgamate else chosen.files
    uncalled = () if chosen.calls_all else uncalled
    content = arrange(read_library(decoders, uncalled=uncalled, tflm=tflm))
    earlier = _earlier(directory)
    _refuse(directory, content, earlier)
    stale = [directory / path for path in earlier if path not in content]
    record = {path: _digest(data) for path, data in content.items()}
    content = content | {_RECORD: (json.dumps({"files": record}, indent=1) + "\n").encode()}
    files = {directory / path: data for path, data in content.items()}
    made: list[Path] = []
    try:
        for parent in {path.parent for path in files}:
            made += _make(parent)
        write_files(files)
    except (OSError, OutputError) as error:
        _remove_folders(made)
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"The directory {directory} cannot be made: {error.strerror}. Choose another name."
        ) from error
    for path in stale:
        with contextlib.suppress(OSError):
            path.unlink()
    _remove_folders([path.parent for path in stale])
    return sorted(files)


def _make(directory: Path) -> list[Path]:
    """Make a directory and those above it. Returns the ones that were not there."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_folders(folders: list[Path]) -> None:
    """Remove those that are empty, the innermost first."""
    for folder in sorted(set(folders), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _earlier(directory: Path) -> dict[str, str]:
    """What an earlier call has written: digest by path. Empty where there was none."""
    try:
        record = json.loads((directory / _RECORD).read_bytes())["files"]
        inside = {str(path): str(digest) for path, digest in record.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    # A record that somebody else has written must not make us remove files elsewhere.
    return {path: digest for path, digest in inside.items() if _is_inside(path)}


def _is_inside(path: str) -> bool:
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _refuse(directory: Path, content: Files, earlier: dict[str, str]) -> None:
    """Raise OutputError where work of others would be lost: their files, and changes of ours."""
    is_ours = (directory / "include/spk.h").is_file() or (directory / "src/spk.h").is_file()
    try:
        for path in dict.fromkeys((*content, *earlier)):
            place = directory / path
            if not place.is_file():
                continue
            old = place.read_bytes()
            if path in earlier and _digest(old) == earlier[path]:
                continue
            if old == content.get(path):
                continue
            if path in earlier:
                raise OutputError(
                    f"{place} was changed after stridepack had written it. Keep your change "
                    "elsewhere, delete the file, and run the command again."
                )
            if earlier or not is_ours:
                raise OutputError(
                    f"{place} is there already, and it is not a file of stridepack. Choose another "
                    "directory."
                )
    except OSError as error:
        raise OutputError(f"{directory} cannot be used: {reason(error)}.") from error
