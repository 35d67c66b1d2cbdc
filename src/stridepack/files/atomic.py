"""Writing files so that they are either complete or not there at all.

A file is written without a name where the system can do that (Linux), so that nothing is left of a
run that is killed. Elsewhere it has a temporary name, and the next run removes what a killed one
has left. A lock on the file says whether somebody still writes it.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from stridepack.errors import OutputError
from stridepack.files.outputs import check_output, final_place

_TEMPORARY = re.compile(r"\.stridepack-[0-9a-f]{16}\.tmp")

# What says that a file system has no files without a name
_NO_UNNAMED_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)

# Files that belong together, such as a .c and its .h, change their names together.
_renaming = threading.Lock()


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write each file completely, then put them all in their places.

    A symbolic link stays one: the file that it leads to is replaced. A file that is replaced keeps
    its mode.

    Raises
    ------
    OutputError
        When a directory is missing, a file is read-only, a disk is full, ...: no target was
        touched.
    """
    target = Path()
    with contextlib.ExitStack() as stack:
        try:
            written = []
            for target, data in files.items():
                check_output(target)
                written.append((target, stack.enter_context(_written(final_place(target), data))))
            with _renaming:
                for target, new in written:  # noqa: B007 (the message names it)
                    new.put_in_place()
        except OSError as error:
            raise OutputError(f"{target} cannot be written: {error.strerror or error}.") from error


class _New:
    """A complete file that is not in its place yet.

    Attributes
    ----------
    directory, file : int
        Descriptors.
    name : str
        The temporary one; empty where it has none.
    """

    def __init__(self, target: Path, directory: int) -> None:
        self.directory = directory
        self._target = target.name
        self.file, self.name = _open(directory)

    def put_in_place(self) -> None:
        """Give it its name, which may replace another file."""
        if not self.name:
            name = _new_name()
            os.link(f"/proc/self/fd/{self.file}", name, dst_dir_fd=self.directory)
            self.name = name
        within = self.directory
        os.replace(self.name, self._target, src_dir_fd=within, dst_dir_fd=within)
        self.name = ""


@contextlib.contextmanager
def _written(target: Path, data: bytes) -> Iterator[_New]:
    """The content beside its final place, on the disk."""
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _remove_stale(directory)
        new = _New(target, directory)
        try:
            _write_all(new.file, data)
            with contextlib.suppress(FileNotFoundError):
                _keep_mode(new.file, target.stat())
            os.fsync(new.file)
            yield new
        finally:
            if new.name:
                with contextlib.suppress(OSError):
                    os.unlink(new.name, dir_fd=directory)
            os.close(new.file)
    finally:
        os.close(directory)


def _open(directory: int) -> tuple[int, str]:
    """A new file that is locked, and its temporary name, or an empty one where it has none."""
    unnamed = getattr(os, "O_TMPFILE", 0)
    if unnamed and Path("/proc/self/fd").is_dir():
        try:
            file = os.open(".", unnamed | os.O_WRONLY, 0o666, dir_fd=directory)
        except OSError as error:
            if error.errno not in _NO_UNNAMED_FILES:
                raise
        else:
            _lock(file)
            return file, ""
    while True:
        name = _new_name()
        file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666, dir_fd=directory)
        if _lock(file) is not False and os.fstat(file).st_nlink:
            return file, name
        os.close(file)  # another process took it for stale before it was locked


def _new_name() -> str:
    """Short: the name of the target may be as long as the system allows."""
    return f".stridepack-{secrets.token_hex(8)}.tmp"


def _lock(file: int) -> bool | None:
    """Whether the file could be locked, and not somebody else holds it; None: there are no locks.

    The lock ends with the process at the latest.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_stale(directory: int) -> None:
    """Remove temporary files whose writers are gone."""
    with contextlib.suppress(OSError):
        for name in filter(_TEMPORARY.fullmatch, os.listdir(directory)):
            with contextlib.suppress(OSError):
                file = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=directory)
                try:
                    if _lock(file):
                        os.unlink(name, dir_fd=directory)
                finally:
                    os.close(file)


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left[: 2**24]) :]


def _keep_mode(file: int, old: os.stat_result) -> None:
    """Give a new file the owner and the mode of the one that it replaces, as far as possible."""
    new = os.fstat(file)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(file, old.st_uid, old.st_gid)
    os.fchmod(file, stat.S_IMODE(old.st_mode))
