"""Writing files so that they are either complete or not there at all."""

import contextlib
import itertools
import os
from collections.abc import Mapping
from pathlib import Path

from stridepack.errors import OutputError

# Two threads that write the same file at once have a temporary file each.
_number = itertools.count()


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write each file under a temporary name beside its final place, then rename them all.

    Raises
    ------
    OutputError
        When a directory is missing, a disk is full, ...: no target was touched.
    """
    temporaries: dict[Path, Path] = {}
    target = Path()
    try:
        for target, data in files.items():
            if target.is_dir():
                raise OutputError(
                    f"{target} cannot be written, because it is a directory. Give a file name."
                )
            if not target.parent.is_dir():
                raise OutputError(
                    f"{target} cannot be written, because there is no directory {target.parent}. "
                    "Make it first."
                )
            temporary = target.with_name(f".{target.name}.{os.getpid()}.{next(_number)}.tmp")
            with temporary.open("xb") as file:
                temporaries[target] = temporary
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for target, temporary in temporaries.items():
            temporary.replace(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        for temporary in temporaries.values():
            with contextlib.suppress(OSError):  # the directory itself may not be there
                temporary.unlink(missing_ok=True)
