# SPDX-License-Identifier: Apache-2.0
"""GridQuantizer: what was trained on a grid, and the way to int8."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from grid_training import brightest_quarters, network, sgd, trained  # noqa: E402
from torch import nn  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import (  # noqa: E402
    GridQuantizer,
    to_arrays,
    to_tflite,
)
from stridepack.pruning.on_grid import grid_of  # noqa: E402
from stridepack.pruning.weights import Weight  # noqa: E402


@pytest.fixture(scope="module")
def small():
    """A network that was trained down to 3,000 bytes, and its quantizer."""
    model = network()
    quantizer = GridQuantizer(model, 3000, end=6)
    trained(model, quantizer, sgd(model), 10)
    quantizer.fit()
    return model.eval(), quantizer


@pytest.fixture(scope="module")
def small_file(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "small.tflite"
    images, _ = brightest_quarters()
    to_tflite(small[0], images[:50].split(1), path)
    return path


def test_the_packed_file_takes_the_target_and_the_network_still_works(small, small_file, tmp_path):
    model, quantizer = small
    images, labels = brightest_quarters(seed=1)
    accuracy = (model(images).argmax(1) == labels).float().mean()
    sp.pack_file(small_file, tmp_path / "small.spk")
    nbytes = (tmp_path / "small.spk").stat().st_size
    assert 0.97 * 3000 < nbytes <= 3000  # of 6,216 weights
    assert nbytes == quantizer.nbytes()
    assert accuracy > 0.9


def test_weights_are_whole_multiples_of_the_steps(small):
    model, quantizer = small
    levels = quantizer.levels()["3.weight"]
    steps = grid_of(Weight(model[3], "weight")).steps().detach().numpy()
    assert np.allclose(model[3].weight.detach().numpy(), levels * steps, atol=1e-6)
    assert 3 <= len(np.unique(levels)) < 40
    assert list(quantizer.levels()) == ["3.weight"]  # the others are too small to be packed


def test_the_steps_are_learned(small):
    model, _ = small
    assert abs(float(grid_of(Weight(model[3], "weight")).log_growth)) > 0.01


def test_the_file_has_exactly_the_levels(small, small_file):
    model, quantizer = small
    (stored,) = [t for t in sp.read_tflite(small_file) if t.name == "3.weight"]
    levels = np.moveaxis(quantizer.levels()["3.weight"], 1, -1)
    assert np.array_equal(stored.values, levels)
    arrays = to_arrays(model)
    assert np.array_equal(arrays["3.weight"].values, quantizer.levels()["3.weight"])
    steps = grid_of(Weight(model[3], "weight")).steps().detach().numpy().reshape(-1)
    assert np.array_equal(arrays["3.weight"].scales, steps)


def test_the_file_computes_what_the_model_does(small, small_file):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    model, _ = small
    images, _ = brightest_quarters(64, seed=2)
    interpreter = litert.Interpreter(str(small_file))
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = source["quantization"]
    outputs = []
    for image in images:
        x = np.rint(image.permute(1, 2, 0).numpy()[None] / scale) + zero
        interpreter.set_tensor(source["index"], np.clip(x, -128, 127).astype(np.int8))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"])[0].copy())
    scale, zero = sink["quantization"]
    int8 = (np.stack(outputs).astype(np.float32) - zero) * scale
    real = model(images).detach().numpy()
    noise = np.square(int8 - real).mean() / real.var()
    assert 10 * np.log10(noise) < -20


def test_batch_normalisation_of_either_sign_keeps_the_levels(tmp_path):
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(16, 32, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 16, 3)
    )
    with torch.no_grad():
        model[1].weight.uniform_(-2, 2)
        model[1].running_var.uniform_(0.5, 2)
        model[0].weight[5] = 0  # a dead channel
    quantizer = GridQuantizer(model, 3000, end=1)
    inputs = torch.randn(20, 16, 8, 8).split(1)
    to_tflite(model, inputs, tmp_path / "x.tflite")
    stored = {t.name: t.values for t in sp.read_tflite(tmp_path / "x.tflite")}
    signs = np.where(model[1].weight.detach().numpy() < 0, -1, 1).reshape(-1, 1, 1, 1)
    levels = quantizer.levels()
    assert np.array_equal(stored["0.weight"], np.moveaxis(levels["0.weight"], 1, -1) * signs)
    assert np.array_equal(stored["3.weight"], np.moveaxis(levels["3.weight"], 1, -1))
    assert not stored["0.weight"][5].any()


def test_the_original_is_not_changed(small):
    model, _ = small
    before = copy.deepcopy(model.state_dict())
    to_arrays(model)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
