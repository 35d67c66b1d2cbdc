# SPDX-License-Identifier: Apache-2.0
"""Masks in the life of a model: averages, copies, checkpoints, initialisation."""

import copy
import io
import re

import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from pruned_models import (  # noqa: E402
    lightning_module,
    linear_network,
    network,
    zeros_of,
)
from torch import nn  # noqa: E402
from torch.optim.swa_utils import (  # noqa: E402
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
)

import stridepack as sp  # noqa: E402
from stridepack.pruning import MagnitudePruner  # noqa: E402

RECURRENT = (nn.GRU, nn.LSTM, nn.RNN)


def train(model, pruner, steps, average=None):
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    for step in range(steps):
        pruner.step(step)
        optimizer.zero_grad()
        model(torch.randn(16, 64)).square().mean().backward()
        optimizer.step()
        if average is not None:
            average.update_parameters(model)


@pytest.mark.parametrize(
    "how",
    [{}, {"avg_fn": get_ema_avg_fn(0.99)}, {"multi_avg_fn": get_ema_multi_avg_fn(0.99)}],
    ids=["mean", "ema", "fused ema"],
)
def test_an_average_over_buffers_keeps_the_zeros(how):
    model = linear_network()
    pruner = MagnitudePruner(model, 0.7, end=10)
    average = AveragedModel(model, use_buffers=True, **how)
    train(model, pruner, 20, average)
    wanted = round(0.7 * 64 * 64)
    mask = average.module[0].parametrizations.weight[0].mask
    assert ((mask > 0) & (mask < 1)).any()  # the buffers really were averaged
    for layer in (0, 2):
        assert zeros_of(model[layer].weight) == wanted
        pruned = model[layer].weight == 0
        assert (average.module[layer].weight[pruned] == 0).all()
        assert zeros_of(average.module[layer].weight) <= wanted + 0.02 * 64 * 64


def test_lightnings_average_keeps_the_zeros(tmp_path):
    lightning = pytest.importorskip("lightning", reason="lightning is not installed")
    callbacks = pytest.importorskip("lightning.pytorch.callbacks")
    if not hasattr(callbacks, "EMAWeightAveraging"):
        pytest.skip("this lightning has no EMAWeightAveraging")

    make, loader = lightning_module(lightning)
    module = make()
    lightning.Trainer(
        max_epochs=3,
        callbacks=[callbacks.EMAWeightAveraging(decay=0.9)],
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(module, loader)
    mask = module.pruner.masks["3.weight"]
    assert ((mask > 0) & (mask < 1)).any()  # the average has taken the model's place
    sparsity = zeros_of(module.network[3].weight) / mask.numel()
    assert 0.6 - 1e-3 <= sparsity <= 0.63
    assert module.pruner.sparsities()["3.weight"] == pytest.approx(sparsity)


def test_a_checkpoint_of_an_earlier_version_loads():
    model = nn.Sequential(nn.Linear(8, 8))
    pruner = MagnitudePruner(model, 0.5, end=0)
    mask = torch.zeros(8, 8)
    mask[:, ::4] = 1
    saved = {
        "0.bias": torch.zeros(8),
        "0.parametrizations.weight.original": torch.ones(8, 8),
        "0.parametrizations.weight.0.mask": mask,
    }
    model.load_state_dict(saved)
    assert torch.equal(model[0].weight, mask)
    assert pruner.sparsities() == {"0.weight": 0.75}
    pruner.step(0)  # has more zeros than it needs
    assert torch.equal(pruner.masks["0.weight"], mask)


def test_a_masked_model_is_saved_and_loaded_whole():
    model = linear_network()
    pruner = MagnitudePruner(model, 0.7, end=0)
    pruner.step(0)
    file = io.BytesIO()
    torch.save((model, pruner), file)
    loaded, loaded_pruner = torch.load(io.BytesIO(file.getvalue()), weights_only=False)
    x = torch.randn(3, 64)
    assert torch.equal(loaded(x), model(x))
    assert list(loaded.state_dict()) == list(model.state_dict())
    loaded_pruner.masks["0.weight"].zero_()  # the pruner's masks are the loaded model's
    assert zeros_of(loaded[0].weight) == 64 * 64


def test_a_copy_outlives_the_masks_of_its_original():
    model = linear_network()
    pruner = MagnitudePruner(model, 0.7, end=0)
    pruner.step(0)
    best = copy.deepcopy(model)
    pruner.remove()
    assert type(model[0]) is nn.Linear
    assert torch.equal(best[0].weight, model[0].weight)


def test_reset_parameters_initialises_behind_the_mask():
    model = linear_network()
    pruner = MagnitudePruner(model, 0.7, end=0)
    pruner.step(0)
    before, mask = model[0].weight.clone(), pruner.masks["0.weight"].clone()
    model[0].reset_parameters()
    kept = mask == 1
    assert (model[0].weight[kept] != before[kept]).float().mean() > 0.99
    assert torch.equal(pruner.masks["0.weight"], mask)
    assert not model[0].weight[~kept].any()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("zero_", lambda w: w.zero_()),
        ("zero_", lambda w: w.data.zero_()),
        ("zero_", lambda w: w.detach().zero_()),
        ("fill_", lambda w: w[0].fill_(1)),
        ("__setitem__", lambda w: w.__setitem__(0, 1)),
        ("normal_", nn.init.normal_),
        ("zero_", nn.init.zeros_),
    ],
)
def test_a_change_in_place_that_would_be_lost_is_an_error(name, change):
    model = linear_network()
    MagnitudePruner(model, 0.5, end=0).step(0)
    with torch.no_grad(), pytest.raises(sp.InputError, match=f"`{name}` would change"):
        change(model[0].weight)
    model[0].weight = torch.ones(64, 64)  # what the message says instead
    assert model[0].weight.sum() == 32 * 64
    assert type(model[0].weight + 1) is torch.Tensor


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_layers(kind):
    model = nn.Sequential(kind(8, 32, num_layers=2, bidirectional=True))
    x = torch.randn(5, 2, 8)
    model(x)
    pruner = MagnitudePruner(model, 0.6, end=0, exclude="0.weight_ih_l0")
    pruner.step(0)
    assert len(pruner.masks) == 7
    outputs = model(x)[0]
    outputs.sum().backward()  # the list of weights now belongs to a graph
    assert torch.equal(copy.deepcopy(model)(x)[0], outputs)
    dense = kind(8, 32, num_layers=2, bidirectional=True)
    pruner.remove()
    dense.load_state_dict(model[0].state_dict())  # plain again
    assert torch.equal(dense(x)[0], outputs)
    assert zeros_of(model[0].weight_hh_l1_reverse) == round(
        0.6 * model[0].weight_hh_l1_reverse.numel()
    )


