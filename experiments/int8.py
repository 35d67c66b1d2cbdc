# SPDX-License-Identifier: Apache-2.0
"""A trained network as an int8 .tflite, and what it answers to images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from experiments import data as datasets
from stridepack.pruning import to_tflite

CALIBRATION_IMAGES = 500  # of the training set, for the ranges of the activations
LARGEST_LOSS = 0.02  # of accuracy by quantisation; more means that the conversion went wrong


@torch.no_grad()
def float_accuracy(model: nn.Module, data: datasets.Images) -> float:
    """Fraction of the images that the float32 model classifies correctly."""
    batches = torch.split(data.pixels, 500)
    guesses = torch.cat([model(datasets.normalise(p)).argmax(1) for p in batches])
    return (guesses == data.labels).float().mean().item()


def quantised(pixels: Tensor, scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """Normalised images, NHWC, as a model's int8 input."""
    x = datasets.normalise(pixels).permute(0, 2, 3, 1).numpy()
    values: npt.NDArray[np.int8] = np.clip(np.rint(x / scale) + zero_point, -128, 127).astype(
        np.int8
    )
    return values


def int8_outputs(tflite: bytes, pixels: Tensor) -> npt.NDArray[np.int8]:
    """int8 logits of shape (n, classes) by LiteRT's reference kernels, those that TFLM shares."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=tflite, experimental_op_resolver_type=resolver)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.allocate_tensors()
    scale, zero_point = source["quantization"]
    outputs = []
    for image in pixels:  # one at a time: MobileViT's RESHAPEs hold for no other batch
        interpreter.set_tensor(source["index"], quantised(image[None], scale, zero_point))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"]).copy())
    return np.concatenate(outputs)


def to_int8(
    name: str, model: nn.Module, train: datasets.Images, test: datasets.Images
) -> tuple[bytes, float, float]:
    """The int8 .tflite of a trained model; its accuracy, and that of the float model.

    Raises
    ------
    RuntimeError
        When the conversion cost more accuracy than quantisation does.
    """
    calibration = [datasets.normalise(image[None]) for image in train.pixels[:CALIBRATION_IMAGES]]
    tflite = to_tflite(model, calibration)
    float_score = float_accuracy(model, test)
    guesses = int8_outputs(tflite, test.pixels).argmax(1)
    score = float((guesses == test.labels.numpy()).mean())
    if score < float_score - LARGEST_LOSS:
        raise RuntimeError(f"{name}: {float_score:.4f} in float, {score:.4f} in int8")
    return tflite, score, float_score
