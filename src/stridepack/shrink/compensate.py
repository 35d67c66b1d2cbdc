# SPDX-License-Identifier: Apache-2.0
"""Round the weights of a layer to a coarser grid, so that its outputs change as little as can be.

Weights are rounded one column after another. The error that a column makes is taken up by the
columns that follow, as the inverse of the inputs' second moments H says; that is optimal brain
surgery as in Frantar et al. 2022, "GPTQ" and "Optimal Brain Compression". Three things are added:

* The weights that are rounded are not the original ones, but those whose outputs on the inputs
  that the layer has *now*, after other layers were rounded, are nearest to the original outputs.
* The bias is one more column that is never rounded, and so takes up what is left.
* Weights that are 0 stay 0. In sparse layers each row has a matrix H of its own, of the weights
  that are not 0; an error that goes to no zero is not lost.

Where a level costs bits, a level with less error may lose against a cheaper one. Afterwards the
step of each row and its bias are fitted once more to the levels that were chosen.
"""

import numpy as np
import numpy.typing as npt

from stridepack.shrink.draft import Rounded
from stridepack.shrink.layers import LARGEST_LEVEL, Layer
from stridepack.shrink.statistics import Statistics

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

# Added to the diagonal of H, as a share of its mean: inputs of the calibration are a sample only.
_DAMPING = 0.01

# What a bit costs, in units of the mean error that rounding to the nearest level can make.
# Measured on ResNet8: 0.1 to 0.3 makes the file smaller at equal error, 0.6 larger.
_BIT_PRICE = 0.2
_PASSES = 2  # bits are those of the levels of the pass before

# Share of zeros from which each row has a matrix of its own, and the bytes that they may take.
_SPARSE = 0.1
_LARGEST_MATRICES = 2**28

# How much a step that is fitted may differ from the one that was asked for.
_LARGEST_CHANGE = 4

_BLOCK = 64  # columns whose errors are handed on together


