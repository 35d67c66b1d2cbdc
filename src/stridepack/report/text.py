# SPDX-License-Identifier: Apache-2.0
"""Text of others, such as names in a file, made safe to show."""

from rich import markup


def printable(text: str) -> str:
    """A text without anything that a terminal acts on: such characters become escapes.

    >>> print(printable("conv\\x1b[2J"), printable("two\\nlines"))
    conv\\x1b[2J two\\nlines
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


def escape(text: str) -> str:
    """The same, for rich: square brackets stay what they are."""
    return markup.escape(printable(text))
