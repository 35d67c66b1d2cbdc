# SPDX-License-Identifier: Apache-2.0
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
from stridepack.packed import Packed
from stridepack.plan.rules import SMALL
from stridepack.pruning.grid_file import in_file_order
from stridepack.pruning.levels import FIRST_FACTOR, Grid
from stridepack.pruning.magnitude import Schedule, cubic
from stridepack.pruning.on_grid import (
    before_grid,
    check_finite,
    grid_of,
    levels_of,
    make_finer,
    move_down,
)
from stridepack.pruning.quantise import pack_tensors
from stridepack.pruning.target import Size, whole_bytes
from stridepack.pruning.weights import Weight, check_has_no_grid, choose, weights_of
from stridepack.tensor import WeightTensor

# The factor of the penalty is integral * exp(_PROPORTIONAL * excess): the proportional part answers
# at once, and the integral part finds the factor that holds the size. It grows by the factor
# exp(_INTEGRAL * excess) in the time from `start` to `end`. Both count the excess of the packed
# size over the schedule, as a fraction and at most _LARGEST_EXCESS.
_PROPORTIONAL, _INTEGRAL, _LARGEST_EXCESS = 8.0, 20.0, 0.3
_SMALLEST_FACTOR, _LARGEST_FACTOR = 1e-4, 10.0

# Weights that are pushed to 0 hardly come back. So the first factor is smaller than FIRST_FACTOR
# where the first size is near the target: it is _LEAST of it, plus the logarithm of their quotient
# over _FAR, and never more than FIRST_FACTOR.
_LEAST, _FAR = 0.2, 0.5

# Where the size falls below the schedule by more than this share, the steps get finer.
_MOST_BELOW = 0.01

