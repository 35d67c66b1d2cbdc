"""Iterative unstructured magnitude pruning of a torch module.

The masks are torch parametrizations: the optimiser keeps its parameters, `state_dict` holds the
masks, and so a checkpoint resumes where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stridepack.errors import InputError

Schedule = Callable[[float], float]


def cubic(progress: float) -> float:
    """Prune fast at first, gently at the end: 1 - (1 - progress)^3 (Zhu and Gupta 2017, Eq. 1)."""
    return 1 - (1 - progress) ** 3


def linear(progress: float) -> float:
    """Prune at an even pace."""
    return progress


class Mask(nn.Module):
    """The parametrization weight -> weight * mask; `mask` is a buffer of the weight's shape."""

    mask: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        # A buffer of the weight's own memory format, so that channels_last stays channels_last.
        self.register_buffer("mask", torch.ones_like(weight, requires_grad=False))

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.mask

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight


class MagnitudePruner:
    """Zero the weights of smallest magnitude, more and more of them while the model trains.

    Every chosen tensor gets the same sparsity. Call `step` with the time as training goes on: up to
    `start` nothing is pruned, from then on the masks follow the schedule, from `end` on they are
    held while the rest is trained on ("retraining"). A pruned weight keeps its last value out of
    sight and returns if the others fall below it before the masks are held.

    Create the pruner before you load a checkpoint: masks are part of the model's `state_dict`, and
    the pruner itself holds no other state, so nothing else need be saved.

    Parameters
    ----------
    model
        Pruned in place: the weights of its convolutions and linear layers.
    sparsity
        Fraction of zeros to reach in each tensor, at least 0 and below 1.
    end
        Time at which the sparsity is reached, in any unit: epochs, or optimiser steps.
    start
        Time at which pruning begins.
    larger_than
        Leave tensors with this many elements or fewer dense (Section IV-A: 2048 for ResNet8).
    schedule
        Share of the sparsity as a function of the progress from `start` (0) to `end` (1), rising:
        `cubic` or `linear`, or your own.
    exclude
        Names of modules to leave dense, such as `"classifier"`.

    Raises
    ------
    InputError
        On arguments outside their range, an unknown name in `exclude`, a weight that two modules
        share, or when nothing is left to prune.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Linear(64, 10))
    >>> pruner = MagnitudePruner(model, sparsity=0.5, end=10, larger_than=2048)
    >>> for epoch in range(15):  # of which the last five retrain
    ...     pruner.step(epoch)
    ...     # ... one epoch of your training loop ...
    >>> pruner.sparsities()
    {'0.weight': 0.5}
    >>> pruner.remove()  # the zeros become part of the weights
    """

    def __init__(
        self,
        model: nn.Module,
        sparsity: float,
        *,
        end: float,
        start: float = 0,
        larger_than: int = 0,
        schedule: Schedule = cubic,
        exclude: tuple[str, ...] = (),
    ) -> None:
        if not 0 <= sparsity < 1:
            raise InputError(
                f"`sparsity={sparsity}` is out of range. It must be at least 0 and below 1."
            )
        if end < start:
            raise InputError(f"`end={end}` is before `start={start}`.")
        self.sparsity, self.start, self.end, self.schedule = sparsity, start, end, schedule
        self._modules = _prunable(model, larger_than, exclude)
        for module in self._modules.values():
            if not parametrize.is_parametrized(module, "weight"):
                parametrize.register_parametrization(module, "weight", Mask(_original(module)))
        self._masks = {name: _mask_of(module) for name, module in self._modules.items()}

    @property
    def masks(self) -> Mapping[str, Tensor]:
        """The masks by name of the weight, 1 where it stays; live, not copies."""
        return {f"{name}.weight": mask.mask for name, mask in self._masks.items()}

    def target(self, time: float) -> float:
        """The sparsity that the schedule asks for at `time`."""
        if time >= self.end:
            return self.sparsity
        if time <= self.start:
            return 0.0
        return self.sparsity * self.schedule((time - self.start) / (self.end - self.start))

    @torch.no_grad()
    def step(self, time: float) -> None:
        """Bring the masks to the sparsity of `time`; nothing happens when they have it already.

        Call it before the forward pass, as often as you like: each batch, or each epoch (then the
        first epoch from `end` on is the first of full sparsity). It costs a selection per tensor.
        """
        wanted = self.target(time)
        for name, module in self._modules.items():
            mask = self._masks[name].mask
            zeros = round(wanted * mask.numel())
            if zeros > mask.numel() - int(torch.count_nonzero(mask)):
                mask.copy_(_magnitude_mask(_original(module), zeros))

    def sparsities(self) -> dict[str, float]:
        """Fraction of masked elements by name of the weight."""
        return {
            name: 1 - int(torch.count_nonzero(mask)) / mask.numel()
            for name, mask in self.masks.items()
        }

    def remove(self) -> None:
        """Write the zeros into the weights and drop the masks; the model is plain again."""
        for module in self._modules.values():
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _prunable(model: nn.Module, larger_than: int, exclude: tuple[str, ...]) -> dict[str, nn.Module]:
    modules = dict(model.named_modules())
    if unknown := set(exclude) - set(modules):
        raise InputError(
            f"`exclude` names {sorted(unknown)}, but the model has no such module. It has "
            f"{sorted(modules)}."
        )
    chosen: dict[str, nn.Module] = {}
    owners: dict[int, str] = {}
    for name, module in modules.items():
        if name in exclude or not isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
            continue
        weight = _original(module)
        if weight.numel() <= larger_than:
            continue
        if (owner := owners.setdefault(id(weight), name)) != name:
            raise InputError(f"{owner} and {name} share one weight. Exclude both.")
        chosen[name] = module
    if not chosen:
        raise InputError(
            f"The model has no convolution or linear layer with more than {larger_than} weights. "
            "Choose a smaller `larger_than`."
        )
    return chosen


def _original(module: nn.Module) -> Tensor:
    """The parameter behind the mask, or the weight itself where there is none yet."""
    owner, name = module, "weight"
    if parametrize.is_parametrized(module, "weight"):
        owner, name = _parametrizations(module), "original"
    weight = getattr(owner, name)
    assert isinstance(weight, Tensor)
    return weight


def _parametrizations(module: nn.Module) -> parametrize.ParametrizationList:
    by_name = module.parametrizations
    assert isinstance(by_name, nn.ModuleDict)
    weight = by_name["weight"]
    assert isinstance(weight, parametrize.ParametrizationList)
    return weight


def _mask_of(module: nn.Module) -> Mask:
    for parametrization in _parametrizations(module):
        if isinstance(parametrization, Mask):
            return parametrization
    raise InputError(
        "A weight has a parametrization already, which is not a pruning mask. Remove it, or "
        "exclude the module."
    )


def _magnitude_mask(weight: Tensor, zeros: int) -> Tensor:
    """Zero for the `zeros` smallest magnitudes, one elsewhere; exact also among equals."""
    mask = torch.ones_like(weight)
    smallest = weight.abs().flatten().topk(zeros, largest=False, sorted=False).indices
    # view(-1) would fail on channels_last; flatten's order is put's order
    return mask.put_(smallest, torch.zeros(zeros, dtype=mask.dtype, device=mask.device))
