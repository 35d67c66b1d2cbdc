# SPDX-License-Identifier: Apache-2.0
"""Iterative unstructured magnitude pruning of a torch module, in any training loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from stridepack.errors import InputError
from stridepack.plan.rules import SMALL
from stridepack.pruning.allocation import check_allocation, count_zeros, magnitude_mask
from stridepack.pruning.masks import add_mask, mask_of, remove_mask
from stridepack.pruning.target import Size, find_sparsity, whole_bytes
from stridepack.pruning.weights import Weight, check_names, choose, is_within

Schedule = Callable[[float], float]


def cubic(progress: float) -> float:
    """Prune fast at first, gently at the end: 1 - (1 - progress)^3 (Zhu and Gupta 2017, Eq. 1)."""
    return 1 - (1 - progress) ** 3


def linear(progress: float) -> float:
    """Prune at an even pace."""
    return progress


class MagnitudePruner:
    """Zero the weights of smallest magnitude, more and more of them while the model trains.

    Call `step` with the time as training goes on: up to `start` nothing is pruned, from then on the
    masks follow the schedule, from `end` on they are held while the rest is trained on
    ("retraining"). A pruned weight keeps its last value out of sight and returns if the others fall
    below it before the masks are held.

    Create the pruner before you load a checkpoint: masks are part of the model's `state_dict`, and
    the pruner itself holds no other state, so nothing else need be saved.

    Parameters
    ----------
    model
        Pruned in place: the weights of its convolutions, linear, recurrent, attention and embedding
        layers.
    sparsity
        Fraction of zeros to reach, at least 0 and below 1. A mapping gives a fraction for each
        module or weight by name, such as `{"features": 0.6, "head": 0.9}`; the longest name that
        fits counts, and what it does not name stays dense.
    target_nbytes
        Instead of `sparsity`: the size of the packed model (`.spk`) to reach. In each step before
        `end` the pruner looks for the sparsity that would reach it with the weights of that time,
        and takes the share of it that the schedule asks for. From `end` on it prunes a little more
        only where training on made the model too large again. See `packed_nbytes`.
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
        Names of modules or weights to leave dense, such as `"classifier"`, with all in them.
    allocation
        How the zeros are divided over the tensors. "uniform": each tensor gets the same sparsity.
        "global": the smallest magnitudes of all tensors. "lamp": the smallest LAMP scores, which
        count a magnitude in proportion to what is left of its tensor (arXiv 2010.07611).

    Raises
    ------
    InputError
        On arguments outside their range, an unknown name, a weight that two modules share or that
        is computed from others already, a target that cannot be reached, or when nothing is left to
        prune.

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
        sparsity: float | Mapping[str, float] | None = None,
        *,
        end: float,
        start: float = 0,
        larger_than: int = 0,
        schedule: Schedule = cubic,
        exclude: str | Iterable[str] = (),
        allocation: str = "uniform",
        target_nbytes: int | None = None,
    ) -> None:
        if (sparsity is None) == (target_nbytes is None):
            raise InputError("Give either `sparsity` or `target_nbytes`.")
        if target_nbytes is not None:
            target_nbytes = whole_bytes(target_nbytes)
        if end < start:
            raise InputError(f"`end={end}` is before `start={start}`.")
        check_allocation(allocation)
        fractions = sparsity if isinstance(sparsity, Mapping) else {"": sparsity or 0}
        for name, fraction in fractions.items():
            if not 0 <= fraction < 1:
                where = f" for {name!r}" if name else ""
                raise InputError(
                    f"`sparsity={fraction}`{where} is out of range. It must be at least 0 and "
                    "below 1."
                )
        self._weights = choose(model, larger_than, exclude)
        if isinstance(sparsity, Mapping):
            if allocation != "uniform":
                raise InputError(
                    f"`allocation={allocation!r}` divides one sparsity over all tensors. Give "
                    "`sparsity` as one number, or leave `allocation` out."
                )
            check_names("sparsity", sparsity, model, self._weights)
            self._weights = {
                name: weight
                for name, weight in self._weights.items()
                if any(is_within(name, other) for other in sparsity)
            }
            if not self._weights:
                raise InputError("`sparsity` names no tensor that is pruned. See `larger_than`.")
        self.sparsity, self.target_nbytes, self.allocation = sparsity, target_nbytes, allocation
        self.start, self.end, self.schedule = start, end, schedule
        self._model = model
        self._fractions = {
            name: fractions[max((o for o in fractions if is_within(name, o)), key=len)]
            for name in self._weights
        }
        if target_nbytes is not None:
            self._find()  # raises an error where it cannot be reached
        _warn_of_small(self._weights)
        self._masks = {
            name: mask_of(*weight) or add_mask(*weight) for name, weight in self._weights.items()
        }

    @property
    def masks(self) -> Mapping[str, Tensor]:
        """The masks by name of the weight, 1 where it stays; live, not copies."""
        return {name: mask.mask for name, mask in self._masks.items()}

    def target(self, time: float) -> float:
        """The sparsity, of all tensors that are pruned together, that is asked for at `time`."""
        if time <= self.start and time < self.end:
            return 0.0
        if self.target_nbytes is not None:
            held = time >= self.end
            return max(self._share(time) * self._find(held), self._reached() if held else 0)
        sizes = {name: weight.parameter().numel() for name, weight in self._weights.items()}
        zeros = sum(self._fractions[name] * size for name, size in sizes.items())
        return self._share(time) * zeros / sum(sizes.values())

    @torch.no_grad()
    def step(self, time: float) -> None:
        """Bring the masks to the sparsity of `time`; nothing happens when they have it already.

        Call it before the forward pass, as often as you like: each batch, or each epoch (then the
        first epoch from `end` on is the first of full sparsity). It costs a selection per tensor.
        With `target_nbytes` it packs the model a dozen times, which takes about a second for a
        million weights: call it once an epoch, or a few times.
        """
        if time <= self.start and time < self.end:
            return
        if self.target_nbytes is not None:
            self._step_to_bytes(time)
        elif self.allocation == "uniform":
            for name, mask in self._masks.items():
                zeros = round(self._share(time) * self._fractions[name] * mask.mask.numel())
                if zeros > mask.n_zeros():
                    mask.mask.copy_(magnitude_mask(self._weights[name].parameter(), zeros))
        else:
            weights = self._parameters()
            wanted = count_zeros(self.allocation, weights, self.target(time))
            if sum(wanted.values()) > sum(mask.n_zeros() for mask in self._masks.values()):
                for name, mask in self._masks.items():
                    mask.mask.copy_(magnitude_mask(weights[name], wanted[name]))

    def sparsities(self) -> dict[str, float]:
        """Fraction of masked elements by name of the weight."""
        return {name: mask.n_zeros() / mask.mask.numel() for name, mask in self._masks.items()}

    def remove(self) -> None:
        """Write the zeros into the weights and drop the masks; the model is plain again."""
        for weight in self._weights.values():
            remove_mask(*weight)

    def _reached(self) -> float:
        """The sparsity of all masks together."""
        masks = self._masks.values()
        return sum(mask.n_zeros() for mask in masks) / sum(mask.mask.numel() for mask in masks)

    def _share(self, time: float) -> float:
        """The share of the final sparsity that the schedule asks for."""
        if time >= self.end:
            return 1.0
        return self.schedule((time - self.start) / (self.end - self.start))

    def _parameters(self, held: bool = False) -> dict[str, Tensor]:
        """The weights to choose from: with what masks hide, or as the model computes with them."""
        return {
            name: weight.value() if held else weight.parameter().detach()
            for name, weight in self._weights.items()
        }

    @torch.no_grad()
    def _find(self, held: bool = False) -> float:
        """The sparsity that reaches `target_nbytes` with the weights as they are now."""
        assert self.target_nbytes is not None
        size = Size(self._model, self._weights)
        return find_sparsity(size, self._parameters(held), self.allocation, self.target_nbytes)

    def _step_to_bytes(self, time: float) -> None:
        assert self.target_nbytes is not None
        held = time >= self.end
        size = Size(self._model, self._weights)
        if held and size(lambda _, weight: weight.value()) <= self.target_nbytes:
            return
        weights = self._parameters(held)
        found = find_sparsity(size, weights, self.allocation, self.target_nbytes)
        wanted = count_zeros(self.allocation, weights, self._share(time) * found)
        if held:  # what is pruned stays so
            for name, mask in self._masks.items():
                mask.mask.mul_(magnitude_mask(weights[name], wanted[name]))
        elif sum(wanted.values()) > sum(mask.n_zeros() for mask in self._masks.values()):
            for name, mask in self._masks.items():
                mask.mask.copy_(magnitude_mask(weights[name], wanted[name]))


def _warn_of_small(weights: Mapping[str, Weight]) -> None:
    """Say what `stridepack pack` will not pack however sparse it is."""
    sizes = {name: weight.parameter().numel() for name, weight in weights.items()}
    small = [name for name, size in sizes.items() if size < SMALL]
    if small:
        shown = ", ".join(small[:5]) + (", ..." if len(small) > 5 else "")
        warnings.warn(
            f"`stridepack pack` leaves tensors of fewer than {SMALL:,} elements dense in .tflite "
            f"files, however sparse they are: here {shown}. Leave them dense while you prune, too, "
            f"with `larger_than={SMALL - 1}`, or pack with `--min-size {min(sizes.values())}`.",
            stacklevel=3,
        )
