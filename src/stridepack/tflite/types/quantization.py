# SPDX-License-Identifier: Apache-2.0
"""Quantisation of a tensor as TensorFlow Lite Micro's DECODE sees it."""

import numpy as np

from stridepack.tflite.model import Tensor, shape_of


def is_quantised(tensor: Tensor) -> bool:
    """Whether there is a quantisation: it wants scales and zero points."""
    quantization = tensor.quantization
    return (
        quantization is not None
        and quantization.scale is not None
        and quantization.zeroPoint is not None
        and len(quantization.scale) > 0
        and len(quantization.zeroPoint) > 0
    )


def n_channels(tensor: Tensor) -> int:
    """Number of scales; 1 without quantisation."""
    return len(tensor.quantization.scale) if is_quantised(tensor) else 1


def channels_are_last(tensor: Tensor) -> bool:
    """Whether channels are the last axis. If not, they are the first, or `unsupported_axis`."""
    axis = int(tensor.quantization.quantizedDimension) if is_quantised(tensor) else 0
    return axis == len(shape_of(tensor)) - 1 and n_channels(tensor) > 1


def unsupported_axis(tensor: Tensor) -> int | None:
    """The axis of quantisation, if it is one for which PRUNE and LUT refuse to decode."""
    axis = int(tensor.quantization.quantizedDimension) if is_quantised(tensor) else 0
    return None if axis == 0 or channels_are_last(tensor) else axis


def zero_point(tensor: Tensor) -> int:
    """The zero point; of several, the first that is not 0, or 0."""
    quantization = tensor.quantization
    if quantization is None or quantization.zeroPoint is None:
        return 0
    zero_points = np.asarray(quantization.zeroPoint)
    return int(zero_points[np.argmax(zero_points != 0)]) if zero_points.size else 0


def why_scales_do_not_fit(tensor: Tensor) -> str:
    """A sentence on scales that do not fit the shape; empty where they do.

    TensorFlow Lite refuses such a tensor as well: there is one scale, or one for each index of one
    axis.
    """
    if not is_quantised(tensor):
        return ""
    shape = shape_of(tensor)
    scales, zero_points = len(tensor.quantization.scale), len(tensor.quantization.zeroPoint)
    axis = int(tensor.quantization.quantizedDimension)
    if scales == 1:
        return ""
    if not 0 <= axis < len(shape) or shape[axis] != scales:
        return f"its {scales} scales do not fit axis {axis} of {list(shape)}."
    if zero_points not in (1, scales):
        return f"it has {scales} scales and {zero_points} zero points."
    return ""
