# SPDX-License-Identifier: Apache-2.0
"""Numbers of bytes as people write them, and the option --max-memory."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import click

from stridepack._memory import set_max_memory

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}

Command = TypeVar("Command", bound=Callable[..., Any])


def nbytes(text: str) -> int:
    """A number of bytes, for the `type` of an option: 60000, 60_000, 60k, 60 kB or 48KiB.

    >>> nbytes("60kB"), nbytes("48KiB"), nbytes("48k"), nbytes("1.5 MB")
    (60000, 49152, 48000, 1500000)
    """
    plain = text.lower()
    if re.fullmatch(r"\s*\d{1,3}(,\d{3})+(?!\d).*", plain, re.ASCII):  # not a decimal comma
        plain = plain.replace(",", "")
    plain = plain.replace("_", "")
    match = re.fullmatch(r"\s*(\d+)(\.\d+)?\s*([kmg]?i?)b?\s*", plain, re.ASCII)
    if match is None or match[3] not in _UNITS:
        raise click.BadParameter(
            f"{text!r} is not a number of bytes. Write it such as 60000, 60kB (60,000 bytes) or "
            "48KiB (49,152 bytes)."
        )
    number = Fraction(match[1] + (match[2] or "")) * _UNITS[match[3]]
    if 0 < number < 1 or (not match[3] and number.denominator > 1):
        raise click.BadParameter(f"{text!r} has a part of a byte. Give a whole number of bytes.")
    return int(number)


def memory_option(command: Command) -> Command:
    """The option --max-memory, which holds for all files that the command reads."""

    def allow(ctx: click.Context, param: click.Parameter, value: int | None) -> None:
        set_max_memory(value)

    return click.option(
        "--max-memory",
        type=nbytes,
        metavar="BYTES",
        expose_value=False,
        callback=allow,
        help="What the tensors of a file may take when they are unpacked.  [default: 64 times the "
        "size of the file, or 64 MiB if that is more]",
    )(command)
