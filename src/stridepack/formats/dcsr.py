"""dcsr: delta-linear encoding with dynamic bitwidths (docs/format.md, section 6)."""

from collections.abc import Iterator

import numpy as np

from stridepack import _spec
from stridepack.formats.base import Format, Stream


class Dcsr(Format):
    """Delta-compressed storage row (Section III-A): about 1.6 bytes a non-zero, 16 at a time."""

    name = "dcsr"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        return dcsr_streams(tile)


def dcsr_streams(tile: memoryview) -> Iterator[Stream]:
    """The streams of a dcsr tile, also where it is the remainder of another format."""
    k = int.from_bytes(tile[:4], "little")
    lanes = _spec.DCSR_LANES
    n_groups = -(-k // lanes)
    n_pairs = -(-n_groups // 2)
    sizes = {"header": 8, "values": k, "deltas": lanes * n_pairs, "bitmaps": n_pairs}
    begin = {}
    offset = 0
    for name, size in (*sizes.items(), ("bases", n_groups)):
        begin[name] = offset
        offset += -(-size // 4) * 4
    bitmaps = np.frombuffer(tile, np.uint8, n_pairs, begin["bitmaps"])
    bases = np.frombuffer(tile, np.int8, n_groups, begin["bases"])
    n_masks = int(np.unpackbits(bitmaps).sum())
    n_long = int(np.count_nonzero(bases == -128))
    yield from sizes.items()
    yield from (("bases", n_groups), ("extensions", 4 * n_long + 2 * n_masks))
