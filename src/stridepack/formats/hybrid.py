# SPDX-License-Identifier: Apache-2.0
"""hybrid: groups of equidistant elements, the rest in dcsr (docs/format.md, section 7)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.errors import InputError
from stridepack.formats.base import EncoderOptions, Format, Option, Stream
from stridepack.formats.dcsr import dcsr_streams
from stridepack.groups import (
    DEFAULT_OCCUPANCY,
    DEFAULT_SIZES,
    DEFAULT_STRIDES,
    ORDERS,
    GroupParams,
)

NEXT = 255  # a distance byte that goes on with the next one


class Hybrid(Format):
    """Groupwise encoding (Sections III-B, III-C): 1.5 bytes a group of up to 16 elements."""

    name = "hybrid"
    options = (
        Option("sizes", "integers", "the group sizes to try.", ",".join(map(str, DEFAULT_SIZES))),
        Option(
            "strides",
            "integers",
            "the strides to try.",
            f"{DEFAULT_STRIDES[0]}-{DEFAULT_STRIDES[-1]}",
        ),
        Option(
            "occupancy",
            "number",
            "the share of a group that must be non-zero (theta).",
            str(DEFAULT_OCCUPANCY),
        ),
        Option(
            "order",
            "choice",
            "which groups are taken first, the largest ones (size) or those with the fewest bytes "
            "for each non-zero weight (rate).",
            ORDERS[0],
            ORDERS,
        ),
    )

    def encoder_options(self, options: Mapping[str, Any]) -> EncoderOptions:
        params = GroupParams(**options)
        if params.sizes and params.sizes[0] > _spec.MAX_GROUP_SIZE:
            raise InputError(
                f"Format hybrid stores groups of at most {_spec.MAX_GROUP_SIZE} elements. One of "
                f"the sizes is {params.sizes[0]}."
            )
        if params.strides:
            low, high = params.strides[0], params.strides[-1]
            if low > _spec.MAX_STRIDE:
                raise InputError(
                    f"Format hybrid needs a stride of at most {_spec.MAX_STRIDE}. The smallest of "
                    f"the strides is {low}."
                )
            if high - low > 255:
                raise InputError(
                    "Format hybrid stores strides up to 255 above the smallest one, here from "
                    f"{low} to {low + 255}. The largest of the strides is {high}."
                )
        return {
            "pass_sizes": [size for size, _ in params.passes],
            "pass_min_counts": [min_count for _, min_count in params.passes],
            "strides": params.strides,
        }

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        classes = HybridClasses(tile)
        yield from classes.sizes.items()
        for name, size in dcsr_streams(classes.remainder):
            yield f"remainder_{name}", size


class HybridClasses:
    """The classes of a hybrid tile: iteration gives size and distances between starts of each."""

    def __init__(self, tile: memoryview) -> None:
        n_classes, self.first_stride, code_bits = tile[:3]
        self.wide = code_bits == 8
        records = np.frombuffer(tile, "<u4", n_classes, 8).astype(np.int64)
        s, n_groups = records & 0xFF, records >> 8
        self.records: list[tuple[int, int]] = list(zip(s.tolist(), n_groups.tolist(), strict=True))
        self.sizes = {
            "header": 8,
            "classes": 4 * n_classes,
            "values": int((s * n_groups).sum()),
            "strides": int((n_groups if self.wide else (n_groups + 1) // 2).sum()),
            "distances": int.from_bytes(tile[4:8], "little"),
        }
        begins = np.cumsum([0, *(-(-size // 4) * 4 for size in self.sizes.values())])
        self.distances = np.frombuffer(tile, np.uint8, self.sizes["distances"], int(begins[4]))
        self.remainder = tile[int(begins[5]) :]

    def __iter__(self) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
        ends = np.flatnonzero(self.distances != NEXT)
        distances = np.diff(np.cumsum(self.distances, dtype=np.int64)[ends], prepend=0)
        for size, n_groups in self.records:
            yield size, distances[:n_groups]
            distances = distances[n_groups:]
