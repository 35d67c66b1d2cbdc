# SPDX-License-Identifier: Apache-2.0
"""A parametrization that rounds a weight to a learned step, and what its levels cost."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LARGEST_LEVEL = 127  # levels are stored as int8

FIRST_FACTOR = 0.05  # of the penalty, unless the controller says otherwise

_FIRST_STEP = 0.5  # in units of the root mean square of the weights


class Grid(nn.Module):
    """The parametrization weight -> step * level, where the levels are whole numbers.

    The steps of the output channels are the learned step of the tensor times a fixed number each:
    channels with larger weights get larger steps, by the square root.

    Attributes
    ----------
    log_growth : Parameter, ()
        Logarithm of how much the steps have grown. Weight decay pulls it to 0.
    first_steps : Tensor
        The steps before they grow, of a shape that broadcasts with the weight.
    factor, first_nbytes : Tensor, ()
        The state of the controller, the same in all grids of a model. It is kept here such that the
        model's `state_dict` has it.
    """

    log_growth: nn.Parameter
    first_steps: Tensor
    factor: Tensor
    first_nbytes: Tensor

    def __init__(self, weight: Tensor, axis: int) -> None:
        super().__init__()
        others = [i for i in range(weight.ndim) if i != axis]
        rms = weight.detach().float().square().mean(dim=others, keepdim=True).sqrt()
        usual = rms[rms > 0].log().mean().exp() if rms.any() else torch.ones_like(rms.sum())
        rms = torch.where(rms > 0, rms, usual)
        self.register_buffer("first_steps", _FIRST_STEP * (rms * usual).sqrt())
        self.register_buffer("factor", torch.full_like(usual, FIRST_FACTOR))
        self.register_buffer("first_nbytes", torch.zeros_like(usual))
        self.log_growth = nn.Parameter(torch.zeros_like(usual))

    def steps(self) -> Tensor:
        """The step of each output channel, of a shape that broadcasts with the weight."""
        return self.first_steps * self.log_growth.exp()

    def forward(self, weight: Tensor) -> Tensor:
        """The weight rounded to the grid.

        Its gradient is that of the weight where it is not rounded. The gradient of the step is the
        rounding error of each weight (Esser et al., Eq. 3).
        """
        steps = self.steps()
        scaled = (weight / steps).clamp(-LARGEST_LEVEL, LARGEST_LEVEL)
        return steps * (scaled + (scaled.round() - scaled).detach())

    def levels(self, weight: Tensor) -> Tensor:
        """The whole numbers that a weight is rounded to."""
        return (weight / self.steps()).round().clamp(-LARGEST_LEVEL, LARGEST_LEVEL)

    def room(self, weight: Tensor) -> float:
        """How many times finer the steps can be before a level of a weight exceeds int8."""
        largest = float((weight / self.steps()).abs().max())
        return max(1.0, LARGEST_LEVEL / largest) if largest > 0 else 1.0

    def moves(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """What it does to move each level by one towards 0, flat.

        The added squared error in units of the step, infinite for zeros; and the bits saved.
        """
        scaled = (weight / self.steps()).abs().flatten()
        magnitudes = self.levels(weight).abs().flatten()
        error = (scaled - magnitudes + 1).square() - (scaled - magnitudes).square()
        index = magnitudes.long()
        costs = _costs(index)
        saved = costs[index] - costs[(index - 1).clamp(min=0)]
        return torch.where(magnitudes > 0, error, torch.inf), saved

    def right_inverse(self, weight: Tensor) -> Tensor:
        """What to store for a weight: itself."""
        return weight

    def bits(self, weight: Tensor) -> Tensor:
        """Bits of all levels of a weight, such that weight and step have gradients.

        A level costs what an ideal entropy coder needs for it, by how often it occurs now. Between
        two levels the cost is interpolated.
        """
        scaled = (weight / self.steps()).abs().clamp(max=LARGEST_LEVEL)
        costs = _costs(scaled.detach().round().long().flatten())
        below = scaled.detach().long().clamp(max=LARGEST_LEVEL - 1)
        return (costs[below] + (costs[below + 1] - costs[below]) * (scaled - below)).sum()


def _costs(magnitudes: Tensor) -> Tensor:
    """Bits of the levels 0, 1, ..., with their signs; larger levels never cost less."""
    counts = torch.bincount(magnitudes, minlength=LARGEST_LEVEL + 1).float()
    # A level that does not occur costs as much as if it occurred half a time.
    bits = -(counts.clamp(min=0.5) / len(magnitudes)).log2()
    bits[1:] += 1
    return bits.cummax(dim=0).values
