"""What can go wrong, as exceptions. Every message names the thing, the limit and the value met."""

from typing import Any

from stridepack import _spec


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
