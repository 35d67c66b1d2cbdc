"""Training on a coarse grid, with a loss that knows what the weights take once they are packed.

Each weight is rounded to a multiple of a step while the network trains. Levels and steps are
learned through the rounding (Esser et al. 2020, "Learned step size quantization"). A term of the
loss is the number of bits that an entropy coder needs for the levels (as in Oktay et al. 2020,
"Scalable model compression by entropy penalized reparameterization"). A controller weighs that
term such that the packed model gets a given size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stridepack.errors import InputError
from stridepack.files.spk import build_bundle
from stridepack.plan.rules import DEFAULT_MIN_SIZE, why_dense
from stridepack.plan.smallest import pack
from stridepack.pruning.magnitude import Schedule, _original, _parametrizations, _prunable, cubic

LARGEST_LEVEL = 127  # levels are stored as int8

_FIRST_STEP = 0.5  # in units of the root mean square of the weights
_AIM = 0.99  # of the target: the size follows it to about 1 %

# The factor of the penalty is integral * exp(_PROPORTIONAL * excess): the proportional part answers
# at once, and the integral part finds the factor that holds the size. It grows by the factor
# exp(_INTEGRAL * excess) in the time from `start` to `end`. Both count the excess of the packed
# size over the schedule, as a fraction and at most _LARGEST_EXCESS.
_PROPORTIONAL, _INTEGRAL, _LARGEST_EXCESS = 8.0, 20.0, 0.3
_FIRST_FACTOR, _SMALLEST_FACTOR, _LARGEST_FACTOR = 0.05, 1e-4, 10.0

_FORGOTTEN = 100  # calls of `step` without one of `penalty`


class Grid(nn.Module):
    """The parametrization weight -> step * level, where the levels are whole numbers.

    The steps of the output channels are the learned step of the tensor times a fixed number each:
    channels with larger weights get larger steps, by the square root.

    Attributes
    ----------
    log_growth : Parameter, ()
        Logarithm of how much the steps have grown. Weight decay pulls it to 0.
    first_steps : Tensor
        The steps at first, of a shape that broadcasts with the weight.
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
        self.register_buffer("factor", torch.full_like(usual, _FIRST_FACTOR))
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


