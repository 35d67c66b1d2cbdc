# SPDX-License-Identifier: Apache-2.0
"""Files by their addresses: a path, or anything that fsspec knows, such as `s3://bucket/file`."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from stridepack.errors import MissingDependencyError, ModelError, OutputError, reason
from stridepack.files.atomic import new_files, write_files
from stridepack.files.read import check_is_file

NEEDED = "Install it with `pip install 'stridepack[cluster]'`."


_HERE = ("file://", "local://")  # addresses of files of this machine


def is_remote(address: str) -> bool:
    """Whether an address is more than a path of this machine.

    >>> [is_remote(a) for a in ("s3://bucket/a.tflite", "models/a.tflite", "file:///a.tflite")]
    [True, False, False]
    """
    return "://" in address and not address.startswith(_HERE)


def path_of(address: str) -> Path:
    """The path of an address that is not remote.

    >>> str(path_of("file:///models/a.tflite")), str(path_of("models/a.tflite"))
    ('/models/a.tflite', 'models/a.tflite')
    """
    for begin in _HERE:
        address = address.removeprefix(begin)
    return Path(address)


def name_of(address: str) -> str:
    """The last part of an address.

    >>> name_of("s3://bucket/models/a.tflite")
    'a.tflite'
    """
    return PurePosixPath(address.partition("://")[2] or address).name


def read(address: str) -> bytes:
    """The content of a file.

    Raises
    ------
    ModelError
        When it cannot be read.
    """
    with _reading(address):
        if not is_remote(address):
            path = path_of(address)
            check_is_file(path)
            return path.read_bytes()
        system, place = _opened(address)
        content: bytes = system.cat_file(place)
    return content


def write(address: str, content: bytes) -> None:
    """Write a file, complete or not at all. Folders are made.

    Raises
    ------
    OutputError
    """
    if not is_remote(address):
        write_files({_in_folder(address): content})
        return
    system, path = _opened(address)
    with _saying(address):
        system.makedirs(system._parent(path), exist_ok=True)
        system.pipe_file(path, content)


def put(file: Path, address: str) -> None:
    """Copy a file of this machine to an address, complete or not at all. Folders are made.

    Raises
    ------
    OutputError
    """
    if is_remote(address):
        system, path = _opened(address)
        with _saying(address):
            system.makedirs(system._parent(path), exist_ok=True)
            system.put_file(str(file), path)
        return
    local = _in_folder(address)
    with new_files() as new, file.open("rb") as source, new.add(local).stream() as target:
        shutil.copyfileobj(source, target)


def exists(address: str) -> bool:
    """Whether there is such a file."""
    if not is_remote(address):
        return path_of(address).exists()
    system, path = _opened(address)
    try:
        found: bool = system.exists(path)
    except _expected() as error:
        raise ModelError(f"{address}: the file cannot be read: {reason(error)}.") from error
    return found


@contextlib.contextmanager
def fetched(address: str) -> Iterator[Path]:
    """A local file with the content of another, for as long as the block takes."""
    if not is_remote(address):
        yield path_of(address)
        return
    with tempfile.TemporaryDirectory(prefix="stridepack-") as folder:
        file = Path(folder, name_of(address))
        with _reading(address):
            system, path = _opened(address)
            system.get_file(path, str(file))
        yield file


def joined(folder: str, name: str) -> str:
    """A file in a folder.

    >>> joined("s3://bucket/a", "b.spk"), joined("", "b.spk")
    ('s3://bucket/a/b.spk', 'b.spk')
    """
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else os.path.join(folder, name)  # noqa: PTH118


def _opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there."""
    try:
        import fsspec.core
    except ImportError as error:
        raise MissingDependencyError(
            f"{address}: addresses such as this need the package fsspec. {NEEDED}"
        ) from error
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ValueError as error:  # an unknown protocol
        raise ModelError(f"{address}: {reason(error)}.") from error
    except ImportError as error:  # a protocol whose package is not installed; the text names it
        raise MissingDependencyError(f"{address}: {reason(error)}.") from error
    return system, path


def _in_folder(address: str) -> Path:
    """A path of this machine, of which the folder is made."""
    path = path_of(address)
    with _saying(address):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _reading(address: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ModelError(f"{address}: there is no such file.") from None
    except _expected() as error:
        raise ModelError(f"{address}: the file cannot be read: {reason(error)}.") from error


@contextlib.contextmanager
def _saying(address: str) -> Iterator[None]:
    # NotImplementedError: a store that can only be read
    refused: tuple[type[BaseException], ...] = (*_expected(), NotImplementedError)
    try:
        yield
    except refused as error:
        raise OutputError(f"{address} cannot be written: {reason(error)}.") from error


def _expected() -> tuple[type[BaseException], ...]:
    """What storage raises: errors of the system, and those of Amazon's library."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return (OSError,)
    return OSError, BotoCoreError, ClientError
