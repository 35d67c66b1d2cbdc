# SPDX-License-Identifier: Apache-2.0
"""GridQuantizer: what it refuses, and what it notices while it trains."""

import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from grid_training import network  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import (  # noqa: E402
    GridQuantizer,
    MagnitudePruner,
    to_arrays,
)
from stridepack.pruning.on_grid import grid_of  # noqa: E402
from stridepack.pruning.weights import Weight  # noqa: E402


def test_a_model_has_one_quantizer():
    model = network()
    GridQuantizer(model, 3000, end=1)
    message = (
        "3.weight is on the grid of a GridQuantizer already, and a model can have only one. Use "
        "that one, or call its `remove()` first. A MagnitudePruner must be created before it."
    )
    with pytest.raises(sp.InputError) as caught:
        GridQuantizer(model, 3000, end=1)
    assert str(caught.value) == message
    with pytest.raises(sp.InputError) as caught:
        MagnitudePruner(model, 0.5, end=1, larger_than=2047)
    assert str(caught.value) == message


def test_a_model_with_a_mask_has_one_quantizer_too():
    model = network()
    MagnitudePruner(model, 0.5, end=1, larger_than=2047)
    GridQuantizer(model, 3000, end=1)
    with pytest.raises(sp.InputError, match="is on the grid of a GridQuantizer already"):
        GridQuantizer(model, 3000, end=1)


def test_step_without_penalty_is_noticed():
    quantizer = GridQuantizer(network(), 3000, end=1)
    for _ in range(100):
        quantizer.step(0)
    with pytest.raises(sp.InputError, match=r"Add `penalty\(\)` to the loss of each batch"):
        quantizer.step(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_nbytes": 0, "end": 1}, "`target_nbytes=0` is out of range. It must be above 0."),
        (
            {"target_nbytes": 1000, "end": 1},
            "`target_nbytes=1000` is too small. The weights that are left out take 1,124 bytes "
            "alone. See `larger_than` and `exclude`.",
        ),
        (
            {"target_nbytes": "2kB", "end": 1},
            "`target_nbytes='2kB'` is not a whole number. Give the number of bytes as an integer, "
            "such as 2000 for 2 kB.",
        ),
        (
            {"target_nbytes": 2000.5, "end": 1},
            "`target_nbytes=2000.5` is not a whole number. Give the number of bytes as an integer, "
            "such as 2000 for 2 kB.",
        ),
        (
            {"target_nbytes": 2000, "end": float("nan")},
            "`end=nan` is not a finite number. Give the time in epochs, or in steps of the "
            "optimiser.",
        ),
        ({"target_nbytes": 9, "end": 1, "start": 1}, "`end=1` must be later than `start=1`."),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(sp.InputError) as caught:
        GridQuantizer(network(), **options)
    assert str(caught.value) == message


def test_weights_that_are_not_finite_are_refused():
    model = network()
    model[3].weight.data[0, 0, 0, 0] = torch.nan
    with pytest.raises(sp.InputError, match=r"^3\.weight: 1 of its values are NaN or infinite\.$"):
        GridQuantizer(model, 3000, end=1)
    assert "3.weight" in dict(model.named_parameters())  # nothing was changed


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_training_that_diverges_is_noticed(value):
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    with torch.no_grad():
        model[3].parametrizations.weight.original[0, :2] = value
    wrong = r"^3\.weight: 18 of its 5,184 values are NaN or infinite\. Has the training diverged\?"
    for method in (quantizer.nbytes, quantizer.penalty, quantizer.levels, quantizer.fit):
        with pytest.raises(sp.InputError, match=wrong):
            method()
    with pytest.raises(sp.InputError, match=wrong):
        quantizer.step(0.5)
    with pytest.raises(sp.InputError, match=wrong):
        to_arrays(model)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_step_that_diverges_is_noticed(value):
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    with torch.no_grad():
        grid_of(Weight(model[3], "weight")).log_growth.fill_(value)
    with pytest.raises(sp.InputError, match=r"^3\.weight: its step is 0, NaN or infinite\."):
        quantizer.step(0.5)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), "1", None])
def test_a_time_that_is_no_number_is_refused(time):
    quantizer = GridQuantizer(network(), 3000, end=1)
    with pytest.raises(sp.InputError) as caught:
        quantizer.step(time)
    assert str(caught.value) == (
        f"`time={time!r}` is not a finite number. Give the time in epochs, or in steps of the "
        "optimiser."
    )
    quantizer.step(0.5)