_MOST_ROUNDS = 50  # of moving levels
_FORGOTTEN = 100  # calls of `step` without one of `penalty`


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
        The grids are as fine at first as so many bytes allow, where the usual ones take fewer.
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
        target_nbytes = whole_bytes(target_nbytes)
        if target_nbytes <= 0:
            raise InputError(
                f"`target_nbytes={target_nbytes}` is out of range. It must be above 0."
            )
        check_time("start", start)
        check_time("end", end)
        if end <= start:
            raise InputError(f"`end={end}` must be later than `start={start}`.")
        self.target_nbytes, self.schedule = target_nbytes, schedule
        self.start, self.end = start, end
        self._weights = _choose(model, larger_than, exclude)
        left_out = Size(model, self._weights).fixed
        least = len(build_bundle(left_out))
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
        if self.nbytes() < target_nbytes:
            make_finer(
                self._grids,
                self._weights,
                lambda: self._nbytes_with(left_out) <= target_nbytes,
            )
        nbytes = self.nbytes()
        way = max(0.0, math.log(nbytes / target_nbytes))
        for grid in self._grids.values():
            grid.first_nbytes.fill_(nbytes)
            grid.factor.fill_(FIRST_FACTOR * min(1.0, _LEAST + way / _FAR))

    def penalty(self) -> Tensor:
        """The term to add to the loss: bits of a weight on average, times the current factor."""
        self._check_is_there()
        self._steps_without_penalty = 0
        bits = []
        for name, grid in self._grids.items():
            weight = before_grid(self._weights[name])
            check_finite(name, weight, grid)
            bits.append(grid.bits(weight))
        return self._factor() * torch.stack(bits).sum() / self._n_weights

    @torch.no_grad()
    def step(self, time: float) -> None:
        """Weigh the penalty anew, such that the packed size follows the schedule.

        Where the size has fallen below the schedule, the steps get finer, too: the penalty alone
        could only wait. Call it before the forward pass, at every batch or at every few. Each call
        packs all weights with the real encoders.

        Raises
        ------
        InputError
            When weights are NaN or infinite, when `penalty` was forgotten, and for a time that is
            not a finite number.
        """
        check_time("time", time)
        self._steps_without_penalty += 1
        if self._steps_without_penalty > _FORGOTTEN:
            raise InputError(
                f"`step` was called {_FORGOTTEN} times without `penalty`. Add `penalty()` to the "
                "loss of each batch. Without it the weights do not become smaller."
            )
        self._check_is_there()
        left_out = self._left_out()
        excess = self._nbytes_with(left_out) / self.target(time) - 1
        self._excess = max(-_LARGEST_EXCESS, min(_LARGEST_EXCESS, excess))
        passed = 0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        growth = math.exp(_INTEGRAL * self._excess * passed / (self.end - self.start))
        for grid in self._grids.values():
            grid.factor.mul_(growth).clamp_(_SMALLEST_FACTOR, _LARGEST_FACTOR)
        if excess < -_MOST_BELOW:
            wanted = self.target(time)
            make_finer(self._grids, self._weights, lambda: self._nbytes_with(left_out) <= wanted)

    def target(self, time: float) -> float:
        """The bytes that the schedule asks for at `time`."""
        first = float(next(iter(self._grids.values())).first_nbytes)
        last = min(first, self.target_nbytes)
        progress = (time - self.start) / (self.end - self.start)
        share = self.schedule(progress) if 0 < progress < 1 else float(progress >= 1)
        return float(first * (last / first) ** share)

    def levels(self) -> dict[str, npt.NDArray[np.int8]]:
        """The levels by name of the weight, in torch's layout."""
        self._check_is_there()
        return {name: weight.values for name, weight in levels_of(self._model).items()}

    def nbytes(self) -> int:
        """Bytes that the weights take now as a .spk file; the real encoders are asked.

        Raises
        ------
        InputError
            When weights are NaN or infinite.
        """
        self._check_is_there()
        return self._nbytes_with(self._left_out())

    def _left_out(self) -> dict[str, Packed]:
        """What is not on a grid, as it packs now: it is trained, too."""
        return Size(self._model, self._weights).fixed

    def _nbytes_with(self, left_out: dict[str, Packed]) -> int:
        levels = in_file_order(levels_of(self._model), self._weights)
        packed = pack_tensors(WeightTensor(name, values) for name, values in levels.items())
        return len(build_bundle(left_out | packed))

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
            move_down(self._grids, self._weights, bits=8 * excess / 4)
            excess = self.nbytes() - self.target_nbytes
        if excess > 0:
            raise BudgetError(
                f"`target_nbytes={self.target_nbytes}` is exceeded by {excess:,} bytes, which is "
                "too much to round away. Train for longer after `end`, or allow more bytes.",
                target_nbytes=self.target_nbytes,
            )

    def remove(self) -> None:
        """Write the rounded weights into the model, which is plain again.

        Call `to_tflite` before: it does not see the grid of a plain model, and rounds once more. A
        second call does nothing.
        """
        for name, weight in self._weights.items():
            if grid_of(weight) is self._grids[name]:
                parametrize.remove_parametrizations(*weight, leave_parametrized=True)

    def _check_is_there(self) -> None:
        """Refuse to go on when the grids were removed."""
        for name, weight in self._weights.items():
            if grid_of(weight) is not self._grids[name]:
                raise InputError(
                    f"{name} is not on its grid any more, because `remove` was called. Create "
                    "another GridQuantizer to train on."
                )

    def _factor(self) -> Tensor:
        factor = next(iter(self._grids.values())).factor
        return factor * math.exp(_PROPORTIONAL * self._excess)


def check_time(option: str, time: float) -> None:
    """Refuse times that are not finite numbers."""
    try:
        finite = math.isfinite(time)
    except TypeError:
        finite = False
    if not finite:
        raise InputError(
            f"`{option}={time!r}` is not a finite number. Give the time in epochs, or in steps of "
            "the optimiser."
        )


def _choose(model: nn.Module, larger_than: int, exclude: str | Iterable[str]) -> dict[str, Weight]:
    """The weights of convolutions and linear layers that are to be on a grid."""
    for name, weight in weights_of(model).items():
        check_has_no_grid(name, weight)
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
