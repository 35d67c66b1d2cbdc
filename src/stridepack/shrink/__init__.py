# SPDX-License-Identifier: Apache-2.0
"""Make the weights of a model cheaper to store, openly at some loss.

This room is not lossless, and all others are. It changes weights; how they are packed afterwards
is not its business, apart from how many bytes that takes.

The way of the data: `data` checks the samples; `layers` finds what can be rounded; `statistics`
keeps what the inputs of a layer have in common; `compensate` rounds a layer; `draft` puts it into
the model; `build` does that for one layer after another; `rate` and `quality` say what it costs
and what it gives; `allocate` chooses a step for each layer; `plans` builds and measures what was
chosen; `api` is the function that users call.
"""

from stridepack.shrink.api import shrink
from stridepack.shrink.data import read_data
from stridepack.shrink.result import Point, ShrinkResult, ShrunkTensor

__all__ = ["Point", "ShrinkResult", "ShrunkTensor", "read_data", "shrink"]