class Compensator:
    """A layer that is ready to be rounded to any step.

    Rows may have different numbers of columns, which are aligned at the end. `columns` has the
    live column of the layer for each, `free` says which exist. Columns that are 0 in all rows are
    left out.
    """

    def __init__(self, layer: Layer, statistics: Statistics) -> None:
        self._layer = layer
        self._has_bias = layer.bias != -1
        self._n_columns = len(layer.live)
        n = self._n_columns + self._has_bias
        auto = statistics.auto[:, :n, :n]
        cross = statistics.cross[:, :n, :n]
        weights = layer.weights()[:, np.append(layer.live, layer.n_columns)[:n]]
        damping = _damping(auto, self._n_columns)
        self._auto, self._cross = auto + damping, cross + damping
        self._wanted = _by_group(weights, self._cross)  # the outputs, seen through the inputs
        free = layer.to_rows(layer.values)[:, layer.live] != 0
        if len(auto) > 1 or self._can_be_per_row(free):
            self._prepare_rows(free)
        else:
            self._prepare_shared(free)

    def _can_be_per_row(self, free: Bool) -> bool:
        n = int(free.sum(axis=1).max(initial=0)) + 1
        nbytes = 8 * len(free) * n**2
        return bool(1 - free.mean() >= _SPARSE and nbytes <= _LARGEST_MATRICES)

    def _prepare_shared(self, free: Bool) -> None:
        """One order of columns for all rows, one factor; zeros are columns like others."""
        auto = self._auto[0]
        order = np.argsort(-np.diag(auto)[: self._n_columns], kind="stable")
        columns = np.append(order, np.arange(self._n_columns, len(auto)))
        auto = auto[np.ix_(columns, columns)]
        self._columns = np.broadcast_to(columns, (len(free), len(columns)))
        self._free = free[:, order]
        self._target = np.linalg.solve(auto, self._wanted[:, columns].T).T
        self._factor = _factor(auto[np.newaxis])

    def _prepare_rows(self, free: Bool) -> None:
        """For each row the columns that are not 0, those with the largest inputs first."""
        n_rows, bias = len(free), self._has_bias
        n = int(free.sum(axis=1).max(initial=0)) + bias
        group = np.repeat(np.arange(len(self._auto)), n_rows // len(self._auto))
        columns = np.full((n_rows, n), -1)
        for row, (of_row, g) in enumerate(zip(free, group, strict=True)):
            chosen = np.flatnonzero(of_row)
            energy = self._auto[g, chosen, chosen]
            chosen = chosen[np.argsort(-energy, kind="stable")]
            columns[row, n - bias - len(chosen) : n - bias] = chosen
            columns[row, n - bias :] = self._n_columns
        exists = columns >= 0
        auto = self._auto[group[:, None, None], columns[:, :, None], columns[:, None, :]]
        auto *= exists[:, :, None] & exists[:, None, :]
        auto[:, np.arange(n), np.arange(n)] += ~exists
        wanted = np.take_along_axis(self._wanted, columns, axis=1) * exists
        self._columns = columns
        self._free = exists[:, : n - bias]
        self._target = np.linalg.solve(auto, wanted[:, :, np.newaxis])[:, :, 0]
        self._factor = _factor(auto)

    def round_finely(self) -> Rounded:
        """Round to the finest grid of int8: for what takes the same bytes on any grid."""
        largest = np.abs(self._target[:, : self._free.shape[1]]).max(axis=1, initial=0)
        if not self._layer.per_channel:
            largest[:] = largest.max(initial=0)
        # Not much finer than it was, as the bias is stored in units of the step, too.
        steps = np.maximum(largest / LARGEST_LEVEL, self._layer.scales / _LARGEST_CHANGE)
        return self.round(steps, 0.0)

    def round(self, steps: Float64, bit_price: float = _BIT_PRICE) -> Rounded:
        """Round to multiples of a step for each row. The steps come out a little changed."""
        if not self._free.any():
            return self._fit(np.zeros((len(steps), self._n_columns), np.int8), steps)
        harm = steps[:, np.newaxis] ** 2 / self._stiffness()
        price = bit_price * float(harm.mean(where=self._free))
        nearest = np.rint(self._target[:, : self._free.shape[1]] / steps[:, np.newaxis])
        levels = np.clip(nearest, -LARGEST_LEVEL, LARGEST_LEVEL)
        for _ in range(_PASSES):
            levels = self._round(steps, price * _bits(levels[self._free]))
        rows, positions = np.nonzero(self._free)
        placed = np.zeros((len(steps), self._n_columns), np.int8)
        placed[rows, self._columns[rows, positions]] = levels[rows, positions]
        return self._fit(placed, steps)

    def _stiffness(self) -> Float64:
        """For each row and column, what divides the square of an error that is handed on."""
        diagonal = np.einsum("rii->ri", self._factor)[:, : self._free.shape[1]]
        return np.broadcast_to(diagonal**2, self._free.shape)

    def _round(self, steps: Float64, price: Float64) -> Float64:
        """Levels of all columns; price: of each level from -127 on."""
        rest = self._target.copy()
        levels = np.zeros(self._free.shape)
        factor = self._factor
        for begin in range(0, self._free.shape[1], _BLOCK):
            end = min(begin + _BLOCK, self._free.shape[1])
            errors = np.zeros((len(rest), end - begin))
            for j in range(begin, end):
                stiffness = factor[:, j, j]
                level = _cheapest(rest[:, j] / steps, (steps / stiffness) ** 2, price)
                levels[:, j] = level * self._free[:, j]
                error = (rest[:, j] - levels[:, j] * steps) / stiffness
                rest[:, j + 1 : end] -= error[:, np.newaxis] * factor[:, j, j + 1 : end]
                errors[:, j - begin] = error
            if len(factor) == 1:
                rest[:, end:] -= errors @ factor[0, begin:end, end:]
            else:
                rest[:, end:] -= np.einsum("rb,rbn->rn", errors, factor[:, begin:end, end:])
        return levels

    def _fit(self, levels: npt.NDArray[np.int8], steps: Float64) -> Rounded:
        """Steps and biases with the least error for given levels: a small system for each row."""
        n = levels.shape[1]
        real = levels.astype(np.float64)
        seen = _by_group(real, self._auto[:, :n])
        a = np.einsum("rn,rn->r", seen[:, :n], real)
        b = np.einsum("rn,rn->r", self._wanted[:, :n], real)
        mean, offset = np.zeros_like(a), np.zeros_like(b)
        if self._has_bias:
            unit = np.repeat(self._auto[:, n, n], len(levels) // len(self._auto))
            mean, offset = seen[:, n] / unit, self._wanted[:, n] / unit
            a, b = a - mean**2 * unit, b - mean * offset * unit
        if not self._layer.per_channel:
            a, b = np.full_like(a, a.sum()), np.full_like(b, b.sum())
        fitted = np.where(a > 0, b / np.where(a > 0, a, 1), steps)
        fitted = np.clip(fitted, steps / _LARGEST_CHANGE, steps * _LARGEST_CHANGE)
        placed = np.zeros((len(levels), self._layer.n_columns), np.int8)
        placed[:, self._layer.live] = levels
        return Rounded(placed, fitted, offset - mean * fitted)


def _cheapest(exact: Float64, weight: Float64, price: Float64) -> Float64:
    """For each row the level of the least cost: the nearest one, the next to 0, or 0."""
    nearest = np.clip(np.rint(exact), -LARGEST_LEVEL, LARGEST_LEVEL)
    best, least = nearest, np.full_like(exact, np.inf)
    for level in (nearest, nearest - np.sign(nearest), np.zeros_like(nearest)):
        cost = (exact - level) ** 2 * weight + price[level.astype(np.int64) + LARGEST_LEVEL]
        best, least = np.where(cost < least, level, best), np.minimum(cost, least)
    return best


def _damping(auto: Float64, n_columns: int) -> Float64:
    """A diagonal for each group. The bias is not damped, but never singular."""
    diagonals = np.einsum("gii->gi", auto)
    added = np.zeros_like(diagonals)
    added[:, :n_columns] = _DAMPING * diagonals[:, :n_columns].mean(axis=1, keepdims=True) + 1e-12
    added[:, n_columns:] = 1e-6
    diagonal: Float64 = added[:, :, np.newaxis] * np.eye(auto.shape[1])
    return diagonal


def _factor(auto: Float64) -> Float64:
    """Upper triangles U with U^T U = auto^-1."""
    upper = np.linalg.cholesky(auto[:, ::-1, ::-1])[:, ::-1, ::-1]  # auto = upper upper^T
    factor: Float64 = np.triu(np.linalg.inv(upper))
    return factor


def _by_group(rows: Float64, matrices: Float64) -> Float64:
    """Rows times the matrix of their group."""
    grouped = rows.reshape(len(matrices), -1, rows.shape[1])
    return (grouped @ matrices).reshape(len(rows), -1)


def _bits(levels: Float64) -> Float64:
    """Bits of each level from -127 to 127, at the entropy of some levels."""
    counts = np.bincount(levels.astype(np.int64) + LARGEST_LEVEL, minlength=2 * LARGEST_LEVEL + 1)
    share = counts + 0.02  # of levels that are not there, too
    bits: Float64 = -np.log2(share / share.sum())
    return bits
