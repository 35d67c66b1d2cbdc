"""Training on a coarse grid, with a loss that knows what the weights take once they are packed.

Each weight is rounded to a multiple of a step while the network trains. Levels and steps are
learned through the rounding (Esser et al. 2020, "Learned step size quantization"). A term of the
loss is the number of bits that an entropy coder needs for the levels (as in Oktay et al. 2020,
"Scalable model compression by entropy penalized reparameterization"). A controller weighs that
term such that the packed model gets a given size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stridepack.errors import BudgetError, InputError
from stridepack.files.spk import build_bundle
from stridepack.plan.rules import SMALL
from stridepack.pruning.grid_file import in_file_order
from stridepack.pruning.magnitude import Schedule, cubic
from stridepack.pruning.masks import steps_of
from stridepack.pruning.plain import unwrapped
from stridepack.pruning.quantise import QuantizedWeight, pack_tensors
from stridepack.pruning.target import Size
from stridepack.pruning.weights import Weight, choose, weights_of
from stridepack.tensor import WeightTensor

LARGEST_LEVEL = 127  # levels are stored as int8

_FIRST_STEP = 0.5  # in units of the root mean square of the weights

# The factor of the penalty is integral * exp(_PROPORTIONAL * excess): the proportional part answers
# at once, and the integral part finds the factor that holds the size. It grows by the factor
# exp(_INTEGRAL * excess) in the time from `start` to `end`. Both count the excess of the packed
# size over the schedule, as a fraction and at most _LARGEST_EXCESS.
_PROPORTIONAL, _INTEGRAL, _LARGEST_EXCESS = 8.0, 20.0, 0.3
_FIRST_FACTOR, _SMALLEST_FACTOR, _LARGEST_FACTOR = 0.05, 1e-4, 10.0

_MOST_ROUNDS = 50  # of moving levels
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

    def levels(self, weight: Tensor) -> Tensor:
        """The whole numbers that a weight is rounded to."""
        return (weight / self.steps()).round().clamp(-LARGEST_LEVEL, LARGEST_LEVEL)

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


class GridQuantizer:
    """Bring the weights of a model to coarse grids while it trains, until it packs into few bytes.

    Every chosen tensor gets a grid: its weights are rounded to multiples of a step. The steps are
    learned with the weights. Add `penalty()` to the loss of each batch, and call `step` with the
    time as training goes on. The packed size shrinks from `start` on, it reaches `target_nbytes` at
    `end`, and it is held there while the rest is trained on; at last `fit` makes sure of it.
    `to_tflite` and `to_arrays` then keep exactly these levels. Most levels become 0 as a rule:
    pruning is part of it.

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
    >>> quantizer.fit()
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
        larger_than: int = SMALL - 1,
        schedule: Schedule = cubic,
        exclude: str | Iterable[str] = (),
    ) -> None:
        if target_nbytes <= 0:
            raise InputError(
                f"`target_nbytes={target_nbytes}` is out of range. It must be above 0."
            )
        if end <= start:
            raise InputError(f"`end={end}` must be later than `start={start}`.")
        self.target_nbytes, self.schedule = target_nbytes, schedule
        self.start, self.end = start, end
        self._weights = _choose(model, larger_than, exclude)
        self._left_out = Size(model, self._weights).fixed
        # as in the file: the padding between blobs depends on their order
        self._order = list(dict.fromkeys([*weights_of(model), *self._left_out]))
        least = len(build_bundle(self._left_out))
        if target_nbytes <= least:
            raise InputError(
                f"`target_nbytes={target_nbytes}` is too small. The weights that are left out take "
                f"{least:,} bytes alone. See `larger_than` and `exclude`."
            )
        self._grids: dict[str, Grid] = {}
        for name, weight in self._weights.items():
            axis = 1 if isinstance(weight.module, nn.modules.conv._ConvTransposeNd) else 0
            grid = self._grids[name] = Grid(weight.value(), axis)
            parametrize.register_parametrization(weight.module, weight.attribute, grid)
        self._model = model
        self._n_weights = sum(weight.parameter().numel() for weight in self._weights.values())
        self._excess = 0.0
        self._time: float | None = None
        self._steps_without_penalty = 0
        nbytes = self.nbytes()
        for grid in self._grids.values():
            grid.first_nbytes.fill_(nbytes)

    def penalty(self) -> Tensor:
        """The term to add to the loss: bits of a weight on average, times the current factor."""
        self._steps_without_penalty = 0
        bits = [grid.bits(_before_grid(self._weights[name])) for name, grid in self._grids.items()]
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
        last = min(first, self.target_nbytes)
        progress = (time - self.start) / (self.end - self.start)
        share = self.schedule(progress) if 0 < progress < 1 else float(progress >= 1)
        return float(first * (last / first) ** share)

    def levels(self) -> dict[str, npt.NDArray[np.int8]]:
        """The levels by name of the weight, in torch's layout."""
        return {name: weight.values for name, weight in levels_of(self._model).items()}

    def nbytes(self) -> int:
        """Bytes that the weights take now as a .spk file; the real encoders are asked."""
        levels = in_file_order(levels_of(self._model), self._weights)
        packed = pack_tensors(WeightTensor(name, values) for name, values in levels.items())
        blobs = self._left_out | packed
        return len(build_bundle({name: blobs[name] for name in self._order}))

    @torch.no_grad()
    def fit(self) -> None:
        """Make sure that the target is kept: the size only follows it to about one per cent.

        Where it is exceeded, levels move by one towards 0, those where that costs least. Call it
        after the last step of the optimiser.

        Raises
        ------
        BudgetError
            When the target is exceeded by more than a tenth. Then train for longer.
        """
        excess = self.nbytes() - self.target_nbytes
        for _ in range(_MOST_ROUNDS if excess <= self.target_nbytes / 10 else 0):
            if excess <= 0:
                return
            # A quarter at a time: the levels that are left get cheaper, too.
            self._move_down(bits=8 * excess / 4)
            excess = self.nbytes() - self.target_nbytes
        if excess > 0:
            raise BudgetError(
                f"`target_nbytes={self.target_nbytes}` is exceeded by {excess:,} bytes, which is "
                "too much to round away. Train for longer after `end`, or allow more bytes.",
                target_nbytes=self.target_nbytes,
            )

    def _move_down(self, bits: float) -> None:
        """Move levels by one towards 0, those with the least error a bit, until it saves enough."""
        pairs = [(grid, self._weights[name]) for name, grid in self._grids.items()]
        moves = [grid.moves(_before_grid(weight)) for grid, weight in pairs]
        errors = torch.cat([error for error, _ in moves])
        gains = torch.cat([gain for _, gain in moves])
        order = (errors / gains).argsort()  # infinite where nothing is saved
        saved = gains[order].cumsum(dim=0)
        chosen = torch.zeros_like(order, dtype=torch.bool)
        chosen[order[: int((saved < bits).sum()) + 1]] = True
        parts = torch.split(chosen, [len(error) for error, _ in moves])
        for (grid, weight), part in zip(pairs, parts, strict=True):
            parameter = weight.parameter()
            levels = grid.levels(_before_grid(weight))
            lower = (levels - levels.sign()) * grid.steps()
            # in place: the optimiser and wrappers keep their parameter
            parameter.copy_(torch.where(part.view(parameter.shape), lower, parameter))

    def remove(self) -> None:
        """Write the rounded weights into the model, which is plain again.

        Call `to_tflite` before: it does not see the grid of a plain model, and rounds once more.
        """
        for module, attribute in self._weights.values():
            parametrize.remove_parametrizations(module, attribute, leave_parametrized=True)

    def _factor(self) -> Tensor:
        factor = next(iter(self._grids.values())).factor
        return factor * math.exp(_PROPORTIONAL * self._excess)


