# SPDX-License-Identifier: Apache-2.0
"""Small networks, and LiteRT to run what becomes of them: shared by the tests of pruning."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from stridepack.pruning import MagnitudePruner


def network(seed=0, *, width=16, classes=5):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 24, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(24 * 4, classes),
    )


def linear_network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))


def lightning_module(lightning):
    """A module that prunes while Lightning trains it, and its data: 4 batches an epoch."""

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network()
            self.pruner = MagnitudePruner(self.network, 0.6, end=6, larger_than=1000)

        def on_train_batch_start(self, batch, index):
            self.pruner.step(self.global_step)

        def training_step(self, batch, index):
            return cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.TensorDataset(torch.randn(32, 3, 8, 8), torch.randint(0, 5, (32,)))
    return Module, torch.utils.data.DataLoader(data, batch_size=8)


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
