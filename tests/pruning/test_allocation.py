# SPDX-License-Identifier: Apache-2.0
"""How the zeros are divided over tensors, and a target in bytes."""

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from pruned_models import linear_network  # noqa: E402
from torch import nn  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import MagnitudePruner, packed_nbytes  # noqa: E402


def uneven():
    model = linear_network()
    with torch.no_grad():
        model[2].weight.mul_(0.3)
    return model


def lamp_scores(weight):
    """As the paper writes it (arXiv 2010.07611, Eq. 3): slowly, for every weight."""
    squares = weight.flatten().astype(np.float64) ** 2
    return np.array([s / squares[squares >= s].sum() for s in squares]).reshape(weight.shape)


@pytest.mark.parametrize(("allocation", "score"), [("global", np.abs), ("lamp", lamp_scores)])
def test_the_smallest_scores_of_all_tensors_go(allocation, score):
    model = uneven()
    scores = [score(model[i].weight.detach().numpy()) for i in (0, 2)]
    threshold = np.quantile(np.concatenate([s.ravel() for s in scores]), 0.6)
    pruner = MagnitudePruner(model, 0.6, end=0, allocation=allocation)
    pruner.step(0)
    for mask, expected in zip(pruner.masks.values(), scores, strict=True):
        differ = (mask.numpy() == 1) != (expected > threshold)
        assert differ.sum() <= 2  # next to the threshold
    reached = pruner.sparsities()
    assert np.mean(list(reached.values())) == pytest.approx(0.6, abs=1e-3)
    difference = reached["2.weight"] - reached["0.weight"]
    assert difference > 0.3 if allocation == "global" else abs(difference) < 0.05
    held = {name: mask.clone() for name, mask in pruner.masks.items()}
    with torch.no_grad():
        model[0].parametrizations.weight.original.normal_()
    pruner.step(1)
    assert all(torch.equal(held[name], mask) for name, mask in pruner.masks.items())


def test_no_tensor_loses_everything():
    model = linear_network()
    with torch.no_grad():
        model[2].weight.mul_(1e-6)
    pruner = MagnitudePruner(model, 0.9, end=0, allocation="global")
    pruner.step(0)
    assert pruner.masks["2.weight"].sum() == 1
    assert pruner.masks["0.weight"].sum() == pytest.approx(0.1 * 8192 - 1, abs=1)


def test_a_sparsity_for_each_layer():
    model = nn.Sequential(linear_network(), nn.Linear(64, 64), nn.Linear(64, 64))
    sparsity = {"0": 0.5, "0.2.weight": 0.9, "1": 0.75}
    pruner = MagnitudePruner(model, sparsity, end=2)
    assert pruner.target(2) == pytest.approx((0.5 + 0.9 + 0.75) / 3)
    pruner.step(2)
    expected = {"0.0.weight": 0.5, "0.2.weight": 0.9, "1.weight": 0.75}  # 2 stays dense
    assert pruner.sparsities() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("allocation", ["uniform", "global", "lamp"])
def test_a_target_in_bytes_is_reached_at_the_end_and_kept(allocation):
    model = linear_network()
    dense, target = packed_nbytes(model), 3000
    pruner = MagnitudePruner(model, target_nbytes=target, end=3, allocation=allocation)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    sizes, pruned = [], []
    for time in range(6):
        pruner.step(time)
        sizes.append(packed_nbytes(model))
        pruned.append(pruner.masks["0.weight"] == 0)
        for _ in range(5):
            optimizer.zero_grad()
            (model(torch.randn(64, 64)) - 1).square().mean().backward()
            optimizer.step()
    assert all((pruned[i] <= pruned[i + 1]).all() for i in (3, 4))  # held, or a few more
    assert sizes[0] == dense
    assert sizes[:4] == sorted(sizes[:4], reverse=True)
    assert all(0.97 * target <= size <= target for size in sizes[3:])
    assert pruner.target(9) == pytest.approx(np.mean(list(pruner.sparsities().values())), abs=5e-3)


def test_a_target_larger_than_the_model_prunes_nothing():
    model = linear_network()
    pruner = MagnitudePruner(model, target_nbytes=10**6, end=0)
    pruner.step(0)
    assert set(pruner.sparsities().values()) == {0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_nbytes": 100}, "`target_nbytes=100` cannot be reached: with 99.5%"),
        ({"target_nbytes": 100, "sparsity": 0.5}, "either `sparsity` or `target_nbytes`"),
        ({}, "either `sparsity` or `target_nbytes`"),
        ({"sparsity": 0.5, "allocation": "best"}, "`allocation='best'` is unknown"),
        ({"sparsity": {"0": 0.5}, "allocation": "lamp"}, "`allocation='lamp'` divides one"),
        ({"sparsity": {"9": 0.5}}, "`sparsity` names ['9']"),
        ({"sparsity": {"0": 1.5}}, "`sparsity=1.5` for '0' is out of range"),
        ({"sparsity": {"1": 0.5}}, "`sparsity` names no tensor that is pruned"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(sp.InputError, match=re.escape(message)):
        MagnitudePruner(linear_network(), end=1, **options)
