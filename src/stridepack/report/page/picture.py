# SPDX-License-Identifier: Apache-2.0
"""What a tensor looks like: where its zeros are, and how its values are distributed."""

import base64
import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.groups import find_groups
from stridepack.tensor import WeightTensor, byte_counts

# A picture has at most so many cells in each direction, and a profile so many points.
_CELLS = 128


def as_matrix(tensor: WeightTensor) -> npt.NDArray[np.int8]:
    """The tensor with its first axis as rows, and all others as columns, as it is stored.

    A depthwise kernel of one row (1, h, w, c) has its kernel positions as rows.
    """
    values = tensor.values
    if values.ndim < 2:
        return values.reshape(1, values.size)
    if values.shape[0] == 1:
        return values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    return values.reshape(values.shape[0], math.prod(values.shape[1:]))


def zero_pattern(tensor: WeightTensor) -> dict[str, Any]:
    """Density of non-zeros as a grey picture (PNG, base64), and by rows and columns.

    Every cell of the picture is the mean of the weights that it covers: none is left out. Black is
    a cell without zeros, white is one of zeros only. An empty tensor has neither picture nor
    densities.
    """
    matrix = as_matrix(tensor) != 0
    is_empty = matrix.size == 0
    cells = _mean(_mean(matrix.astype(np.float32), 0), 1)
    return {
        "rows": matrix.shape[0],
        "columns": matrix.shape[1],
        "cell_rows": cells.shape[0],
        "cell_columns": cells.shape[1],
        "png": "" if is_empty else _png(cells),
        "row_density": [] if is_empty else _rounded(_mean(matrix.mean(1), 0)),
        "column_density": [] if is_empty else _rounded(_mean(matrix.mean(0), 0)),
        "n_dead_rows": int((~matrix.any(1)).sum()),
        "n_dead_columns": int((~matrix.any(0)).sum()),
    }


def histogram(tensor: WeightTensor) -> list[dict[str, int]]:
    """How often each value occurs that does."""
    counts = byte_counts(tensor.values)
    return [
        {"value": value, "count": int(counts[value & 0xFF])}
        for value in range(-128, 128)
        if counts[value & 0xFF]
    ]


def group_shares(tensor: WeightTensor) -> list[dict[str, Any]]:
    """Non-zeros by the size of their group, and in the remainder (the paper's Figure 11)."""
    if not tensor.n_non_zero:
        return []
    mask = tensor.values.reshape(-1) != 0
    groups = find_groups(mask)
    left = int(groups.remainder.sum())
    shares = []
    for size in np.unique(groups.size)[::-1].tolist():
        chosen = groups.size == size
        positions = (
            groups.start[chosen, None].astype(np.int64)
            + np.arange(size) * groups.stride[chosen, None]
        )
        shares.append({"size": str(size), "n_non_zero": int(mask[positions].sum())})
    return [*shares, {"size": "remainder", "n_non_zero": left}]


def residuals(tensor: WeightTensor) -> list[dict[str, int]]:
    """How far non-zeros lie from an even spacing within 16 of them (the paper's Figure 10).

    Groups of 16 non-zeros in a row; the slope is the mean distance of the tensor, and each group
    starts at its first element. Beyond 32 in either direction they are counted together.
    """
    positions = np.flatnonzero(tensor.values)
    n = positions.size // 16 * 16
    if not n:
        return []
    lanes = positions[:n].reshape(-1, 16)
    slope = round(tensor.size / positions.size)
    residual = lanes - lanes[:, :1] - slope * np.arange(16)
    values, counts = np.unique(np.clip(residual[:, 1:], -32, 32), return_counts=True)
    return [
        {"residual": int(value), "count": int(count)}
        for value, count in zip(values, counts, strict=True)
    ]


def _mean(values: npt.NDArray[Any], axis: int) -> npt.NDArray[np.float32]:
    """Means over neighbours along an axis, so that it has at most _CELLS cells."""
    n = values.shape[axis]
    if n == 0:
        return values.astype(np.float32)
    edges = np.linspace(0, n, min(n, _CELLS) + 1).astype(int)
    sums = np.add.reduceat(values, edges[:-1], axis=axis, dtype=np.float64)
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.asarray(sums / np.diff(edges).reshape(shape), np.float32)


def _rounded(values: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(value), 3) for value in values]


def _png(density: npt.NDArray[np.float32]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.uint8(np.round(255 * (1 - density)))).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
