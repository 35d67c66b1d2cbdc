# SPDX-License-Identifier: Apache-2.0
"""Blobs whose header is right and whose tile is not: every check of every decoder.

Most are the example of docs/format.md with one stream replaced.
"""

from collections.abc import Iterator, Mapping
from types import ModuleType

from broken import Broken, Change, Vector
from example import ARRAY
from layout import align, blob, join, up_to


def broken_streams(
    wire_ids: Mapping[str, int], formats: Mapping[str, ModuleType]
) -> Iterator[Broken]:
    for fmt, wire_id in wire_ids.items():
        of_format = formats[fmt]
        decodes = getattr(of_format, "DECODES", set())
        vectors = [*_cut(of_format.EXAMPLE), *of_format.broken(_changed(of_format.EXAMPLE))]
        for rule, why, tile, *n in vectors:
            data = blob(wire_id, n[0] if n else ARRAY.size, [tile])
            decoded = "ok" if rule in decodes else "stream"
            yield Broken(f"{fmt}_{rule}.blob", why, data, "ok", "stream", decoded)


def _cut(streams: Mapping[str, bytes]) -> Iterator[Vector]:
    """What every format has to refuse: a tile that ends between two streams, or goes on."""
    for last, content in streams.items():
        if content:
            yield f"{last}_missing", f"ends before {last}", align(join(up_to(streams, last)))
    yield "goes_on", "4 bytes behind the last stream", join(streams) + bytes(4)


def _changed(example: Mapping[str, bytes]) -> Change:
    return lambda **streams: join({**example, **streams})
