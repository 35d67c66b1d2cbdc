# SPDX-License-Identifier: Apache-2.0
"""What a step of a tensor means for each of its rows."""

import numpy as np

from stridepack.shrink.layers import LARGEST_LEVEL, Float64, Layer


def steps_of_rows(layer: Layer, step: float) -> Float64:
    """Real steps of the rows, for a step in units of the tensor's scales.

    Rows with large scales get somewhat larger steps, by the square root: in the middle between
    equal steps for all rows and equal numbers of levels. Measured on ResNet8, that is better than
    either. The geometric mean of the steps is `step` times that of the scales, over the rows that
    are not 0: converters give the others any scale. A row of a scale that is much larger than
    others gets a step that its largest weight needs: no more than 127 levels can be stored.
    """
    largest = np.abs(layer.to_rows(layer.values).astype(np.int16)).max(axis=1)
    live = largest > 0 if largest.any() else largest == 0
    mean = np.exp(np.log(layer.scales[live]).mean())
    steps: Float64 = step * np.sqrt(layer.scales * mean)
    needed: Float64 = np.maximum(steps, layer.scales * largest / LARGEST_LEVEL)
    return needed
