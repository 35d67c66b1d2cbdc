# SPDX-License-Identifier: Apache-2.0
"""Bundles without names: the header with their numbers, and the names that a model gives them."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stridepack.files.c_names import GENERATED
from stridepack.files.c_source import comment, distinct, identifier
from stridepack.packed import Packed


@dataclass(frozen=True, slots=True)
class Outline:
    """What the header says of a blob, where the blob itself is not kept."""

    shape: tuple[int, ...]
    n_elements: int
    tile_size: int


def numbers_header(stem: str, tensors: Mapping[str, Packed | Outline]) -> str:
    """Text of `stem`.h: the number of each tensor in `stem`.spk.

    Parameters
    ----------
    stem : str
        Name of the files without suffix; identifiers start with it.
    tensors : mapping of str to Packed or Outline
        By name, in the order of the file.
    """
    macro = identifier(stem).upper()
    tags = distinct(identifier(name) for name in tensors)
    numbers = "\n".join(
        f"  {macro}_{tag.upper()} = {i}, /* {comment(name)}: {_shape(packed)} */"
        for i, (tag, (name, packed)) in enumerate(zip(tags, tensors.items(), strict=True))
    )
    largest = max((packed.n_elements for packed in tensors.values()), default=0)
    largest_tile = max((min(p.tile_size, p.n_elements) for p in tensors.values()), default=0)
    return f"""\
/* {stem}: numbers of {len(tensors)} weight tensors {GENERATED}
 *
 * {stem}.spk has no names. To open tensor number i with the stridepack runtime:
 *
 *   spk_status status = spk_bundle_get(&bundle, i, NULL, &view);
 */
#ifndef {macro}_H
#define {macro}_H

#define {macro}_N_TENSORS {len(tensors)}
#define {macro}_LARGEST_TENSOR {largest} /* elements = bytes when unpacked */
#define {macro}_LARGEST_TILE {largest_tile} /* elements; a buffer of this size unpacks any tile */

enum {{
{numbers or f"  {macro}_NONE = 0"}
}};

#endif
"""


def names_after(names: Sequence[str], hashes: Sequence[int], others: Sequence[str]) -> list[str]:
    """Names for the tensors of a file: those of others where the file is a bundle without names.

    Each gets the name of the other one at the same place, if that has the CRC-32 that is stored.

    Parameters
    ----------
    names : sequence of str
    hashes : sequence of int
        The CRC-32 of each name that is not stored; none where they are.
    others : sequence of str
    """
    named = list(names)
    for i, (other, stored) in enumerate(zip(others[: len(named)], hashes, strict=False)):
        if zlib.crc32(other.encode()) == stored:
            named[i] = other
    return named


def _shape(packed: Packed | Outline) -> str:
    return " x ".join(map(str, packed.shape)) or "a single element"
