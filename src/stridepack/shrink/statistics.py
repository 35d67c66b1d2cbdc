# SPDX-License-Identifier: Apache-2.0
"""What the inputs of a layer have in common: statistics are kept, inputs are not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stridepack.shrink.draft import Draft
from stridepack.shrink.layers import Layer
from stridepack.shrink.network import Array, Float32, Network, real
from stridepack.shrink.patches import patches

Float64 = npt.NDArray[np.float64]

# Samples whose inputs of a layer are in memory at once.
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of the inputs x of a layer in a model under work, and y in the original model.

    The last element of each x and y is 1, and belongs to the bias.

    Attributes
    ----------
    auto : ndarray of float64, (groups, live columns + 1, live columns + 1)
        Mean of x x^T.
    cross : ndarray of float64, (groups, live columns + 1, live columns + 1)
        Mean of y x^T.
    """

    auto: Float64
    cross: Float64


def observe(layer: Layer, original: Draft, draft: Draft, inputs: Array, batch: int) -> Statistics:
    """Statistics of a layer over samples, in a draft and in the original model.

    A layer of another subgraph than the main one cannot be observed. Its inputs count as
    independent then, so that each weight is rounded on its own.
    """
    n = len(layer.live) + 1
    if layer.subgraph != 0:
        unknown = np.broadcast_to(np.eye(n), (layer.n_groups, n, n))
        return Statistics(unknown, unknown)
    first = _Source(original, layer, batch)
    second = first if draft.is_unchanged_before(layer) else _Source(draft, layer, batch)
    auto = np.zeros((layer.n_groups, n, n))
    cross = auto if second is first else np.zeros_like(auto)
    count = 0
    for begin in range(0, len(inputs), _AT_ONCE):
        part = inputs[begin : begin + _AT_ONCE]
        before = _live_patches(layer, first.values(part))
        if second is first:
            for y in map(_with_one, before):
                auto += y.transpose(0, 2, 1) @ y
                count += y.shape[1]
            continue
        now = _live_patches(layer, second.values(part))
        for y, x in zip(map(_with_one, before), map(_with_one, now), strict=True):
            auto += x.transpose(0, 2, 1) @ x
            cross += y.transpose(0, 2, 1) @ x
            count += x.shape[1]
    return Statistics(auto / count, cross / count)


def _live_patches(layer: Layer, source: Float32) -> Iterator[Float32]:
    """What the rows see, of the columns that are not 0 in all of them."""
    found = patches(layer, source)
    return found if len(layer.live) == layer.n_columns else (x[:, :, layer.live] for x in found)


class _Source:
    """The input of a layer: the model is cut off before the layer, so that this is its output."""

    def __init__(self, draft: Draft, layer: Layer, batch: int) -> None:
        self._layer = layer
        cut = draft.cut_before(layer)
        self._network = None if cut is None else Network(cut, batch)

    def values(self, inputs: Array) -> Float32:
        stored = inputs if self._network is None else self._network.stored(inputs)[0]
        return real(stored, self._layer.source_scale, self._layer.source_zero_point)


def _with_one(x: Float32) -> Float32:
    return np.concatenate([x, np.ones((*x.shape[:2], 1), np.float32)], axis=2)
