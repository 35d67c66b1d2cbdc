"""Small networks, and LiteRT to run what becomes of them: shared by the tests of pruning."""

import numpy as np
import pytest
import torch
from torch import nn


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(24 * 4, 5),
    )


def linear_network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))


def zeros_of(weight):
    return int((weight == 0).sum())


def needs_converter():
    for package in ("litert_torch", "ai_edge_quantizer", "tflite_micro"):
        pytest.importorskip(package, reason=f"{package} is not installed")


def lite(content, x):
    """The float outputs of LiteRT for one NCHW input."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert sink["dtype"] == np.int8
    x = x.permute(0, 2, 3, 1).numpy() if x.ndim == 4 else x.numpy()
    if source["dtype"] == np.int8:
        scale, zero_point = source["quantization"]
        x = np.clip(np.rint(x / scale) + zero_point, -128, 127).astype(np.int8)
    interpreter.set_tensor(source["index"], x.astype(source["dtype"]))
    interpreter.invoke()
    scale, zero_point = sink["quantization"]
    return (interpreter.get_tensor(sink["index"]).astype(np.float32) - zero_point) * scale


def signal_to_noise(content, model, inputs):
    """In dB, of the int8 file against the model."""
    with torch.no_grad():
        expected = np.concatenate([model(x).numpy() for x in inputs])
    noise = np.concatenate([lite(content, x) for x in inputs]) - expected
    return 10 * np.log10((expected**2).sum() / (noise**2).sum())
