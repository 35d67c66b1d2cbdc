# SPDX-License-Identifier: Apache-2.0
"""How many elements of each tensor are pruned: the same share of each, or where it costs least."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from stridepack.errors import InputError

Weights = Mapping[str, Tensor]


def count_zeros(allocation: str, weights: Weights, sparsity: float) -> dict[str, int]:
    """The number of zeros for each tensor at an overall sparsity.

    Parameters
    ----------
    allocation
        "uniform": the same sparsity in each tensor. "global": the smallest magnitudes of all
        tensors together. "lamp": the smallest LAMP scores (Lee et al. 2021, arXiv 2010.07611).
    weights
        By name. The last two leave the largest element of each tensor.
    """
    if allocation == "uniform":
        return {name: round(sparsity * weight.numel()) for name, weight in weights.items()}
    score = _SCORES[allocation]
    device = next(iter(weights.values())).device
    scores = torch.cat([score(weight.detach().float()).to(device) for weight in weights.values()])
    owners = torch.cat(
        [torch.full((w.numel(),), i, device=device) for i, w in enumerate(weights.values())]
    )
    zeros = min(round(sparsity * len(scores)), len(scores) - len(weights))
    least = scores.topk(zeros, largest=False, sorted=False).indices
    counts = torch.bincount(owners[least], minlength=len(weights)).tolist()
    return dict(zip(weights, counts, strict=True))


def check_allocation(allocation: str) -> None:
    """Refuse an unknown name."""
    if allocation not in (names := ("uniform", *_SCORES)):
        raise InputError(f"`allocation={allocation!r}` is unknown. It must be one of {names}.")


def magnitude_mask(weight: Tensor, zeros: int) -> Tensor:
    """Zero for the `zeros` smallest magnitudes, one elsewhere; exact also among equals."""
    mask = torch.ones_like(weight)
    smallest = weight.abs().flatten().topk(zeros, largest=False, sorted=False).indices
    # view(-1) would fail on channels_last; flatten's order is put's order
    return mask.put_(smallest, torch.zeros(zeros, dtype=mask.dtype, device=mask.device))


def _magnitudes(weight: Tensor) -> Tensor:
    scores = weight.abs().flatten()
    scores[scores.argmax()] = torch.inf
    return scores


def _lamp(weight: Tensor) -> Tensor:
    """The square of each weight over the sum of squares of all that are not smaller.

    In ascending order of the weights; within a tensor only the number of zeros is of interest.
    """
    squares = weight.flatten().square().sort().values
    left = squares.flip(0).cumsum(0).flip(0)
    scores = squares / left.clamp_min(torch.finfo(left.dtype).tiny)
    scores[-1] = torch.inf
    return scores


_SCORES: dict[str, Callable[[Tensor], Tensor]] = {"global": _magnitudes, "lamp": _lamp}
