# SPDX-License-Identifier: Apache-2.0
"""From a trained torch module to int8: a .tflite file, or NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import nn

from stridepack.files.atomic import write_files
from stridepack.pruning.calibration import read_calibration
from stridepack.pruning.convert import convert
from stridepack.pruning.grid_file import in_file_order, store_levels
from stridepack.pruning.on_grid import levels_of
from stridepack.pruning.plain import plain_copy
from stridepack.pruning.proof import name_and_check_weights
from stridepack.pruning.quantise import QuantizedWeight, quantise
from stridepack.pruning.quiet import OnProgress, quiet, show
from stridepack.pruning.repair import (
    quantise_embeddings,
    quantise_reductions,
    revive_dead_channels,
    shorten_names,
    warn_of_float,
)
from stridepack.pruning.weights import weights_of
from stridepack.tflite.model import load_model


def to_arrays(model: nn.Module) -> dict[str, QuantizedWeight]:
    """The weights of all convolutions, linear and other layers as int8, by parameter name.

    Symmetric, one scale for each output channel, in torch's own layout; a zero stays 0. Batch
    normalisation is not folded in: that is the work of the runtime that will execute the network.
    Masks, of a `MagnitudePruner` or of `torch.nn.utils.prune`, are applied. Weights on the grid of
    a `GridQuantizer` become their levels, with the steps as scales. `model` itself is not changed.

    Examples
    --------
    >>> import torch
    >>> layer = torch.nn.Linear(3, 1)
    >>> layer.weight.data = torch.tensor([[0.5, 0.0, -1.0]])
    >>> to_arrays(torch.nn.Sequential(layer))["0.weight"].values
    array([[  64,    0, -127]], dtype=int8)
    """
    on_grid = levels_of(model)
    weights = weights_of(plain_copy(model))
    return {
        name: on_grid[name] if name in on_grid else quantise(weight, weight.value())
        for name, weight in weights.items()
    }


def to_tflite(
    model: nn.Module,
    calibration: Iterable[Any],
    path: str | Path | None = None,
    *,
    on_progress: OnProgress | None = None,
) -> bytes:
    """Convert to a full-integer int8 .tflite file in which every pruned weight is exactly 0.

    Masks of a `MagnitudePruner` or of `torch.nn.utils.prune` are applied; `model` itself is not
    changed. Weights are quantised symmetrically for each output channel; those on the grid of a
    `GridQuantizer` are stored as the levels that were trained. Activations are quantised by the
    extremes met in calibration. Weights and biases get the names that they have in `model`, other
    tensors short ones. An input of four dimensions is NHWC in the file, not NCHW as in `model`.
    Outputs keep the order that they have in `model`: an output that is an image stays NCHW.

    Parameters
    ----------
    model
        Takes one tensor, with a first dimension of 1: float32, or integers such as token ids.
    calibration
        Inputs of the model, such as a few hundred training images: tensors or arrays of shape
        (1, ...), one array with an input in each row, or a DataLoader that gives (inputs, labels).
    path
        Where to write the file as well, complete or not at all.
    on_progress
        Called with what is being done, how much of it is done, and of how much. By default,
        standard error shows it where that is a terminal.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    InputError
        When weights or calibration inputs are NaN or infinite, or calibration does not fit.
    ExportError
        When a weight that is zero in `model` is not 0 in the file, or a pruned tensor is missing,
        or the model cannot be converted.
    """
    plain = plain_copy(model)
    inputs = read_calibration(calibration, plain)
    with quiet(on_progress or show) as aloud:
        float_bytes, int8_bytes = convert(plain, inputs, aloud)

    # Reading pulls in the tensors of 256 KiB and more, which the quantizer stores after the
    # flatbuffer, where TensorFlow Lite Micro does not look.
    float_model = load_model(float_bytes, "the converted model")
    int8_model = load_model(int8_bytes, "the quantised model")
    revive_dead_channels(float_model, int8_model)
    quantise_reductions(int8_model)
    quantise_embeddings(int8_model)
    weights = weights_of(plain)
    names = name_and_check_weights(float_model, int8_model, weights)
    store_levels(float_model, int8_model, in_file_order(levels_of(model), weights))
    shorten_names(int8_model, names)
    warn_of_float(int8_model)

    content = int8_model.to_bytes()
    if path is not None:
        write_files({Path(path): content})
    return content
