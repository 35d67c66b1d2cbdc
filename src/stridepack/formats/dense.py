# SPDX-License-Identifier: Apache-2.0
"""dense: the values as they are (docs/format.md, section 3)."""

from collections.abc import Iterator

from stridepack.formats.base import Format, Stream


class Dense(Format):
    """Nothing encoded. What every other format has to beat."""

    name = "dense"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        yield "values", n
