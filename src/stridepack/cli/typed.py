"""Errors with their options as they are typed on the command line."""

from stridepack.errors import StridepackError


def as_typed(error: StridepackError) -> str:
    """The text of an error, with options as they are typed on the command line.

    >>> as_typed(StridepackError("`max_cycles=10` is too small.", max_cycles=10))
    '`--max-cycles 10` is too small.'
    """
    text = str(error)
    for name, value in error.options.items():
        flag = f"--{name.replace('_', '-')}"
        typed = flag if value is True else f"{flag} {_value(value)}"
        text = text.replace(f"`{name}={value}`", f"`{typed}`")
    return text


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
