# SPDX-License-Identifier: Apache-2.0
"""What people export: attention, recurrent layers, embeddings, normalised and tied weights."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from pruned_models import needs_converter, signal_to_noise  # noqa: E402
from torch import nn  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import MagnitudePruner, to_arrays, to_tflite  # noqa: E402
from stridepack.tflite.model import load_model, type_name  # noqa: E402


class Transformer(nn.Module):
    """Token ids in; its layer normalisation is folded into the next layers; the largest counts."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(32, 16)

    def forward(self, ids):
        return self.head(self.encoder(self.embedding(ids)).amax(1))


class Recurrent(nn.Module):
    """A recurrent layer, then two layers of equal weights, which the converter merges."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(8, 24, batch_first=True)
        self.left, self.right = nn.Linear(24, 32), nn.Linear(24, 32)
        self.right.load_state_dict(self.left.state_dict())
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        y = self.rnn(x)[0][:, -1]
        return self.head(torch.cat([self.left(y).relu(), self.right(y).tanh()], 1))


def build(kind):
    torch.manual_seed(0)
    model = kind().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:  # some factors are negative
                parameter.add_(torch.randn_like(parameter))
            elif "in_proj_bias" in name:  # the converter folds only into layers with a bias
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module", name="transformer")
def _transformer():
    needs_converter()
    model = build(Transformer)
    MagnitudePruner(model, 0.7, end=0).step(0)
    inputs = [torch.randint(0, 50, (1, 6)) for _ in range(6)]
    return model, inputs, to_tflite(model, inputs)


def stored(content, tmp_path):
    (tmp_path / "model.tflite").write_bytes(content)
    return {t.name: t.values for t in sp.read_tflite(tmp_path / "model.tflite")}


def test_a_transformer_keeps_every_zero(transformer, tmp_path):
    model, inputs, content = transformer
    values = stored(content, tmp_path)
    weights = {n: w.values for n, w in to_arrays(model).items()}
    weights.pop("embedding.weight")
    assert len(weights) == 5
    for name, weight in weights.items():
        assert values[name].shape == weight.shape
        assert not values[name][weight == 0].any(), name
        assert np.count_nonzero(values[name]) > 0.25 * values[name].size
    assert signal_to_noise(content, model, inputs) > 20


def test_token_ids_stay_integers_and_embeddings_become_int8(transformer, tmp_path):
    model, _, content = transformer
    table = stored(content, tmp_path)["embedding.weight"]
    mask = model.embedding.weight.detach().numpy() != 0
    assert not table[~mask].any()
    assert np.abs(table).max() == 127
    graph = load_model(content, "file").subgraphs[0]
    assert type_name(graph.tensors[graph.inputs[0]]) == "int32"


def test_everything_is_int8_also_the_maximum(transformer):
    model = load_model(transformer[2], "file")
    graph = model.subgraphs[0]
    assert "REDUCE_MAX" in map(model.operator_name, graph.operators)
    used = {i for op in graph.operators for i in (*op.inputs, *op.outputs) if i >= 0}
    assert {type_name(graph.tensors[i]) for i in used} == {"int8", "int32"}


def test_recurrent_and_equal_layers(tmp_path):
    needs_converter()
    model = build(Recurrent)
    MagnitudePruner(model, 0.7, end=0).step(0)
    inputs = [torch.randn(1, 3, 8) for _ in range(8)]
    content = to_tflite(model, inputs)
    values = stored(content, tmp_path)
    for name, weight in to_arrays(model).items():
        if name != "right.weight":  # is the same tensor as left.weight
            assert not values[name][weight.values == 0].any()
            assert (values[name] == 0).mean() == pytest.approx(0.7, abs=0.02)
    assert signal_to_noise(content, model, inputs) > 20


def normalised_and_pruned():
    """Weights that torch computes in hooks, in bfloat16, after a forward pass in training."""
    torch.manual_seed(0)
    model = nn.Sequential(
        torch.nn.utils.weight_norm(nn.Conv2d(2, 16, 3)),
        nn.ReLU(),
        torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(16, 16, 3)),
        nn.Flatten(),
        nn.Linear(256, 8),
    ).bfloat16()
    torch.nn.utils.prune.l1_unstructured(model[4], "weight", 0.8)
    model(torch.randn(2, 2, 8, 8, dtype=torch.bfloat16))
    return model


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_pruned_by_torch_and_normalised_and_bfloat16(tmp_path):
    model = normalised_and_pruned()
    keys = list(model.state_dict())
    arrays = to_arrays(model)
    assert list(arrays) == ["0.weight", "2.weight", "4.weight"]
    zeros = model[4].weight.detach() == 0
    assert (arrays["4.weight"].values[zeros.numpy()] == 0).all()
    assert zeros.float().mean() == pytest.approx(0.8, abs=1e-3)
    needs_converter()
    data = torch.utils.data.TensorDataset(torch.randn(20, 2, 8, 8), torch.zeros(20))
    content = to_tflite(model, torch.utils.data.DataLoader(data, batch_size=8))
    linear = stored(content, tmp_path)["4.weight"]
    assert linear.shape == (8, 256)
    assert np.count_nonzero(linear) <= 0.2 * linear.size + 1
    assert list(model.state_dict()) == keys  # the model itself is as it was
    inputs = [x[None] for x, _ in data]
    expected = np.concatenate([model.eval()(x.bfloat16()).detach().float() for x in inputs])
    assert np.abs(expected).max() > 0.1
    assert signal_to_noise(content, lambda x: model(x.bfloat16()).float(), inputs) > 20


def test_what_stays_float_or_cannot_be_converted_says_so():
    needs_converter()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv3d(1, 8, 3), nn.Flatten(), nn.Linear(64, 4))
    MagnitudePruner(model, 0.5, end=0).step(0)
    with pytest.raises(sp.ExportError, match=re.escape("0.weight is pruned to 50.0%, but the q")):
        to_tflite(model, torch.randn(3, 1, 4, 4, 4))
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.AdaptiveMaxPool2d(1))
    with pytest.raises(sp.ExportError, match="adaptive_max_pool2d"):
        to_tflite(model, torch.randn(3, 1, 8, 8))


class TwoInputs(nn.Module):
    def forward(self, x, y):
        return x + y


@pytest.mark.parametrize(
    ("model", "calibration", "message"),
    [
        (TwoInputs(), [(torch.zeros(1, 2), torch.zeros(1, 2))], "takes 2 inputs: x, y"),
        (nn.Linear(4, 2), [torch.full((1, 4), torch.nan)], "Calibration input 0 holds values"),
        (nn.Linear(4, 2), "inputs.npz", "`calibration` is a str"),
        (nn.Linear(4, 2), [["a"]], "A calibration input is a str"),
        (nn.Linear(4, 2), np.zeros((3, 5)), "does not run on a calibration input of shape (1, 5)"),
        (nn.LazyLinear(2), np.zeros((3, 5)), "weight has no shape yet"),
    ],
)
def test_bad_inputs(model, calibration, message):
    with pytest.raises(sp.InputError, match=re.escape(message)):
        to_tflite(model, calibration)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite(value):
    model = nn.Sequential(nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight[1, 2] = value
    for export in (to_arrays, lambda m: to_tflite(m, np.zeros((3, 4)))):
        with pytest.raises(
            sp.InputError, match=r"0\.weight: 1 of its 8 values are NaN or infinite"
        ):
            export(model)
