"""hybrid: groups of equidistant elements, the rest in dcsr (docs/format.md, section 7)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.errors import InputError
from stridepack.formats.base import Format, Stream
from stridepack.formats.dcsr import dcsr_streams, dcsr_work
from stridepack.search import GroupParams

NEXT = 255  # a distance byte that goes on with the next one


class Hybrid(Format):
    """Groupwise encoding (Sections III-B, III-C): 1.5 bytes a group of up to 16 elements."""

    name = "hybrid"
    options = frozenset({"sizes", "strides", "occupancy", "order"})

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
        classes = _Classes(tile)
        yield from classes.sizes.items()
        for name, size in dcsr_streams(classes.remainder):
            yield f"remainder_{name}", size

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        # Helium takes groups of 4 sixteen at a time, where no distance continues and no stride
        # leads outside: four are one vector where an offset of 8 bits reaches all of them (near),
        # or go one by one (far). Others go in pairs; pairs at the end of the tile, and the last
        # group of an odd number, are looked at closely. Groups that do not fit a vector, or their
        # stride a nibble, go element by element.
        classes = _Classes(tile)
        groups, near, far, checked, long = 0, 0, 0, 0, 0
        for size, distances in classes:
            reach = (size - 1) * (classes.first_stride + 15)
            if classes.wide or size > 16 or reach > 255:
                long += distances.size
                continue
            groups += distances.size
            is_clear = np.cumsum(distances) < n - reach
            checked += 2 * int(np.count_nonzero(~is_clear[1::2])) + distances.size % 2
            if size == 4:
                sixteens = distances[: distances.size // 16 * 16].reshape(-1, 16)
                together = (sixteens < NEXT).all(axis=1) & is_clear[15::16]
                spans = sixteens[together].reshape(-1, 4)[:, 1:].sum(axis=1)
                near += 4 * int(np.count_nonzero(spans <= 255 - reach))
                far += 4 * int(np.count_nonzero(spans > 255 - reach))
        counts = {
            "elements": n,
            "classes": len(classes.records),
            "values": classes.sizes["values"],
            "groups": groups - near - far,
            "near_groups_of_4": near,
            "far_groups_of_4": far,
            "checked_groups": checked,
            "long_groups": long,
            "long_distance_bytes": classes.sizes["distances"] - groups - long,
        }
        remainder = dcsr_work(classes.remainder, n)
        return counts | {f"remainder_{name}": count for name, count in remainder.items()}


class _Classes:
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
