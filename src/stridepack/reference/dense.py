# SPDX-License-Identifier: Apache-2.0
"""dense: the values as they are (docs/format.md, section 3)."""

import numpy as np

from stridepack.reference.conventions import Int8Array, Slots, Streams
from stridepack.reference.tiles import StreamReader


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    return {"values": A.tobytes()}


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    return np.arange(N), streams.take("values", np.int8, N)
