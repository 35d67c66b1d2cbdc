# SPDX-License-Identifier: Apache-2.0
"""What a broken vector is; broken_headers.py, broken_streams.py and broken_bundles.py make them.

The rules of a format are in `of_formats/`.

Each breaks one rule. Its CRC-32 is right unless that is the rule, so that nothing else can give the
answer. The expected statuses are written by hand from docs/format.md and runtime/include/spk.h,
never recorded from the runtime.
"""

from collections.abc import Callable
from dataclasses import dataclass

NOT_REACHED = "-"

# Name, why, tile and, unless there are 40, the number of elements
Vector = tuple[str, str, bytes] | tuple[str, str, bytes, int]

Change = Callable[..., bytes]  # the example's tile with the given streams in place of its own


@dataclass(frozen=True)
class Broken:
    """A file and the names of the statuses that reading it gives.

    Attributes
    ----------
    opened, validated
        Of spk_open and spk_validate, or spk_bundle_open and spk_bundle_validate.
    decoded
        Of spk_decode_s8; for a bundle, the first failure of getting and decoding its tensors.
    """

    file: str
    why: str
    data: bytes
    opened: str
    validated: str = NOT_REACHED
    decoded: str = NOT_REACHED
