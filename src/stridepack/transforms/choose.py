# SPDX-License-Identifier: Apache-2.0
"""Which transforms a tensor gets, by estimates of the entropy before and after."""

import numpy as np

from stridepack.transforms.apply import Int8Array, Transforms
from stridepack.transforms.classes import find_classes
from stridepack.transforms.entropy import counts_of, entropy
from stridepack.transforms.live import find_live
from stridepack.transforms.predict import find_prediction

# A prediction costs a pass over the tensor: it has to save this share, and a few bytes.
_LEAST_SHARE, _LEAST_BYTES = 0.004, 12

# Elements of a tensor: what is smaller has no room for bitmaps, what is larger takes memory.
_LEAST, _MOST = 64, 1 << 22


def choose_transforms(values: Int8Array, tile: int | None) -> Transforms:
    """What promises to pay for a tensor, which is cut into tiles of so many elements."""
    flat = np.ascontiguousarray(values).reshape(-1)
    if not _LEAST <= flat.size <= _MOST or not flat.any():
        return Transforms()
    tile_size = flat.size if tile is None else max(1, min(tile, flat.size))
    counts = counts_of(flat)
    plain = entropy(counts)
    live = find_live(values, counts)
    prediction = find_prediction(values)
    if prediction is not None:
        tiles = range(0, flat.size, tile_size)
        flat = np.concatenate([prediction.residuals(flat[i : i + tile_size]) for i in tiles])
        if plain - entropy(counts_of(flat)) < max(_LEAST_SHARE * plain, _LEAST_BYTES):
            flat, prediction = np.ascontiguousarray(values).reshape(-1), None
    left = flat if live is None else flat[live.mask(0, flat.size)]
    if tile_size == flat.size:  # each tile would have two tables of its own
        live = find_classes(live, left, values.shape) or live
    return Transforms(live, prediction)
