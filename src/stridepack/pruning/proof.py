# SPDX-License-Identifier: Apache-2.0
"""The proof that what is zero in a torch module is 0 in its int8 model.

The converter keeps neither names nor, in general, the order of the layers. It folds scales into
weights: batch normalisation scales whole output channels, the factors of a layer normalisation
scale inputs. So each weight is found in the converted *float* model by its values, up to such
scales, and from there in the int8 model, where it is the float tensor in steps of its scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import nn

from stridepack.errors import ExportError
from stridepack.pruning.weights import Weight
from stridepack.tflite.model import Model, Tensor, shape_of, type_name

Floats = npt.NDArray[np.float32]
Matrix = npt.NDArray[Any]

_TOLERANCE = 1e-4  # of the largest value of a channel; the converter folds in float32
_PRUNED = 0.01  # a weight with fewer zeros than this may go missing


class Found(NamedTuple):
    """A constant of the float model that is a weight, or rows of it, and where that is zero."""

    values: Floats
    zeros: npt.NDArray[np.bool_]


def name_and_check_weights(
    float_model: Model, int8_model: Model, weights: Mapping[str, Weight]
) -> set[bytes]:
    """Find each weight in the int8 model, check every zero of it, name it. Returns the names.

    Raises
    ------
    ExportError
        When a zero did not become 0, or a pruned weight is missing.
    """
    constants = [array for _, array in _constants(float_model, "float32")]
    stored = list(_constants(int8_model, "int8"))
    named: dict[int, bytes] = {}
    for name, weight in weights.items():
        values = weight.value().numpy()
        pruned = (values == 0).mean() > _PRUNED
        found = _find(weight, constants)
        taken = {id(one.values) for one in found}  # layers with equal weights take turns
        constants.sort(key=lambda constant: id(constant) in taken)
        if not found and pruned:
            raise ExportError(
                f"{name} is pruned to {(values == 0).mean():.1%}, but the converted model does "
                "not have it. The converter changed it, for example by merging layers, or left it "
                "out because the output does not depend on it. Exclude it from pruning. Nothing "
                "was written."
            )
        for part, one in enumerate(found):
            label = name if len(found) == 1 else f"{name}.{part}"
            tensors = [t for t, q in stored if _is_quantised(int8_model, t, q, one.values)]
            if not tensors and pruned:
                raise ExportError(
                    f"{label} is pruned to {one.zeros.mean():.1%}, but the quantizer leaves it in "
                    "float32, which is not packed. It has no int8 version of the operator that "
                    f"uses it{_hint(weight.module)}. Nothing was written."
                )
            for tensor in tensors:
                lost = np.count_nonzero(_int8(int8_model, tensor)[one.zeros])
                if lost:
                    raise ExportError(
                        f"{label}: {lost} of its {one.zeros.sum()} zeros did not become 0 in int8. "
                        "Nothing was written."
                    )
            unnamed = [tensor for tensor in tensors if id(tensor) not in named]
            if unnamed:  # layers with equal weights may share one tensor
                unnamed[0].name = named[id(unnamed[0])] = label.encode()
    return set(named.values())


def _hint(module: nn.Module) -> str:
    return " (Conv3d)" if isinstance(module, nn.Conv3d | nn.ConvTranspose3d) else ""


def _constants(model: Model, dtype: str) -> Iterator[tuple[Tensor, Matrix]]:
    for tensor in model.subgraphs[0].tensors:
        if type_name(tensor) == dtype and len(shape_of(tensor)) > 1 and model.data(tensor).size:
            yield tensor, model.data(tensor).view(dtype).reshape(shape_of(tensor))


def _int8(model: Model, tensor: Tensor) -> Matrix:
    return model.data(tensor).view(np.int8).reshape(shape_of(tensor))


def _is_quantised(model: Model, tensor: Tensor, stored: Matrix, values: Floats) -> bool:
    """Whether an int8 tensor is a float one, rounded."""
    if stored.shape != values.shape:
        return False
    scale = np.asarray(tensor.quantization.scale, np.float32)
    if scale.size > 1:
        shape = [1] * stored.ndim
        shape[tensor.quantization.quantizedDimension] = -1
        scale = scale.reshape(shape)
    # rounding is half a step, other weights are dozens of steps away
    return bool((np.abs(stored * scale - values) <= 1.5 * scale).all())


# --- in the float model -------------------------------------------------------------------------


def _find(weight: Weight, constants: list[Matrix]) -> list[Found]:
    """A weight in the float model: as one tensor, or cut into rows; empty where it is not there."""
    first = weight.outputs_first(weight.value()).numpy()
    for cuts in _cuts(weight.module, len(first)):
        parts = [_find_rows(rows, constants) for rows in np.split(first, cuts)]
        if all(part is not None for part in parts):
            return [part for part in parts if part is not None]
    return []


def _cuts(module: nn.Module, n_rows: int) -> list[list[int]]:
    """How the converter may cut a weight: the projections of attention, where inputs differ."""
    if isinstance(module, nn.MultiheadAttention):
        third = n_rows // 3
        return [[], [third], [third, 2 * third]]
    return [[]]


def _find_rows(weight: Floats, constants: list[Matrix]) -> Found | None:
    """The constant that fits best: scaled by output channel, or else by input as well."""
    if weight.ndim > 2:  # inputs last, as TensorFlow Lite stores them
        weight = np.moveaxis(weight, 1, -1)
    rows = weight.reshape(len(weight), -1)
    layouts = []
    for constant in constants:
        if constant.size == rows.size:
            if len(constant) == len(rows):
                layouts.append((constant, constant.reshape(rows.shape), False))
            if constant.shape[-1] == len(rows):  # depthwise: output channels last
                layouts.append((constant, constant.reshape(-1, len(rows)).T, True))
    for scales in (_by_output, _by_output_and_input):
        for constant, matrix, turned in layouts:
            if _is_close(matrix, scales(matrix, rows), rows):
                zeros = rows == 0
                return Found(constant, (zeros.T if turned else zeros).reshape(constant.shape))
    return None


def _is_close(matrix: Matrix, fitted: Matrix, rows: Matrix) -> bool:
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    if not (np.abs(matrix - fitted) <= _TOLERANCE * largest).all():
        return False
    return bool(matrix.any()) == bool(rows.any())


def _by_output(matrix: Matrix, rows: Matrix) -> Matrix:
    norm = np.einsum("ij,ij->i", rows, rows)
    fit = np.einsum("ij,ij->i", matrix, rows) / np.where(norm > 0, norm, 1)
    fitted: Matrix = fit[:, None] * rows
    return fitted


def _by_output_and_input(matrix: Matrix, rows: Matrix) -> Matrix:
    """The best `rows` with a factor for each row and each column.

    One row's factor is chosen, which gives the factors of the columns where it is not zero, which
    give those of more rows, and so on.
    """
    if min(rows.shape) == 1 and rows.all():
        return np.zeros_like(rows)  # anything would fit
    matrix, rows = matrix.astype(np.float64), rows.astype(np.float64)
    by_row, by_column = np.zeros(len(rows)), np.zeros(rows.shape[1])
    row_known, column_known = np.zeros(len(rows), bool), np.zeros(rows.shape[1], bool)
    left = np.count_nonzero(matrix, axis=1)
    while np.where(row_known, 0, left).any():
        start = int(np.argmax(np.where(row_known, 0, left)))
        by_row[start], row_known[start] = 1, True
        while _extend(matrix, rows, by_column, column_known, by_row) or _extend(
            matrix.T, rows.T, by_row, row_known, by_column
        ):
            pass
    return by_row[:, None] * rows * by_column[None, :]


def _extend(matrix: Matrix, rows: Matrix, factors: Matrix, known: Matrix, others: Matrix) -> bool:
    """Find the factors of columns that known factors of rows decide. Whether there were any."""
    terms = rows * others[:, None]
    norm = (terms * terms).sum(axis=0)
    new = ~known & (norm > 0)
    factors[new] = (matrix * terms).sum(axis=0)[new] / norm[new]
    known |= new
    return bool(new.any())
