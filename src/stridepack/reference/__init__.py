# SPDX-License-Identifier: Apache-2.0
"""The formats in NumPy, from docs/format.md alone: what the C++ and C code is compared with.

One file for each format, in the order of the document and in the paper's symbols. Clarity comes
before speed, and nothing here uses the compiled core. What the formats share is in
`conventions`, `header`, `tiles` and `blob` (sections 1 and 2). `groups` is the paper's
Algorithm 1.

A format is found by its name: the module ``stridepack.reference.<format>`` provides

``encode_tile(A, **options) -> Streams``
    The streams of a tile, by name and in order, of its N elements A.
``decode_tile(streams, N) -> Slots``
    Positions c and values v of all slots in the streams of a tile of N elements.

so a new format is a new file and no entry in a list.

Examples
--------
>>> import numpy as np
>>> from stridepack import reference
>>> blob = reference.encode(np.array([[0, 7, 0, 0], [0, 0, -128, 0]], np.int8), "rle")
>>> blob[16:].hex(" ", 4)
'02000000 14000000 07800000'
>>> reference.decode(blob)
array([[   0,    7,    0,    0],
       [   0,    0, -128,    0]], dtype=int8)
"""

from stridepack.reference.blob import decode, decode_slots, encode, encode_streams
from stridepack.reference.groups import find_groups

__all__ = ["decode", "decode_slots", "encode", "encode_streams", "find_groups"]
