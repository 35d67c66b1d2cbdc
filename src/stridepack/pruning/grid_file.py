# SPDX-License-Identifier: Apache-2.0
"""The levels of a grid in a converted model: exactly those that were trained, and their scales.

The quantizer spreads each channel over all of int8. That is right for weights that are not on a
grid. For those that are it would store multiples of 127 / largest level, rounded once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch

from stridepack.errors import ExportError
from stridepack.pruning.quantise import QuantizedWeight
from stridepack.pruning.weights import Weight
from stridepack.tflite.model import Buffer, Model, Operator, shape_of

Floats = npt.NDArray[np.float32]

_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_LARGEST_ERROR = 1e-2  # of a step: folding batch normalisation into the weights rounds them


def store_levels(
    float_model: Model, int8_model: Model, levels: Mapping[str, npt.NDArray[np.int8]]
) -> None:
    """Put the levels in place of the quantizer's values, and adapt scales and biases.

    Parameters
    ----------
    float_model, int8_model
        The converted model before and after quantisation; weights of the latter have their names.
    levels
        By name of the weight, as `in_file_order` has them.

    Raises
    ------
    ExportError
        When the converter changed a weight, such that it is on no grid.
    """
    if not levels:
        return
    left = set(levels)
    pairs = zip(_weighted(float_model), _weighted(int8_model), strict=True)
    for float_op, op in pairs:
        name = int8_model.subgraphs[0].tensors[op.inputs[1]].name.decode()
        if name in left:
            weight = _floats(float_model, float_op.inputs[1])
            bias = _bias(float_model, float_op)
            rows = levels[name].reshape(len(levels[name]), -1)
            _store(int8_model, op, weight, bias, rows)
            left.remove(name)
    if left:
        raise ExportError(
            f"{', '.join(sorted(left))}: the converted model does not have these weights, which "
            "are on a grid. The converter changed them, for example by merging layers. Nothing was "
            "written."
        )


def in_file_order(
    levels: Mapping[str, QuantizedWeight], weights: Mapping[str, Weight]
) -> dict[str, npt.NDArray[np.int8]]:
    """Levels in torch's layout as TensorFlow Lite stores them: outputs first, inputs last."""
    ordered = {}
    for name, (values, _) in levels.items():
        first = weights[name].outputs_first(torch.from_numpy(values)).numpy()
        ordered[name] = np.ascontiguousarray(np.moveaxis(first, 1, -1))
    return ordered


def _weighted(model: Model) -> Iterator[Operator]:
    """Convolutions and fully connected layers with constant weights, their second input."""
    tensors = model.subgraphs[0].tensors
    for op in model.subgraphs[0].operators:
        if model.operator_name(op) in _LAYERS and model.data(tensors[op.inputs[1]]).size:
            yield op


def _bias(model: Model, op: Operator) -> Floats | None:
    has_one = len(op.inputs) > 2 and op.inputs[2] >= 0
    return _floats(model, op.inputs[2]) if has_one else None


def _floats(model: Model, index: int) -> Floats:
    return model.data(model.subgraphs[0].tensors[index]).view(np.float32)


def _store(
    model: Model, op: Operator, folded: Floats, bias: Floats | None, levels: npt.NDArray[np.int8]
) -> None:
    """Store the levels as the weights of an operator, given its weights and bias as real numbers.

    Batch normalisation, which the converter folds into the weights, scales whole channels, and may
    turn their signs.
    """
    tensors = model.subgraphs[0].tensors
    weight = tensors[op.inputs[1]]
    channels = np.moveaxis(
        folded.reshape(shape_of(weight)), weight.quantization.quantizedDimension, 0
    )
    rows = channels.reshape(levels.shape).astype(np.float64)
    whole = levels.astype(np.float64)
    norms = np.einsum("ij,ij->i", whole, whole)
    fit = np.einsum("ij,ij->i", rows, whole) / np.where(norms > 0, norms, 1)
    if np.any(np.abs(rows - fit[:, None] * whole) > _LARGEST_ERROR * np.abs(fit)[:, None]):
        raise ExportError(
            f"{weight.name.decode()} is on a grid, but in the converted model it is not. The "
            "converter changed it, for example by folding the layer before into it. Nothing was "
            "written."
        )
    stored = np.where(fit[:, None] < 0, -levels, levels).astype(np.int8).reshape(channels.shape)
    content = np.moveaxis(stored, 0, weight.quantization.quantizedDimension)
    model.root.buffers[weight.buffer] = Buffer(np.ascontiguousarray(content).tobytes())
    # The scale stays where a channel is all zero.
    scale = np.where(norms > 0, np.abs(fit), weight.quantization.scale).astype(np.float32)
    weight.quantization.scale = scale
    if bias is not None:
        source = tensors[op.inputs[0]]
        sums = scale * np.float32(source.quantization.scale[0])
        limits = np.iinfo(np.int32)
        values = np.clip(np.rint(bias / sums.astype(np.float64)), limits.min, limits.max)
        target = tensors[op.inputs[2]]
        model.root.buffers[target.buffer] = Buffer(values.astype("<i4").tobytes())
        target.quantization.scale = sums
