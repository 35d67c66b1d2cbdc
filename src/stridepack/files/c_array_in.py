# SPDX-License-Identifier: Apache-2.0
"""C text in: the .tflite model that one of its arrays holds.

`xxd -i` writes such arrays, and so do TensorFlow Lite Micro, Arduino and Edge Impulse. This is no
C compiler: it finds ``name[...] ... {`` with a list of integers after it. It takes time and memory
that grow with the size of the text only, whatever the text is.
"""

import re
from collections.abc import Iterator

import numpy as np

from stridepack._words import counted, listed
from stridepack.errors import ModelError
from stridepack.files.c_names import GENERATED_BLOBS
from stridepack.tflite.model import IDENTIFIER

# C text is five to six times as large as the model in it.
_MAX_TEXT = 256 * 2**20
_CHUNK = 2**20

# Comments, and strings and characters in which what looks like a comment is none. Each alternative
# also matches where its end is missing, so that none is tried twice on the same text.
_COMMENTS_AND_STRINGS = re.compile(
    rb"""//[^\n]*+ | /\*.*?(?:\*/|\Z) | "(?:\\.|[^"\\\n])*+"? | '(?:\\.|[^'\\\n])*+'?""",
    re.DOTALL | re.VERBOSE,
)
# name [16] PROGMEM __attribute__((aligned(16))) = { ... }
_ARRAY = re.compile(rb"\b([A-Za-z_]\w*+)\s*+\[[^][{};]{0,200}+\][^][{};]{0,200}+\{([^{}]*+)\}")
# The same where its end may be missing, or other braces come first
_BEGUN = re.compile(_ARRAY.pattern.removesuffix(rb"\}") + rb"([{}]?)")
_INTEGER = re.compile(rb"([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)[uUlL]{0,3}")


def model_in_c(text: bytes, file: str) -> bytes:
    """The one array of a C text that is a .tflite model, as bytes.

    Parameters
    ----------
    text : bytes
        The whole file.
    file : str
        Its name, for messages.

    Raises
    ------
    ModelError
        Where no array is one, or several are.
    """
    if len(text) > _MAX_TEXT:
        raise ModelError(
            f"{file}: it has {len(text):,} bytes. C text of at most {_MAX_TEXT:,} bytes is read. "
            "Give the .tflite file that it was made from."
        )
    packed_by_us = GENERATED_BLOBS.encode() in text[:4096]
    text = _COMMENTS_AND_STRINGS.sub(_blank, text)
    arrays = list(_arrays(text))
    models = [(name, data) for name, data in arrays if data[4:8] == IDENTIFIER]
    if len(models) == 1:
        return models[0][1]
    if models:
        raise ModelError(
            f"{file}: {len(models)} of its arrays are .tflite models: {_named(models)}. Put the "
            "one that you want into a file of its own."
        )
    if packed_by_us:
        raise ModelError(
            f"{file}: stridepack wrote this file for the C library, and does not read it again. "
            "Pack the same model into a .spk file, which can be verified and unpacked."
        )
    found = [f"Its arrays of bytes are {_named(arrays)}."] if arrays else []
    if why := _what_is_wrong(text):
        found.append(why)
    if not found:
        found.append("It has no array of bytes.")
    raise ModelError(
        f"{file}: no array in it is a .tflite model, which has the letters TFL3 in its bytes 4 to "
        f"7. {' '.join(found)} An array looks like "
        "`const unsigned char g_model[] = {0x1c, 0x00, ...};`."
    )


def _blank(match: re.Match[bytes]) -> bytes:
    """A comment stands for a space, and a string for something that is no number."""
    return b" " if match[0].startswith(b"/") else b'""'


def _arrays(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the arrays that hold nothing but bytes."""
    for match in _ARRAY.finditer(text):
        data = _values(match[2])
        if data is not None:
            yield match[1].decode(), data


def _what_is_wrong(text: bytes) -> str:
    """Why the longest array that holds something else than bytes does; empty if there is none."""
    longest = max(
        (match for match in _BEGUN.finditer(text) if match[3] != b"}" or _values(match[2]) is None),
        key=lambda match: len(match[2]),
        default=None,
    )
    if longest is None:
        return ""
    name, body, end = longest[1].decode()[:80], _without_spaces(longest[2]), longest[3]
    if end == b"{":
        return f"Array {name} does not hold bytes: there are braces within its braces."
    if end == b"}" and not body:
        return f"Array {name} is empty."
    elements = body.split(b",")
    if not end and not longest[2].rstrip().endswith(b","):
        elements.pop()  # it may be cut off itself
    integers = _Integers()
    for i, element in enumerate(elements, 1):
        try:
            integers[element]
        except ValueError:
            shown = element[:40].decode(errors="replace") or "empty"
            return (
                f"Array {name} does not hold bytes: its element {i:,} is {shown}, and not an "
                "integer from -128 to 255."
            )
    return (
        f"The braces of array {name} do not end: the text ends after "
        f"{counted(len(elements), 'element')}. The file was cut off."
    )


def _values(body: bytes) -> bytes | None:
    """The bytes that stand between the braces of an array; None for anything else."""
    body = _without_spaces(body)
    if not body:
        return None
    if (data := _two_hex_digits_each(body)) is not None:
        return data
    known = _Integers()
    values = bytearray()
    begin = 0
    while begin < len(body):
        end = body.find(b",", begin + _CHUNK)
        end = len(body) if end < 0 else end
        try:
            values += bytes(map(known.__getitem__, body[begin:end].split(b",")))
        except ValueError:
            return None
        begin = end + 1
    return bytes(values)


def _without_spaces(body: bytes) -> bytes:
    """Also without the comma that may follow the last element."""
    return body.translate(None, b" \t\r\n\v\f").removesuffix(b",")


def _two_hex_digits_each(body: bytes) -> bytes | None:
    """The bytes where all are written as 0x1c, which is what programs write."""
    if len(body) % 5 != 4:
        return None
    rows = np.frombuffer(body + b",", np.uint8).reshape(-1, 5)
    if not (
        (rows[:, 0] == ord("0")).all()
        and ((rows[:, 1] | 0x20) == ord("x")).all()
        and (rows[:, 4] == ord(",")).all()
    ):
        return None
    try:
        return bytes.fromhex(rows[:, 2:4].tobytes().decode("ascii"))
    except ValueError:
        return None


class _Integers(dict[bytes, int]):
    """Integers of one byte by what is written; ValueError for anything else."""

    def __missing__(self, written: bytes) -> int:
        match = _INTEGER.fullmatch(written) if len(written) <= 16 else None
        if match is None:
            raise ValueError(written)
        digits = match[2]
        octal = len(digits) > 1 and digits[1:2].isdigit() and digits.startswith(b"0")
        value = int(digits, 8 if octal else 0)
        value = -value if match[1] == b"-" else value
        if not -128 <= value <= 255:
            raise ValueError(written)
        self[written] = value & 0xFF
        return value & 0xFF


def _named(arrays: list[tuple[str, bytes]]) -> str:
    """Such as: g_model (1,234 bytes) and g_image (96 bytes)."""
    shown = [f"{name[:80]} ({counted(len(data), 'byte')})" for name, data in arrays[:5]]
    if len(arrays) > len(shown):
        shown.append(f"{len(arrays) - len(shown)} more")
    return listed(shown, "and")
