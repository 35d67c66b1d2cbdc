"""bitmap: one bit for each element, and the non-zeros (docs/format.md, section 8)."""

import numpy as np

from stridepack.reference.blob import Int8Array, Slots, StreamReader, Streams


def encode_tile(A: Int8Array) -> Streams:
    """Streams of a tile of N elements A."""
    return {"bitmap": np.packbits(A != 0, bitorder="big").tobytes(), "values": A[A != 0].tobytes()}


def decode_tile(streams: StreamReader, N: int) -> Slots:
    """Slots of a tile of N elements."""
    bitmap = streams.take("bitmap", np.uint8, -(-N // 8))
    c = np.flatnonzero(np.unpackbits(bitmap, bitorder="big"))
    return c, streams.take("values", np.int8, c.size)