class GridQuantizer:
    """Bring the weights of a model to coarse grids while it trains, until it packs into few bytes.

    Every chosen tensor gets a grid: its weights are rounded to multiples of a step. The steps are
    learned with the weights. Add `penalty()` to the loss of each batch, and call `step` with the
    time as training goes on. The packed size shrinks from `start` on, it reaches `target_nbytes` at
    `end`, and it is held there while the rest is trained on. `to_tflite` and `to_arrays` then keep
    exactly these levels. Most levels become 0 as a rule: pruning is part of it.

    Create it before the optimiser, which learns the steps too, and before you load a checkpoint:
    all of its state is part of the model's `state_dict`. Masks of a `MagnitudePruner` that is
    created first stay zeros.

    Parameters
    ----------
    model
        Changed in place: the weights of its convolutions and linear layers.
    target_nbytes
        Bytes that all these weights take together as a .spk file, those that are left out included.
    end
        Time at which that size is reached, in any unit: epochs, or optimiser steps.
    start
        Time at which the size begins to shrink. On the grid are the weights from the beginning.
    larger_than
        Leave tensors with this many elements or fewer as they are. The default leaves those out
        that `stridepack pack` stores dense.
    schedule
        Share of the way to the target as a function of the progress from `start` (0) to `end` (1),
        on a logarithmic scale of bytes.
    exclude
        Names of modules to leave as they are.

    Raises
    ------
    InputError
        On arguments outside their range, weights that are not finite, or when nothing is left.

    Examples
    --------
    >>> import torch
    >>> nn = torch.nn
    >>> model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    >>> quantizer = GridQuantizer(model, target_nbytes=1200, end=3)  # 4,352 weights
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    >>> x = torch.randn(256, 64)
    >>> y = x[:, :4].argmax(dim=1)
    >>> for batch in range(200):
    ...     quantizer.step(batch / 50)
    ...     loss = nn.functional.cross_entropy(model(x), y) + quantizer.penalty()
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    >>> quantizer.nbytes() <= 1200
    True
    """

    def __init__(
        self,
        model: nn.Module,
        target_nbytes: int,
        *,
        end: float,
        start: float = 0,
        larger_than: int = DEFAULT_MIN_SIZE - 1,
        schedule: Schedule = cubic,
        exclude: tuple[str, ...] = (),
    ) -> None:
        if target_nbytes <= 0:
            raise InputError(
                f"`target_nbytes={target_nbytes}` is out of range. It must be above 0."
            )
        if end <= start:
            raise InputError(f"`end={end}` must be later than `start={start}`.")
        self.target_nbytes, self.start, self.end, self.schedule = (
            target_nbytes,
            start,
            end,
            schedule,
        )
        self._modules = _prunable(model, larger_than, exclude)
        for name, module in self._modules.items():
            if not torch.isfinite(_original(module)).all():
                raise InputError(f"{name}.weight has values that are not finite.")
        self._grids: dict[str, Grid] = {}
        for name, module in self._modules.items():
            axis = 1 if isinstance(module, nn.modules.conv._ConvTransposeNd) else 0
            grid = Grid(module.weight, axis)  # type: ignore[arg-type]
            parametrize.register_parametrization(module, "weight", grid)
            self._grids[name] = grid
        self._n_weights = sum(_original(module).numel() for module in self._modules.values())
        self._left_out = _left_out(model, self._modules)
        self._excess = 0.0
        self._time: float | None = None
        self._steps_without_penalty = 0
        nbytes = self.nbytes()
        for grid in self._grids.values():
            grid.first_nbytes.fill_(nbytes)

    def penalty(self) -> Tensor:
        """The term to add to the loss: bits of a weight on average, times the current factor."""
        self._steps_without_penalty = 0
        bits = [grid.bits(_before_grid(self._modules[name])) for name, grid in self._grids.items()]
        return self._factor() * torch.stack(bits).sum() / self._n_weights

    @torch.no_grad()
    def step(self, time: float) -> None:
        """Weigh the penalty anew, such that the packed size follows the schedule.

        Call it before the forward pass, at every batch or at every few. Each call packs all weights
        with the real encoders.
        """
        self._steps_without_penalty += 1
        if self._steps_without_penalty > _FORGOTTEN:
            raise InputError(
                f"`step` was called {_FORGOTTEN} times without `penalty`. Add `penalty()` to the "
                "loss of each batch. Without it the weights do not become smaller."
            )
        excess = self.nbytes() / self.target(time) - 1
        self._excess = max(-_LARGEST_EXCESS, min(_LARGEST_EXCESS, excess))
        passed = 0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        growth = math.exp(_INTEGRAL * self._excess * passed / (self.end - self.start))
        for grid in self._grids.values():
            grid.factor.mul_(growth).clamp_(_SMALLEST_FACTOR, _LARGEST_FACTOR)

    def target(self, time: float) -> float:
        """The bytes that the schedule asks for at `time`."""
        first = float(next(iter(self._grids.values())).first_nbytes)
        last = min(first, _AIM * self.target_nbytes)
        progress = (time - self.start) / (self.end - self.start)
        share = self.schedule(progress) if 0 < progress < 1 else float(progress >= 1)
        return float(first * (last / first) ** share)

    def levels(self) -> dict[str, npt.NDArray[np.int8]]:
        """The levels by name of the weight, in torch's layout."""
        return {f"{name}.weight": levels_of(module)[0] for name, module in self._modules.items()}

    def nbytes(self) -> int:
        """Bytes that the weights take now as a .spk file, which `stridepack pack` writes."""
        values = self._left_out | self.levels()
        return len(build_bundle({name: _packed(array) for name, array in values.items()}))

    def remove(self) -> None:
        """Write the rounded weights into the model, which is plain again.

        Call `to_tflite` before: it does not see the grid of a plain model, and rounds once more.
        """
        for module in self._modules.values():
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)

    def _factor(self) -> Tensor:
        factor = next(iter(self._grids.values())).factor
        return factor * math.exp(_PROPORTIONAL * self._excess)


def grid_of(module: nn.Module) -> Grid | None:
    """The grid that the weight of a module is on."""
    if not parametrize.is_parametrized(module, "weight"):
        return None
    return next((p for p in _parametrizations(module) if isinstance(p, Grid)), None)


@torch.no_grad()
def levels_of(module: nn.Module) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Levels and steps of a module that has a grid: int8 and float32, in torch's layout."""
    grid = grid_of(module)
    assert grid is not None
    weight: Any = module.weight
    levels = (weight / grid.steps()).round().to(torch.int8)
    return levels.cpu().numpy(), grid.steps().float().cpu().numpy()


def _before_grid(module: nn.Module) -> Tensor:
    """The weight that is rounded: with masks, where there are any."""
    weight = _original(module)
    for parametrization in _parametrizations(module):
        if isinstance(parametrization, Grid):
            break
        weight = parametrization(weight)
    return weight


def _left_out(model: nn.Module, chosen: dict[str, nn.Module]) -> dict[str, npt.NDArray[np.int8]]:
    """The other weights as int8, which count too; they hardly change their size in training."""
    from stridepack.pruning.export import to_arrays

    names = {f"{name}.weight" for name in chosen}
    return {name: w.values for name, w in to_arrays(model).items() if name not in names}


def _packed(values: npt.NDArray[np.int8]) -> Any:
    return pack(values, "dense" if why_dense(values.size, DEFAULT_MIN_SIZE) else "auto")
