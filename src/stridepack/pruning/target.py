# SPDX-License-Identifier: Apache-2.0
"""A target in bytes: the smallest sparsity at which the packed model is small enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from stridepack._numbers import is_integer
from stridepack.errors import InputError
from stridepack.files.spk import build_bundle
from stridepack.pruning.allocation import count_zeros, magnitude_mask
from stridepack.pruning.quantise import pack_others, pack_weights
from stridepack.pruning.weights import Weight, weights_of

_HIGHEST = 0.995  # more than this leaves no network
_STEPS = 12  # of bisection: the sparsity is found to a quarter of a thousandth


def packed_nbytes(model: nn.Module) -> int:
    """Bytes of the .spk file that `stridepack pack` makes of a model after `to_tflite`.

    An estimate, but one that asks the real encoders: the weights are quantised as the converter
    does it, one scale for each output channel. Masks are applied.

    Examples
    --------
    >>> import torch
    >>> layer = torch.nn.Linear(128, 64)
    >>> layer.weight.data[:, ::2] = 0
    >>> packed_nbytes(layer) < 0.7 * 64 * 128
    True
    """
    return Size(model, {})(lambda _, weight: weight.value())


def whole_bytes(target_nbytes: Any) -> int:
    """The option `target_nbytes` as an integer.

    Raises
    ------
    InputError
        For all that is not a whole number, such as "2kB".
    """
    if not is_integer(target_nbytes) or isinstance(target_nbytes, str):
        raise InputError(
            f"`target_nbytes={target_nbytes!r}` is not a whole number. Give the number of bytes "
            "as an integer, such as 2000 for 2 kB."
        )
    return int(target_nbytes)


class Size:
    """The packed size of a model while the values of chosen weights change.

    Attributes
    ----------
    fixed : dict of str to Packed
        All that is not chosen, by name.
    """

    def __init__(self, model: nn.Module, chosen: Mapping[str, Weight]) -> None:
        rest = {name: w for name, w in weights_of(model).items() if name not in chosen}
        self._chosen = chosen or rest
        self.fixed = pack_others(model)
        if chosen:
            self.fixed |= pack_weights({name: (w, w.value()) for name, w in rest.items()})

    def __call__(self, values: Callable[[str, Weight], Tensor]) -> int:
        tensors = {name: (w, values(name, w)) for name, w in self._chosen.items()}
        return len(build_bundle(self.fixed | pack_weights(tensors)))


def find_sparsity(
    size: Size, weights: Mapping[str, Tensor], allocation: str, target_nbytes: int
) -> float:
    """The smallest overall sparsity of `weights` that brings the model to `target_nbytes`."""

    def nbytes(sparsity: float) -> int:
        zeros = count_zeros(allocation, weights, sparsity)
        return size(lambda name, _: weights[name] * magnitude_mask(weights[name], zeros[name]))

    if nbytes(0) <= target_nbytes:
        return 0.0
    if (least := nbytes(_HIGHEST)) > target_nbytes:
        raise InputError(
            f"`target_nbytes={target_nbytes}` cannot be reached: with {_HIGHEST:.1%} zeros in the "
            f"tensors that are pruned, the packed model still takes {least:,} bytes. Prune more "
            "tensors (`larger_than`, `exclude`), or make the network smaller."
        )
    low, high = 0.0, _HIGHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if nbytes(middle) <= target_nbytes else (middle, high)
    return high
