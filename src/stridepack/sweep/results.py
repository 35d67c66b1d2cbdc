# SPDX-License-Identifier: Apache-2.0
"""Results as JSON lines: one complete line for each point, as soon as it is done.

A line is `{"point": ..., "result": ..., "seconds": ..., "worker": ...}`, or has an "error" in place
of the result. Of several lines of one point the last one counts.

A local file is appended to, and each line is on the disk before the next point is waited for. What
a killed run has left of a line is removed, but nothing else ever is: a file that holds anything
else is refused, and stays as it is. A file in an object store cannot be appended to in
general: it is replaced by a longer one, at most every few seconds and at the end.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from stridepack.errors import ModelError, OutputError, reason
from stridepack.files.outputs import check_output
from stridepack.sweep import remote
from stridepack.sweep.points import Point, key_of

_BEGIN = b'{"point": {'  # of every line
_PAUSE = 5.0  # seconds between two writes of a whole file


class Results:
    """The file, open for as long as a `with` block takes. Nobody else may write it then.

    Attributes
    ----------
    records : dict of str to dict
        The last line of each point, by its key.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._file: _Local | _Remote
        there = remote.is_remote(address)
        self._file = _Remote(address) if there else _Local(remote.path_of(address))
        try:
            self.records = {key_of(r["point"]): r for r in parsed(self._file.text, address)}
            self._file.begin()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Results":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def is_finished(self, point: Point) -> bool:
        """Whether a point has a result, and not an error."""
        return "result" in self.records.get(key_of(point), {})

    def add(self, record: dict[str, Any]) -> None:
        """Write a line."""
        self._file.append(json.dumps(record) + "\n")
        self.records[key_of(record["point"])] = record


def parsed(text: str, address: str) -> list[dict[str, Any]]:
    """The records of a file of complete lines.

    Raises
    ------
    ModelError
        With the number of a line that is none of ours.
    """
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            record = json.loads(line)
            if not isinstance(record["point"], dict) or not {"result", "error"} & set(record):
                raise KeyError("result")
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{address}, line {number} is not a result of a sweep. Give another name for the "
                "results, or remove that line."
            ) from error
        records.append(record)
    return records


def _complete(data: bytes, address: str) -> str:
    """All complete lines. What follows them must be the begin of a line of ours."""
    end = data.rfind(b"\n") + 1
    rest = data[end:]
    if not (rest.startswith(_BEGIN) or _BEGIN.startswith(rest)):
        raise ModelError(
            f"{address} does not end with a result of a sweep. Give another name for the results."
        )
    try:
        return data[:end].decode()
    except UnicodeDecodeError as error:
        raise ModelError(f"{address} is not a text of JSON lines: {reason(error)}.") from error


class _Local:
    """A file of this machine, which other processes of ours leave alone meanwhile."""

    def __init__(self, path: Path) -> None:
        check_output(path)
        try:
            self._stream = path.open("a+b")
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {reason(error)}.") from error
        self._path = path
        try:
            self._lock()
            self._stream.seek(0)
            self.text = _complete(self._stream.read(), str(path))
        except BaseException:
            self._stream.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"Another sweep writes {self._path} at this moment. Wait for it, or give another "
                "name for the results."
            ) from None
        except OSError:  # a file system without locks
            pass

    def begin(self) -> None:
        """Remove the part of a line that a killed run has left, now that the others are known."""
        self._stream.truncate(len(self.text.encode()))

    def append(self, line: str) -> None:
        try:
            self._stream.write(line.encode())
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written: {reason(error)}.") from error

    def close(self) -> None:
        self._stream.close()


class _Remote:
    """A file of an object store."""

    def __init__(self, address: str) -> None:
        self._address = address
        data = remote.read(address) if remote.exists(address) else b""
        self.text = _complete(data, address)
        self._written, self._when = self.text, -_PAUSE

    def begin(self) -> None:
        """Write what is there once more: a store that refuses it does so before the first point."""
        self._write()

    def append(self, line: str) -> None:
        self.text += line
        if time.monotonic() - self._when >= _PAUSE:
            self._write()

    def close(self) -> None:
        if self.text != self._written:
            self._write()

    def _write(self) -> None:
        remote.write(self._address, self.text.encode())
        self._written, self._when = self.text, time.monotonic()
