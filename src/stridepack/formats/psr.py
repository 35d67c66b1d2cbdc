# SPDX-License-Identifier: Apache-2.0
"""psr: absolute 8-bit columns in blocks of 256 (docs/format.md, section 4)."""

from collections.abc import Iterator

import numpy as np

from stridepack import _spec
from stridepack.formats.base import Format, Stream


class Psr(Format):
    """Partitioned sparse rows: 2 bytes a non-zero, and the simplest to unpack."""

    name = "psr"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        n_columns = int.from_bytes(tile[:4], "little")
        n_blocks = -(-n // _spec.PSR_BLOCK)
        counts = np.frombuffer(tile, np.uint8, n_blocks, 4)
        full = int(np.count_nonzero(counts == 255))
        # A full block stores all its values: 256, or fewer at the end of the tile.
        n_values = n_columns + full * _spec.PSR_BLOCK
        if n_blocks and counts[-1] == 255:
            n_values -= n_blocks * _spec.PSR_BLOCK - n
        yield from (("header", 4), ("counts", n_blocks), ("columns", n_columns))
        yield "values", n_values
