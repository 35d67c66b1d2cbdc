# SPDX-License-Identifier: Apache-2.0
"""hybrid: what decoding has to do for a tile."""

import numpy as np

from stridepack.cost.work.dcsr import dcsr_work
from stridepack.formats.hybrid import NEXT, HybridClasses


def work(tile: memoryview, n: int) -> dict[str, int]:
    # Helium takes groups of 4 sixteen at a time, where no distance continues and no stride
    # leads outside: four are one vector where an offset of 8 bits reaches all of them (near),
    # or go one by one (far). Others go in pairs; pairs at the end of the tile, and the last
    # group of an odd number, are looked at closely. Groups that do not fit a vector, or their
    # stride a nibble, go element by element.
    classes = HybridClasses(tile)
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
