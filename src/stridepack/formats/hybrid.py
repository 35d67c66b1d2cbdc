"""hybrid: groups of equidistant elements, the rest in dcsr (docs/format.md, section 7)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from stridepack import _spec
from stridepack.errors import InputError
from stridepack.formats.base import Format, Stream
from stridepack.formats.dcsr import dcsr_streams
from stridepack.search import GroupParams


class Hybrid(Format):
    """Groupwise encoding (Sections III-B, III-C): 1.5 bytes a group of up to 16 elements."""

    name = "hybrid"
    options = frozenset({"sizes", "strides", "occupancy"})

    def group_params(self, options: Mapping[str, Any]) -> GroupParams:
        params = GroupParams(**options)
        if params.sizes and params.sizes[0] > _spec.MAX_GROUP_SIZE:
            raise InputError(
                f"hybrid stores groups of at most {_spec.MAX_GROUP_SIZE} elements, "
                f"got size {params.sizes[0]}"
            )
        if params.strides:
            low, high = params.strides[0], params.strides[-1]
            if low > _spec.MAX_STRIDE:
                raise InputError(
                    f"hybrid needs a stride of at most {_spec.MAX_STRIDE}, the smallest is {low}"
                )
            if high - low > 255:
                raise InputError(f"hybrid stores strides up to {low} + 255, got {high}")
        return params

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        n_classes, code_bits = tile[0], tile[2]
        distances = int.from_bytes(tile[4:8], "little")
        records = np.frombuffer(tile, "<u4", n_classes, 8).astype(np.int64)
        n_groups = records >> 8
        values = int(((records & 0xFF) * n_groups).sum())
        strides = int((n_groups if code_bits == 8 else (n_groups + 1) // 2).sum())
        sizes = {"header": 8, "classes": 4 * n_classes, "values": values, "strides": strides}
        sizes["distances"] = distances
        yield from sizes.items()
        begin = sum(-(-size // 4) * 4 for size in sizes.values())
        for name, size in dcsr_streams(tile[begin:]):
            yield f"remainder_{name}", size
