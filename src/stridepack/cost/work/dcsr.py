# SPDX-License-Identifier: Apache-2.0
"""dcsr: what decoding has to do for a tile."""

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.formats.dcsr import BITS_SET, DcsrGroups


def work(tile: memoryview, n: int) -> dict[str, int]:
    return {"elements": n, **dcsr_work(tile, n)}


def dcsr_work(tile: memoryview, n: int) -> dict[str, int]:
    """As `work`, without the elements, also where the tile is the remainder of another format.

    Edge groups are those whose lanes might leave the tile; in those that might wrap, a lane could
    be more than 255 behind the base pointer for all that slope and number of delta bits say. Mask
    lanes: up to the last one set.
    Helium takes pairs in runs; a single pair ends one: it is not whole, or has a long base or an
    edge group. The bases of a run are looked at 16 at a time while they ascend, then one by one:
    those are stepped over.
    """
    groups = DcsrGroups(tile)
    lanes = _spec.DCSR_LANES
    data = np.frombuffer(tile, np.uint8)
    begins = groups.extensions_begin + np.cumsum(groups.extension_sizes) - groups.extension_sizes

    steps = groups.bases.copy()
    for j in np.flatnonzero(groups.long):
        steps[j] = int.from_bytes(tile[begins[j] : begins[j] + 4], "little", signed=True)
    steps[1:] += lanes * tile[4]
    bases = np.cumsum(steps)

    n_masks = BITS_SET[groups.bitmaps]
    number = np.arange(n_masks.sum()) - np.repeat(np.cumsum(n_masks) - n_masks, n_masks)
    places = np.repeat(begins + 4 * groups.long, n_masks) + 2 * number
    masks = data[places] + 256 * data[places + 1].astype(np.int64)

    edge = (bases < 0) | (bases > n - 256)
    most = (lanes - 1) * tile[4] + (16 << np.frexp(groups.bitmaps)[1]) - 1
    n_whole = groups.k // (2 * lanes) * 2
    descends = groups.bases < -min(lanes * tile[4], 127)
    single, stepped = _runs((groups.long | edge)[:n_whole], descends[:n_whole])
    extended_pairs = groups.bitmaps[:n_whole].reshape(-1, 2)
    return {
        "values": groups.k,
        "groups": bases.size,
        "edge_groups": int(np.count_nonzero(edge)),
        "groups_that_might_wrap": int(np.count_nonzero(~edge & (most > 255))),
        "extended_groups": int(np.count_nonzero(groups.bitmaps)),
        "extended_pairs": int(np.count_nonzero(extended_pairs.any(axis=1))),
        "widely_extended_groups": int(np.count_nonzero(groups.bitmaps > 1)),
        "masks": int(n_masks.sum()),
        "mask_lanes": int(np.frexp(masks)[1].sum()),
        "long_bases": int(np.count_nonzero(groups.long)),
        "single_pairs": single + (groups.k % (2 * lanes) != 0),
        "stepped_bases": stepped,
    }


def _runs(ends: npt.NDArray[np.bool_], descends: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Number of pairs that end a run of others, and of bases that are looked at one by one.

    `ends`: whether a group ends a run; `descends`: whether its base goes back.
    """
    single = stepped = begin = 0
    last, blocked = ([*np.flatnonzero(some), ends.size] for some in (ends, ends | descends))
    while begin < ends.size:
        end = int(last[bisect_left(last, begin)])
        reach = int(blocked[bisect_left(blocked, begin)])
        stepped += end - begin - (reach - begin) // 16 * 16
        single += end < ends.size
        begin = end // 2 * 2 + 2
    return single, stepped
