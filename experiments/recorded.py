# SPDX-License-Identifier: Apache-2.0
"""A recorded network back in PyTorch, from its int8 .tflite, to train on from there.

Conversion folds batch normalisation into the convolution before it. Here every normalisation gets
the statistics of its input, and weights and biases that undo them: the function is the same, and
training finds what it expects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stridepack.tflite.model import load_model, shape_of


def load_recorded(file: Path, model: nn.Module, images: Tensor) -> None:
    """Give a model, whose convolutions `conv...` have normalisations `norm...`, recorded weights.

    Parameters
    ----------
    file
        An int8 .tflite that `to_tflite` wrote.
    model
        Of the same architecture. Changed in place.
    images
        A batch of inputs, such as 2,000 training images, for the statistics.
    """
    tensors = _real_values(file)
    modules = dict(model.named_modules())
    for name, values in tensors.items():
        owner, _, kind = name.rpartition(".")
        if isinstance(getattr(modules[owner], kind), Tensor):
            getattr(modules[owner], kind).data.copy_(values)
    norms: dict[nn.BatchNorm2d, Tensor] = {}
    for name, module in modules.items():
        if isinstance(module, nn.BatchNorm2d):
            norms[module] = tensors[name.replace("norm", "conv") + ".bias"]
            module.reset_running_stats()
            module.weight.data.fill_((1 + module.eps) ** 0.5)
            module.bias.data.copy_(norms[module])
    inputs: dict[nn.Module, Tensor] = {}
    hooks = [
        norm.register_forward_hook(lambda module, args, _: inputs.update({module: args[0]}))
        for norm in norms
    ]
    with torch.no_grad():
        model.eval()(images)
    for hook in hooks:
        hook.remove()
    for norm, bias in norms.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        variance, mean = torch.var_mean(inputs[norm], dim=(0, 2, 3))
        variance = variance.clamp(min=1e-4)  # of channels that are constant
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_((variance + norm.eps).sqrt())
        norm.bias.data.copy_(bias + mean)


def _real_values(file: Path) -> dict[str, Tensor]:
    """Weights and biases by the names that they have in PyTorch, in its layout."""
    model = load_model(file.read_bytes(), str(file))
    values = {}
    for tensor in model.subgraphs[0].tensors:
        name, data = tensor.name.decode(), model.data(tensor)
        if not data.size or not name.endswith((".weight", ".bias")):
            continue
        integers: Any = data.view(np.int8 if name.endswith(".weight") else np.int32)
        integers = integers.reshape(shape_of(tensor))
        scale = np.asarray(tensor.quantization.scale, np.float32)
        real = integers * scale.reshape(-1, *[1] * (integers.ndim - 1))
        if real.ndim == 4:  # inputs last, as TensorFlow Lite stores them
            real = np.moveaxis(real, -1, 1)
        values[name] = torch.from_numpy(np.ascontiguousarray(real, np.float32))
    return values
