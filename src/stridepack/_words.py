# SPDX-License-Identifier: Apache-2.0
"""Words of messages: lists of names, and numbers with their nouns."""

from collections.abc import Iterable


def listed(names: Iterable[str], before_last: str = "or") -> str:
    """Names as a sentence lists them.

    >>> listed(["size", "speed", "balanced"]), listed(["tflm", "stridepack"], "and")
    ('size, speed or balanced', 'tflm and stridepack')
    """
    *others, last = list(names) or ["none"]
    return f"{', '.join(others)} {before_last} {last}" if others else last


def counted(count: int, noun: str) -> str:
    """A number and its noun, in the plural where there is not exactly one.

    >>> counted(1, "byte"), counted(4096, "cycle")
    ('1 byte', '4,096 cycles')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
