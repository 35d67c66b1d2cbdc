# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as exceptions. Every message names the thing, the limit and the value met."""

import errno
from typing import Any

from stridepack import _spec

# Of what others say; some repeat the whole file
_LONGEST = 300


class StridepackError(Exception):
    """Base of all errors that stridepack raises on purpose.

    Parameters
    ----------
    text : str
        Full sentences: what is wrong, and what to do.
    **options
        The options that the text names, each as ``name=value``. The command line replaces these
        by what was typed there, such as ``--name value``.
    """

    def __init__(self, text: str, /, **options: Any) -> None:
        super().__init__(text)
        self.options = options


class InputError(StridepackError, ValueError):
    """An argument or option outside its limits."""


class ModelError(StridepackError):
    """A model or array file that cannot be read, or holds nothing that can be packed."""


class CorruptDataError(StridepackError):
    """Bytes that are not a valid blob or bundle."""


class BudgetError(StridepackError):
    """No plan for a model keeps its budgets."""


class OutputError(StridepackError):
    """A file that cannot be written. Nothing was left half-written."""


class ExportError(StridepackError):
    """A conversion that did not keep the weights that were trained."""


class MissingDependencyError(StridepackError, ImportError):
    """An optional package that is needed for this is not installed."""


def raise_for_status(status: int, what: str) -> None:
    """Raise CorruptDataError unless a status of the C runtime is ok."""
    if status:
        raise CorruptDataError(f"{what}: {status_text(status)}")


def status_text(status: int) -> str:
    """What a status of the C runtime means."""
    name, text = _spec.STATUS[status]
    return f"{text} (status {status}, {name})"


def reason(error: BaseException) -> str:
    """What an error of Python or of the system says, without its number and file name.

    >>> reason(FileNotFoundError(2, "No such file or directory", "x")), reason(EOFError())
    ('No such file or directory', 'EOFError')
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return short.rstrip(".") or type(error).__name__


def explained(error: BaseException) -> StridepackError | None:
    """The one place that knows which errors of Python and of the system are to be expected.

    Returns
    -------
    StridepackError or None
        With a message for people; None for an error that only a defect of stridepack explains.
    """
    if isinstance(error, StridepackError):
        return error
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return StridepackError(
            "The system starts no further thread for this process. Give it more memory, or allow "
            "more processes and threads (`ulimit -u` shows how many)."
        )
    if isinstance(error, MemoryError):
        return StridepackError(
            "There is not enough memory for this. Give the process more memory, or split the model "
            "over several files."
        )
    if isinstance(error, Warning):
        return StridepackError(
            f"{error} Python was told to end at warnings, by `-W error` or by PYTHONWARNINGS."
        )
    if isinstance(error, OSError):
        if error.filename is None and error.errno in (errno.EMFILE, errno.ENFILE):
            return StridepackError(
                "This process cannot open any more files. Raise the limit (`ulimit -n` shows it)."
            )
        if error.filename is None:  # our own files are always named
            return OutputError(f"The output cannot be written: {reason(error)}.")
        return StridepackError(f"{error.filename}: {reason(error)}.")
    return None