def grid_of(weight: Weight) -> Grid | None:
    """The grid that a weight is on."""
    return next((step for step in steps_of(*weight) if isinstance(step, Grid)), None)


@torch.no_grad()
def levels_of(model: nn.Module) -> dict[str, QuantizedWeight]:
    """Levels and steps of the weights that are on a grid, by name, in torch's layout."""
    levels = {}
    for name, weight in weights_of(unwrapped(model)).items():
        if grid := grid_of(weight):
            values = grid.levels(weight.value()).to(torch.int8)
            steps = grid.steps().float().flatten()
            levels[name] = QuantizedWeight(values.cpu().numpy(), steps.cpu().numpy())
    return levels


def _before_grid(weight: Weight) -> Tensor:
    """The weight that is rounded: with a mask, where there is one."""
    value = weight.parameter()
    for step in steps_of(*weight):
        if isinstance(step, Grid):
            break
        value = step(value)
    return value.as_subclass(Tensor)


def _choose(model: nn.Module, larger_than: int, exclude: str | Iterable[str]) -> dict[str, Weight]:
    """The weights of convolutions and linear layers that are to be on a grid."""
    chosen = {
        name: weight
        for name, weight in choose(model, larger_than, exclude).items()
        if isinstance(weight.module, nn.Linear | nn.modules.conv._ConvNd)
    }
    if not chosen:
        raise InputError(
            f"The model has no convolution or linear layer with more than {larger_than} weights. "
            "Choose a smaller `larger_than`."
        )
    for name, weight in chosen.items():
        if wrong := weight.value().numel() - int(torch.isfinite(weight.value()).sum()):
            raise InputError(f"{name}: {wrong:,} of its values are NaN or infinite.")
    return chosen
