# SPDX-License-Identifier: Apache-2.0
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
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

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
    with new_files() as new:
        for target, data in files.items():
            new.add(target).write(data)


@contextlib.contextmanager
def new_files(folder: Path | None = None) -> Iterator["NewFiles"]:
    """Files to be written piece by piece, which all take their places at the end of the block.

    When the block raises an exception, no target is touched, and nothing is left.

    Parameters
    ----------
    folder : Path, optional
        A directory that is not there yet. All files are put into it, and it takes its name with
        all of them in it.

    Raises
    ------
    OutputError
        As `write_files` does.
    """
    with contextlib.ExitStack() as stack:
        new = NewFiles(stack, folder)
        yield new
        new.put_in_place()


class NewFiles:
    """What `new_files` gives."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path | None) -> None:
        self._stack = stack
        self._folder = folder
        self._files: list[NewFile] = []
        self._directories: dict[Path, int] = {}

    def add(self, target: Path) -> "NewFile":
        """A new file, empty so far.

        target: its final place; with a folder, one in that folder.
        """
        with _saying(target):
            place = target
            if self._folder is None:
                check_output(target)
                place = final_place(target)
            new = NewFile(target, place, self._directory((self._folder or place).parent))
            self._stack.callback(new.close)
            self._files.append(new)
        return new

    def _directory(self, path: Path) -> int:
        """The descriptor of a directory in which files are written."""
        if path not in self._directories:
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            self._stack.callback(os.close, directory)
            _remove_stale(directory)
            self._directories[path] = directory
        return self._directories[path]

    def put_in_place(self) -> None:
        """Complete all files, and give them their names."""
        for new in self._files:
            new.complete()
        with _renaming:
            if self._folder is None:
                for new in self._files:
                    new.put_in_place()
            else:
                with _saying(self._folder):
                    self._put_folder_in_place(self._folder)

    def _put_folder_in_place(self, folder: Path) -> None:
        temporary = folder.parent / _new_name()
        temporary.mkdir()
        within = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(within)
            for new in self._files:
                new.put_in_place(within)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        finally:
            os.close(within)


class NewFile:
    """A file that is not in its place yet.

    Parameters
    ----------
    target : Path
        As the user calls it, for messages.
    place : Path
        Where it goes.
    directory : int
        The descriptor of the directory where it is written.
    """

    def __init__(self, target: Path, place: Path, directory: int) -> None:
        self._target = target
        self._place = place
        self._directory = directory
        self._file, self._name = _open(directory)

    def write(self, data: bytes | bytearray) -> None:
        """Write at the end."""
        with _saying(self._target):
            _write_all(self._file, data)

    def write_start(self, data: bytes) -> None:
        """Write over the first bytes. Nothing can be added at the end after it."""
        with _saying(self._target):
            os.lseek(self._file, 0, os.SEEK_SET)
            _write_all(self._file, data)

    @contextlib.contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """To write it through an object that may also go back."""
        with _saying(self._target), os.fdopen(os.dup(self._file), "wb") as file:
            yield file

    def nbytes(self) -> int:
        """How long it is by now."""
        return os.fstat(self._file).st_size

    def complete(self) -> None:
        """Bring it to the disk, with the mode of the file that it replaces."""
        with _saying(self._target):
            with contextlib.suppress(FileNotFoundError):
                _keep_mode(self._file, self._place.stat())
            os.fsync(self._file)

    def put_in_place(self, directory: int | None = None) -> None:
        """Give it its name, which may replace another file.

        directory: the descriptor of the one that it goes to, if it is not beside its target.
        """
        within = self._directory
        with _saying(self._target):
            if not self._name:
                name = _new_name()
                os.link(f"/proc/self/fd/{self._file}", name, dst_dir_fd=within)
                self._name = name
            into = within if directory is None else directory
            os.replace(self._name, self._place.name, src_dir_fd=within, dst_dir_fd=into)
            self._name = ""

    def close(self) -> None:
        """Forget it, where it is not in its place."""
        if self._name:
            with contextlib.suppress(OSError):
                os.unlink(self._name, dir_fd=self._directory)
        os.close(self._file)


@contextlib.contextmanager
def _saying(target: Path) -> Iterator[None]:
    """Errors of the system, with the file that cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}.") from error


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
                file = _open_stale(name, directory)
                try:
                    if _lock(file):
                        _remove(name, file, directory)
                finally:
                    os.close(file)


def _open_stale(name: str, directory: int) -> int:
    """To write, because some file systems lock nothing else; a directory cannot be written."""
    try:
        return os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=directory)
    except IsADirectoryError:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)


def _remove(name: str, file: int, directory: int) -> None:
    """Remove a file, or a directory with the files in it. `file` is it, opened."""
    if stat.S_ISDIR(os.fstat(file).st_mode):
        for within in os.listdir(file):
            os.unlink(within, dir_fd=file)
        os.rmdir(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)


def _write_all(file: int, data: bytes | bytearray) -> None:
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
