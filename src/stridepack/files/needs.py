# SPDX-License-Identifier: Apache-2.0
"""What weights need of the runtime, and the sentence in which a header of C arrays says so."""

import re
from collections.abc import Iterable

from stridepack import _spec
from stridepack.packed import Packed

_BEGIN = "What the runtime must decode: "
_SENTENCE = re.compile(rf"^ \* {_BEGIN}(.+)\.$", re.MULTILINE)
_NOTHING = "nothing"


def needed_decoders(blobs: Iterable[Packed]) -> list[str]:
    """What a runtime must not leave out to unpack the blobs: formats, and "transforms"."""
    packed = list(blobs)
    formats = {blob.format for blob in packed}
    names = [name for name in _spec.FORMATS if name in formats]
    return [*names, "transforms"] if any(blob.transforms for blob in packed) else names


def sentence(decoders: Iterable[str]) -> str:
    """What a header says of the decoders, as a line of its first comment."""
    return f" * {_BEGIN}{', '.join(decoders) or _NOTHING}."


def said_in(header: str) -> list[str] | None:
    """The decoders that the text of a header names; None where it has no such sentence."""
    match = _SENTENCE.search(header)
    if match is None:
        return None
    return [] if match[1] == _NOTHING else match[1].split(", ")
