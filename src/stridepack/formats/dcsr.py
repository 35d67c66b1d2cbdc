"""dcsr: delta-linear encoding with dynamic bitwidths (docs/format.md, section 6)."""

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.formats.base import Format, Stream

_BITS_SET = np.array([i.bit_count() for i in range(16)], np.int64)
LONG_BASE = -128  # the base that says: an i32 follows in `extensions`


class Dcsr(Format):
    """Delta-compressed storage row (Section III-A): about 1.6 bytes a non-zero, 16 at a time."""

    name = "dcsr"

    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        return dcsr_streams(tile)

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        return {"elements": n, **dcsr_work(tile, n)}


def dcsr_streams(tile: memoryview) -> Iterator[Stream]:
    """The streams of a dcsr tile, also where it is the remainder of another format."""
    groups = _Groups(tile)
    yield from groups.sizes.items()
    yield "extensions", int(groups.extension_sizes.sum())


def dcsr_work(tile: memoryview, n: int) -> dict[str, int]:
    """As `Format.work`, also where the tile is the remainder of another format.

    Edge groups are those whose lanes might leave the tile; in those that might wrap, a lane could
    be more than 255 behind the base pointer for all that slope and number of delta bits say. Mask
    lanes: up to the last one set.
    Helium takes pairs in runs; a single pair ends one: it is not whole, or has a long base or an
    edge group. The bases of a run are looked at 16 at a time while they ascend, then one by one:
    those are stepped over.
    """
    groups = _Groups(tile)
    lanes = _spec.DCSR_LANES
    data = np.frombuffer(tile, np.uint8)
    begins = groups.extensions_begin + np.cumsum(groups.extension_sizes) - groups.extension_sizes

    steps = groups.bases.copy()
    for j in np.flatnonzero(groups.long):
        steps[j] = int.from_bytes(tile[begins[j] : begins[j] + 4], "little", signed=True)
    steps[1:] += lanes * tile[4]
    bases = np.cumsum(steps)

    n_masks = _BITS_SET[groups.bitmaps]
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


class _Groups:
    """The groups of a dcsr tile, apart from their values and deltas."""

    def __init__(self, tile: memoryview) -> None:
        self.k = int.from_bytes(tile[:4], "little")
        n_groups = -(-self.k // _spec.DCSR_LANES)
        n_pairs = -(-n_groups // 2)
        self.sizes = {
            "header": 8,
            "values": self.k,
            "deltas": _spec.DCSR_LANES * n_pairs,
            "bitmaps": n_pairs,
            "bases": n_groups,
        }
        begin = {}
        offset = 0
        for name, size in self.sizes.items():
            begin[name] = offset
            offset += -(-size // 4) * 4
        self.extensions_begin = offset
        pairs = np.frombuffer(tile, np.uint8, n_pairs, begin["bitmaps"])
        self.bitmaps = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(-1)[:n_groups]
        bases = np.frombuffer(tile, np.int8, n_groups, begin["bases"])
        self.bases = bases.astype(np.int64)  # the marker where the base is long
        self.long = bases == LONG_BASE
        self.extension_sizes = 4 * self.long.astype(np.int64) + 2 * _BITS_SET[self.bitmaps]
