# SPDX-License-Identifier: Apache-2.0
"""From a torch module to int8: every zero, every name, and what is refused."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from commands import run  # noqa: E402
from pruned_models import needs_converter, network, signal_to_noise  # noqa: E402
from torch import nn  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import (  # noqa: E402
    MagnitudePruner,
    packed_nbytes,
    to_arrays,
    to_tflite,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "pruning.md"


def test_to_arrays():
    model = network()
    MagnitudePruner(model, 0.5, end=0, larger_than=1000).step(0)
    with torch.no_grad():
        model[7].weight[2] = 0
    arrays = to_arrays(model)
    assert list(arrays) == ["0.weight", "3.weight", "7.weight"]
    for name, layer in (("3.weight", model[3]), ("7.weight", model[7])):
        weight, (values, scales) = layer.weight.detach().numpy(), arrays[name]
        assert values.dtype == np.int8
        assert values.shape == weight.shape
        scales = scales.reshape(-1, *[1] * (weight.ndim - 1))
        assert not values[weight == 0].any()
        assert np.abs(values * scales - weight).max() <= scales.max() / 2 * 1.001
    assert np.abs(arrays["7.weight"].values).max(axis=1).tolist() == [127, 127, 0, 127, 127]


@pytest.fixture(name="needs_converter")
def _needs_converter():
    needs_converter()


def test_channels_that_decayed_to_next_to_nothing_become_zeros():
    """A scale has the precision of their weights, which is none: signs were turned around."""
    layer = nn.Linear(3, 3)
    layer.weight.data = torch.tensor([[0.5, 0, -1], [2.5e-43, -2.5e-43, 0], [1e-44, 0, -1e-44]])
    quantised = to_arrays(nn.Sequential(layer))["0.weight"]
    assert quantised.values.tolist() == [[64, 0, -127], [0, 0, 0], [0, 0, 0]]
    assert (quantised.scales > 0).all()


@pytest.mark.usefixtures("needs_converter")
@pytest.mark.parametrize("channels_last", [False, True])
def test_to_tflite_keeps_each_zero_and_name(tmp_path, capfd, channels_last):
    model = network().eval()
    with torch.no_grad():
        model[1].weight.uniform_(-2, 2)  # batch normalisation turns the sign of some channels
        model[1].running_var.uniform_(0.3, 3)
        model[1].running_mean.normal_()
        model[3].weight[5] = 0  # a dead channel, whose bias must survive
        model[3].bias[5] = 0.8
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    pruner = MagnitudePruner(model, 0.6, end=0)
    pruner.step(0)
    inputs = [torch.randn(1, 3, 8, 8) for _ in range(30)]
    calls = []
    state = {name: value.clone() for name, value in model.state_dict().items()}
    capfd.readouterr()
    content = to_tflite(
        model,
        torch.cat(inputs).numpy() if channels_last else inputs,  # an array is as good as a list
        tmp_path / "model.tflite",
        on_progress=lambda *call: calls.append(call),
    )
    assert capfd.readouterr() == ("", "")  # the converter is not heard
    assert ("calibrating", 29, 30) in calls
    assert calls[-1] == ("", 1, 1)

    assert (tmp_path / "model.tflite").read_bytes() == content
    assert all(torch.equal(state[n], v) for n, v in model.state_dict().items())
    stored = {t.name: t.values for t in sp.read_tflite(tmp_path / "model.tflite")}
    for index in (0, 3, 7):
        weight = model[index].weight.detach().numpy()
        weight = np.moveaxis(weight, 1, -1) if weight.ndim > 2 else weight
        values = stored[f"{index}.weight"]
        assert values.shape == weight.shape
        assert not values[weight == 0].any()
        assert np.count_nonzero(values) >= 0.98 * np.count_nonzero(weight)  # few are rounded to 0

    from ai_edge_litert import schema_py_generated as schema

    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    names = {tensor.name.decode() for tensor in graph.tensors}
    assert {"0.bias", "3.bias", "7.bias"} <= names  # that of 0 from the normalisation behind it
    assert all(len(name) <= len("serving_default_output_0_output") for name in names)

    # the overflowed bias of the dead channel leaves 5
    assert signal_to_noise(content, model, inputs) > 25


@pytest.mark.usefixtures("needs_converter")
def test_large_weights_stay_inside_the_file_and_pack(tmp_path):
    from click.testing import CliRunner

    from stridepack.cli import cli

    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(600, 500), nn.ReLU(), nn.Linear(500, 4))  # 300,000 bytes
    MagnitudePruner(model, 0.8, end=0, larger_than=10000).step(0)
    path, packed = tmp_path / "large.tflite", tmp_path / "packed.tflite"
    to_tflite(model, [torch.randn(1, 600) for _ in range(10)], path)
    pack = ["pack", path, "-o", packed, "--objective", "size"]
    for arguments in (pack, ["verify", path, packed]):
        result = CliRunner().invoke(cli, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
    assert packed.stat().st_size < 0.5 * path.stat().st_size

    (nbytes,) = sp.pack_file(path, tmp_path / "packed.spk").files.values()
    assert packed_nbytes(model) == pytest.approx(nbytes, rel=0.01)  # what target_nbytes goes by


@pytest.mark.usefixtures("needs_converter")
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "`calibration` is empty"),
        ([torch.zeros(2, 3, 8, 8)], "shape (2, 3, 8, 8)"),
        ([torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9)], "shape (1, 3, 8, 9)"),
    ],
)
def test_bad_calibration(tmp_path, inputs, message):
    with pytest.raises(sp.InputError, match=re.escape(message)):
        to_tflite(network(), inputs, tmp_path / "x.tflite")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("needs_converter")
def test_the_example_of_the_document(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[1]
    assert len(code.splitlines()) < 40
    monkeypatch.chdir(tmp_path)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "docs/pruning.md", "exec"), {})
    assert float(re.search(r"accuracy ([\d.]+)", output.getvalue())[1]) > 0.9
    tensors = {t.name: t.values for t in sp.read_tflite("quarters.tflite")}
    assert sum((v == 0).mean() >= 0.7 - 1e-3 for v in tensors.values()) == 2
    commands = re.findall(
        r"^stridepack (.* quarters\.tflite.*|.*quarters\.tflite)$", DOCUMENT.read_text(), re.M
    )
    assert len(commands) == 3
    for command in commands:
        run(*command.split())
