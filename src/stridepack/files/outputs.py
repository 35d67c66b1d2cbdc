# SPDX-License-Identifier: Apache-2.0
"""Where an output may be written: what is refused before anything takes time."""

import os
import stat
from pathlib import Path

from stridepack.errors import InputError, OutputError


def check_output(target: Path) -> None:
    """Refuse a place where no file can be written, or where one must not be replaced.

    Raises
    ------
    OutputError
    """
    try:
        place = final_place(target)
        mode = _mode_of(target)
        if mode is None and not place.parent.is_dir():
            raise OutputError(
                f"{target} cannot be written, because there is no directory {place.parent}. "
                "Make it first."
            )
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}.") from error
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        raise OutputError(
            f"{target} cannot be written, because it is a directory. Give a file name."
        )
    if not stat.S_ISREG(mode):
        raise OutputError(
            f"{target} cannot be written, because it is a pipe, a socket or a device and not a "
            "file. Give the name of a file."
        )
    # The superuser may write any file, but a file without any right to write is meant to stay.
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise OutputError(
            f"{target} cannot be written, because it is read-only. Choose another name, or make it "
            "writable first."
        )


def final_place(target: Path) -> Path:
    """The file itself, where a symbolic link leads to it."""
    return Path(os.path.realpath(target)) if target.is_symlink() else target


def refuse_to_overwrite(output: Path, source: Path, what: str) -> None:
    """Raise InputError where the output is the file that is read, by whatever name.

    Parameters
    ----------
    output, source : Path
    what : str
        Of the source, such as "model".
    """
    if is_same_file(output, source):
        raise InputError(f"{output}: the output would overwrite the {what}. Choose another name.")


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two names lead to one file; not if one of them leads nowhere, which others say."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # ValueError: a zero byte in a name
        return False


def _mode_of(path: Path) -> int | None:
    """Mode of the file, or None where there is none. Links are followed."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
