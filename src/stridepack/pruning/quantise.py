# SPDX-License-Identifier: Apache-2.0
"""Weights to int8, as a converter will do it, and how many bytes they then take when packed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from stridepack.packed import Packed
from stridepack.plan.smallest import plan
from stridepack.pruning.weights import Weight, weights_of
from stridepack.tensor import WeightTensor

# The formats that come close to the entropy. All formats would take ten times as long, and save
# next to nothing.
_FORMATS = ("dense", "huffman", "rans")


class QuantizedWeight(NamedTuple):
    """`values`: int8 of the weight's shape; `scales`: float32, one for each output channel."""

    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]


def quantise(weight: Weight, values: Tensor) -> QuantizedWeight:
    """Symmetric, one scale for each output channel, in torch's own layout; a zero stays 0.

    The weights of a channel become 0 where all of them have decayed to less than 1.5e-36.
    """
    first = weight.outputs_first(values.detach().float().cpu()).numpy()
    largest = np.abs(first).reshape(len(first), -1).max(axis=1, initial=0)
    if isinstance(weight.module, nn.Embedding):  # rows are looked up: they share one scale
        largest[:] = largest.max(initial=0)
    # Below the least normal number, a scale would be 0 or far from the quotient.
    is_some = largest >= 127 * np.finfo(np.float32).tiny
    scales = np.where(is_some, largest / 127, 1).astype(np.float32)
    quantised = np.rint(first / scales.reshape(-1, *[1] * (first.ndim - 1))).astype(np.int8)
    # back to torch's layout: the same transposition
    layout = weight.outputs_first(torch.from_numpy(quantised)).numpy()
    return QuantizedWeight(np.ascontiguousarray(layout), scales)


def pack_weights(tensors: Mapping[str, tuple[Weight, Tensor]]) -> dict[str, Packed]:
    """Weights with their values, by name, as the blobs that `stridepack pack` makes of them.

    Real encoders are asked. Folding of batch normalisation scales whole channels, which does not
    change their integers.
    """
    return pack_tensors(
        WeightTensor(name, quantise(weight, values).values)
        for name, (weight, values) in tensors.items()
    )


def pack_others(model: nn.Module) -> dict[str, Packed]:
    """Parameters that are not weights but become int8 constants, such as positions, by name."""
    weights = {id(weight.parameter()) for weight in weights_of(model).values()}
    tensors = []
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and id(parameter) not in weights:
            values = parameter.detach().float().cpu().numpy()
            scale = max(float(np.abs(values).max(initial=0)) / 127, 1e-30)
            tensors.append(WeightTensor(name, np.rint(values / scale).astype(np.int8)))
    return pack_tensors(tensors)


def pack_tensors(tensors: Iterable[WeightTensor]) -> dict[str, Packed]:
    """Tensors as the blobs that `stridepack pack` makes of them, by name."""
    choices = plan(list(tensors), candidates=_FORMATS)
    return {choice.tensor.name: choice.packed for choice in choices}
