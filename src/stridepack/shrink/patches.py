# SPDX-License-Identifier: Apache-2.0
"""What each output of a layer sees: its inputs, one row for each position of the output."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from stridepack.shrink.layers import Layer

Float32 = npt.NDArray[np.float32]

# Elements of the arrays that are made at once.
_LARGEST = 2**22


def patches(layer: Layer, source: Float32) -> Iterator[Float32]:
    """Parts of the matrix that the weights are multiplied with.

    Parameters
    ----------
    layer : Layer
    source : ndarray of float32
        The input of the layer, minus its zero point, for some samples.

    Yields
    ------
    ndarray of float32, shape (groups, positions, columns)
        In the order of `Layer.to_rows`, without a column for the bias.
    """
    if layer.kind == "FULLY_CONNECTED":
        yield source.reshape(1, -1, layer.values.shape[1])
        return
    height, width = layer.values.shape[1:3]
    out_height, out_width = layer.sink_shape[1:3]
    padded = (_spread if layer.kind == "TRANSPOSE_CONV" else _pad)(layer, source)
    at_once = max(1, _LARGEST // (out_height * out_width * height * width * source.shape[3]))
    for begin in range(0, len(source), at_once):
        part = padded[begin : begin + at_once]
        yield _windows(layer, part, out_height, out_width)


def _windows(layer: Layer, padded: Float32, out_height: int, out_width: int) -> Float32:
    """Windows of a padded input, as the weights lie on it."""
    height, width = layer.values.shape[1:3]
    down, right, dilation_h, dilation_w = 1, 1, 1, 1
    if layer.kind != "TRANSPOSE_CONV":
        down, right = layer.options.strideH, layer.options.strideW
        dilation_h, dilation_w = _dilation(layer)
    extent = ((height - 1) * dilation_h + 1, (width - 1) * dilation_w + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, extent, axis=(1, 2))
    windows = windows[:, ::down, ::right, :, ::dilation_h, ::dilation_w]
    windows = windows[:, :out_height, :out_width]  # (samples, y, x, channels, height, width)
    if layer.kind == "TRANSPOSE_CONV":
        windows = windows[..., ::-1, ::-1]
    if layer.kind == "DEPTHWISE_CONV_2D":
        by_channel = windows.transpose(3, 0, 1, 2, 4, 5)
        return by_channel.reshape(len(by_channel), -1, height * width)
    columns = windows.transpose(0, 1, 2, 4, 5, 3)
    return columns.reshape(1, -1, height * width * padded.shape[3])


def _pad(layer: Layer, source: Float32) -> Float32:
    """Zeros around the input of a convolution."""
    strides = (layer.options.strideH, layer.options.strideW)
    edges = [(0, 0)]
    for axis, stride, dilation in zip((1, 2), strides, _dilation(layer), strict=True):
        extent = (layer.values.shape[axis] - 1) * dilation + 1
        total = max(0, (layer.sink_shape[axis] - 1) * stride + extent - source.shape[axis])
        before = total // 2 if layer.options.padding == 0 else 0  # 0 is SAME
        edges.append((before, total - before))
    return np.pad(source, [*edges, (0, 0)])


def _spread(layer: Layer, source: Float32) -> Float32:
    """The input of a transposed convolution, with zeros between and around its elements.

    A convolution with stride 1 and the weights turned around does the same with it.
    """
    strides = (layer.options.strideH, layer.options.strideW)
    lengths, begins = [], []
    for axis, stride in zip((1, 2), strides, strict=True):
        extent, n_in, n_out = layer.values.shape[axis], source.shape[axis], layer.sink_shape[axis]
        cut = max(0, (n_in - 1) * stride + extent - n_out) // 2
        begins.append(extent - 1 - cut)
        lengths.append(max(n_out + extent - 1, begins[-1] + (n_in - 1) * stride + 1))
    spread = np.zeros((len(source), *lengths, source.shape[3]), np.float32)
    spread[:, begins[0] :: strides[0], begins[1] :: strides[1]][
        :, : source.shape[1], : source.shape[2]
    ] = source
    return spread


def _dilation(layer: Layer) -> tuple[int, int]:
    options = layer.options
    return max(1, options.dilationHFactor), max(1, options.dilationWFactor)
