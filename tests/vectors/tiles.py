# SPDX-License-Identifier: Apache-2.0
"""What the tiles of several formats are written with."""

from collections.abc import Mapping


def sparse(n: int, elements: Mapping[int, int]) -> bytes:
    """n bytes, zero but for the given elements."""
    array = bytearray(n)
    for position, value in elements.items():
        array[position] = value
    return bytes(array)


def at(position: int) -> int:
    """A non-zero for each position, so that all slots of one agree."""
    return position % 251 + 1


def bits(text: str) -> bytes:
    """Bits as text, most significant first, and zeros up to a whole byte."""
    text = text.replace(" ", "")
    return bytes(int(text[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(text), 8))
