# SPDX-License-Identifier: Apache-2.0
"""README.md of a runtime from which decoders or parts were left out: what it says of itself."""

import re
from collections.abc import Collection

from stridepack._words import listed

_HOW_TO = re.compile(r"^`stridepack runtime DIRECTORY --model .*$", re.MULTILINE)
_READER_IN_CXX = re.compile(
    r"## C\+\+\n\n(`include/stridepack\.hpp` has .*?), and "
    r"`include/stridepack_reader\.hpp`\s.*?\n\n",
    re.DOTALL,
)


def with_less(text: str, formats: Collection[str], parts: Collection[str]) -> str:
    """The text for a library that decodes these formats, and has these parts of `PARTS`."""
    has = f"the decoders of {listed(formats, 'and')}" if formats else "no decoders"
    said = (
        f"This directory was written with `--model`, and has only what one packed model needs: "
        f"{has}. `include/spk_spec.h` defines `SPK_WITHOUT_<NAME>` for all that was left out."
    )
    text = _HOW_TO.sub(said, text, count=1)
    if "reader" in parts:
        return text
    alone = r"## C++\n\n\1. Its first comment says how to use it.\nIt needs no C++ library.\n\n"
    return _READER_IN_CXX.sub(alone, text, count=1)


def without_reader(guide: str) -> str:
    """A guide without its sections about the reader."""
    sections = re.split(r"^(?=## )", guide, flags=re.MULTILINE)
    kept = (section for section in sections if "spk_reader" not in section)
    return "".join(kept).rstrip() + "\n"
