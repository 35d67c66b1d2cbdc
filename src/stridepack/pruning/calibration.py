# SPDX-License-Identifier: Apache-2.0
"""Calibration inputs in the forms that people have them, as tensors of one sample each."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stridepack.errors import InputError

_INTEGERS = (torch.int64, torch.int32)


def read_calibration(calibration: Iterable[Any], model: nn.Module) -> list[Tensor]:
    """The inputs, each of shape (1, ...), all of one shape; float32, or int32 for token ids.

    An array or tensor holds one sample in each row. Of pairs, such as a DataLoader gives, the first
    is taken, and cut into samples.
    """
    _check_takes_one_input(model)
    samples: list[Tensor] = []
    if isinstance(calibration, np.ndarray | Tensor):
        samples += torch.split(_tensor(calibration), 1)
    elif isinstance(calibration, str | bytes | dict) or not isinstance(calibration, Iterable):
        raise InputError(
            f"`calibration` is a {type(calibration).__name__}. Give a few inputs of the model: a "
            "list of tensors of shape (1, ...), an array with one input in each row, or a "
            "DataLoader."
        )
    else:
        for item in calibration:
            if isinstance(item, list | tuple) and len(item):
                samples += torch.split(_tensor(item[0]), 1)
            else:
                samples.append(_tensor(item))
    if not samples:
        raise InputError("`calibration` is empty. Give a few inputs of the model.")
    for number, sample in enumerate(samples):
        if sample.shape != samples[0].shape or sample.shape[:1] != (1,):
            raise InputError(
                f"A calibration input has the shape {tuple(sample.shape)}. All inputs must have "
                "the same shape, and its first dimension must be 1. `inputs.split(1)` cuts a "
                "tensor of many inputs into such ones."
            )
        if not torch.isfinite(sample).all():
            raise InputError(
                f"Calibration input {number} holds values that are NaN or infinite. Leave it out."
            )
    return _as_the_model_takes_them(samples, model)


def _tensor(item: Any) -> Tensor:
    if isinstance(item, np.ndarray):
        item = torch.from_numpy(np.ascontiguousarray(item))
    if not isinstance(item, Tensor):
        raise InputError(
            f"A calibration input is a {type(item).__name__}. It must be a tensor or an array of "
            "shape (1, ...), or a pair of a batch of inputs and its labels."
        )
    tensor = item.detach().cpu()
    return tensor if tensor.dtype in _INTEGERS else tensor.float()


def _check_takes_one_input(model: nn.Module) -> None:
    parameters = inspect.signature(model.forward).parameters.values()
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise InputError(
            f"The model takes {len(needed)} inputs: {', '.join(needed)}. `to_tflite` converts "
            "models with one. Wrap it in a module whose `forward` takes one tensor and cuts the "
            "inputs out of it, or fixes the others."
        )


def _as_the_model_takes_them(samples: list[Tensor], model: nn.Module) -> list[Tensor]:
    """Integers stay integers where the model takes them, and else become float32."""
    choices = [samples]
    if samples[0].dtype in _INTEGERS:
        choices = [[s.to(torch.int32) for s in samples], [s.float() for s in samples]]
    errors = []
    for inputs in choices:
        try:
            with torch.no_grad():
                model(inputs[0])
        except Exception as error:
            errors.append(error)
        else:
            return inputs
    raise InputError(
        f"The model does not run on a calibration input of shape {tuple(samples[0].shape)}: "
        f"{str(errors[-1]).splitlines()[0]}"
    ) from errors[-1]
