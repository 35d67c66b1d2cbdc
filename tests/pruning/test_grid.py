# SPDX-License-Identifier: Apache-2.0
"""GridQuantizer: training on a grid towards a number of bytes."""

import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from grid_training import brightest_quarters, network, sgd, trained  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import (  # noqa: E402
    GridQuantizer,
    MagnitudePruner,
    linear,
)
from stridepack.pruning.on_grid import grid_of  # noqa: E402
from stridepack.pruning.weights import Weight  # noqa: E402


def test_the_size_follows_the_schedule():
    model = network()
    quantizer = GridQuantizer(model, 3000, start=1, end=5, schedule=linear)
    first = quantizer.nbytes()
    assert quantizer.target(0) == quantizer.target(1) == pytest.approx(first)
    assert quantizer.target(3) == pytest.approx((first * 3000) ** 0.5)
    assert quantizer.target(5) == quantizer.target(9) == pytest.approx(3000)


@pytest.mark.parametrize("target", [2500, 4500])
def test_a_short_training_ends_just_below_the_target(target):
    model = network()  # 3,200 bytes on the usual grid
    quantizer = GridQuantizer(model, target, end=6)
    trained(model, quantizer, sgd(model), 10)
    quantizer.fit()
    assert 0.97 * target < quantizer.nbytes() <= target
    images, labels = brightest_quarters(seed=1)
    assert (model.eval()(images).argmax(1) == labels).float().mean() > 0.95


def test_a_target_above_the_usual_size_starts_with_finer_steps():
    usual, fine = (GridQuantizer(network(), target, end=1) for target in (2000, 5000))
    assert usual.nbytes() < 3300
    assert 0.98 * 5000 < fine.nbytes() <= 5000
    largest = max(np.abs(levels).max() for levels in fine.levels().values())
    assert largest <= 127
    # more bytes than 127 levels can use: the finest grid
    finest = GridQuantizer(network(), 50_000, end=1)
    assert np.abs(finest.levels()["3.weight"]).max() == 127


def test_steps_get_finer_where_the_size_fell_below_the_schedule():
    model = network()
    quantizer = GridQuantizer(model, 2500, end=2)
    quantizer.step(0)
    before = quantizer.nbytes()
    parameter = model[3].parametrizations.weight.original
    with torch.no_grad():
        parameter[parameter.abs() < parameter.abs().median()] *= 0.1
    assert quantizer.nbytes() < 0.9 * before
    quantizer.step(0)
    assert 0.98 * before < quantizer.nbytes() <= before


def test_the_penalty_is_the_entropy_where_weights_lie_on_levels():
    model = nn.Sequential(nn.Linear(64, 64))
    quantizer = GridQuantizer(model, 1000, end=1)
    grid = grid_of(Weight(model[0], "weight"))
    levels = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)).round()
    bits = float(grid.bits(levels * grid.steps()))
    counts = np.unique(np.abs(levels.numpy()), return_counts=True)[1]
    assert (np.diff(counts[1:]) <= 0).all()  # larger levels are not cheaper
    entropy = float(-(counts * np.log2(counts / 4096)).sum()) + float((levels != 0).sum())
    assert bits == pytest.approx(entropy, rel=1e-4)
    quantizer.penalty().backward()
    weight = model[0].parametrizations.weight.original
    slope = weight.grad * weight
    assert (slope >= 0).all()
    assert (slope > 0).any()


def test_a_mask_of_the_pruner_stays():
    model = network()
    pruner = MagnitudePruner(model, 0.5, end=0, larger_than=2047)
    pruner.step(0)
    zeros = model[3].weight == 0
    quantizer = GridQuantizer(model, 3000, end=2)
    trained(model, quantizer, sgd(model), 2)
    assert (model[3].weight[zeros] == 0).all()
    assert (quantizer.levels()["3.weight"][zeros.numpy()] == 0).all()


def test_a_resumed_run_is_the_same_run():
    def fresh():
        model = network()
        return model, GridQuantizer(model, 3000, end=3), sgd(model)

    whole = fresh()
    trained(*whole, 4)
    first = fresh()
    trained(*first, 2)
    buffer = io.BytesIO()
    torch.save({"model": first[0].state_dict(), "optimizer": first[2].state_dict()}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer)
    second = fresh()
    second[0].load_state_dict(saved["model"])
    second[2].load_state_dict(saved["optimizer"])
    assert second[1].target(1) == first[1].target(1)
    trained(*second, 4, start=2)
    # the time from the last call before to the first one after is not counted
    sizes = whole[1].nbytes(), second[1].nbytes()
    assert sizes[0] == pytest.approx(sizes[1], rel=0.03)


def test_it_trains_under_autocast():
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    images, labels = brightest_quarters(32)
    with torch.autocast("cpu", torch.bfloat16):
        loss = cross_entropy(model(images), labels) + quantizer.penalty()
    loss.backward()
    gradient = model[3].parametrizations.weight.original.grad
    assert gradient.dtype == torch.float32
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_it_trains_with_channels_last_and_transposed_convolutions():
    model = nn.Sequential(nn.ConvTranspose2d(16, 24, 3), nn.Conv2d(24, 24, 3))
    model = model.to(memory_format=torch.channels_last)
    quantizer = GridQuantizer(model, 3000, end=1)
    grid = grid_of(Weight(model[0], "weight"))
    assert grid.steps().shape == (1, 24, 1, 1)
    model(torch.randn(2, 16, 8, 8)).square().mean().add(quantizer.penalty()).backward()
    quantizer.step(0.5)
    assert quantizer.levels()["0.weight"].shape == (16, 24, 3, 3)


def test_fit_moves_as_few_levels_as_the_target_asks_for():
    model = network()
    quantizer = GridQuantizer(model, 2000, end=1)
    quantizer.target_nbytes = 10_000
    before, nbytes = quantizer.levels()["3.weight"].astype(int), quantizer.nbytes()
    quantizer.fit()
    assert np.array_equal(quantizer.levels()["3.weight"], before)  # it is small enough
    quantizer.target_nbytes = nbytes - 100
    quantizer.fit()
    assert nbytes - 160 < quantizer.nbytes() <= nbytes - 100
    after = quantizer.levels()["3.weight"].astype(int)
    moved = before - after
    assert np.array_equal(moved[moved != 0], np.sign(before)[moved != 0])
    assert 0 < np.count_nonzero(moved) < 0.2 * moved.size
    quantizer.target_nbytes = nbytes // 2
    with pytest.raises(sp.BudgetError, match=r"Train for longer after `end`, or allow more"):
        quantizer.fit()


def test_remove_leaves_the_rounded_weights():
    model = network()
    keys = set(model.state_dict())
    quantizer = GridQuantizer(model, 3000, end=1)
    rounded = model[3].weight.detach().clone()
    quantizer.remove()
    assert set(model.state_dict()) == keys
    assert torch.equal(model[3].weight, rounded)


def test_remove_twice_is_as_once_and_nothing_goes_on_afterwards():
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    quantizer.remove()
    rounded = model[3].weight.detach().clone()
    quantizer.remove()
    assert torch.equal(model[3].weight, rounded)
    for method in (quantizer.nbytes, quantizer.levels, quantizer.penalty, quantizer.fit):
        with pytest.raises(sp.InputError, match=r"^3\.weight is not on its grid any more, because"):
            method()
    with pytest.raises(sp.InputError, match=r"Create another GridQuantizer to train on\.$"):
        quantizer.step(0)
    assert GridQuantizer(model, 3000, end=1).nbytes() <= 3300