def test_attention_and_embeddings():
    model = nn.Sequential(nn.Embedding(50, 32), nn.TransformerEncoderLayer(32, 4, 64))
    pruner = MagnitudePruner(model, 0.5, end=0)
    pruner.step(0)
    assert set(pruner.masks) == {
        "0.weight",
        "1.self_attn.in_proj_weight",
        "1.self_attn.out_proj.weight",
        "1.linear1.weight",
        "1.linear2.weight",
    }
    assert set(pruner.sparsities().values()) == {0.5}
    ids = torch.randint(0, 50, (7, 2))
    expected = model.eval()(ids).detach()
    with torch.no_grad():  # the fast path of eval mode
        torch.testing.assert_close(model(ids), expected)
    pruner.remove()
    torch.testing.assert_close(model(ids).detach(), expected)
    different = nn.MultiheadAttention(16, 2, kdim=8, vdim=8)
    names = {"q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"}
    assert set(MagnitudePruner(different, 0.5, end=0).masks) == names


def test_data_parallel_wrapped_before_the_pruner_still_gets_its_gradients(tmp_path):
    distributed = torch.distributed
    if not distributed.is_available():
        pytest.skip("torch has no torch.distributed here")
    distributed.init_process_group(
        "gloo", init_method=(tmp_path / "store").as_uri(), rank=0, world_size=1
    )
    try:
        model = linear_network()
        parallel = nn.parallel.DistributedDataParallel(model)
        pruner = MagnitudePruner(parallel, 0.5, end=2)
        train(parallel, pruner, 4)  # a hook that was cut off is an error in the second step
        assert zeros_of(model[0].weight) == 32 * 64
        parameter = model[0].parametrizations.weight.original
        pruner.remove()
        assert model[0].weight is parameter
    finally:
        distributed.destroy_process_group()


def test_it_compiles_and_exports():
    model = linear_network().eval()
    MagnitudePruner(model, 0.5, end=0).step(0)
    x = torch.randn(2, 64)
    assert torch.equal(torch.jit.trace(model, x)(x), model(x))
    assert torch.equal(torch.export.export(model, (x,)).module()(x), model(x))


def test_the_pruner_warns_of_tensors_that_pack_leaves_dense():
    with pytest.warns(UserWarning, match=re.escape("fewer than 2,048 elements dense")) as warned:
        MagnitudePruner(network(), 0.5, end=0)
    assert "0.weight, 7.weight" in str(warned[0].message)
    assert "`larger_than=2047`" in str(warned[0].message)
    assert "`--min-size 432`" in str(warned[0].message)
