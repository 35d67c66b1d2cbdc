# SPDX-License-Identifier: Apache-2.0
"""Rounding a layer: less error than plain rounding, and zeros stay."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from shrink_models import correlated_inputs, one_layer, random_weights

from stridepack.shrink.compensate import Compensator
from stridepack.shrink.draft import Draft, Rounded
from stridepack.shrink.grid import steps_of_rows
from stridepack.shrink.layers import Layer
from stridepack.shrink.network import real
from stridepack.shrink.patches import patches
from stridepack.shrink.statistics import Statistics

KINDS = {
    "fully connected": ("FULLY_CONNECTED", (20, 64), (1, 64), (1, 20), {}),
    "one scale": ("FULLY_CONNECTED", (20, 64), (1, 64), (1, 20), {"per_channel": False}),
    "no bias": ("FULLY_CONNECTED", (20, 64), (1, 64), (1, 20), {"bias": False}),
    "conv": ("CONV_2D", (8, 3, 3, 4), (1, 6, 6, 4), (1, 6, 6, 8), {}),
    "depthwise": ("DEPTHWISE_CONV_2D", (1, 3, 3, 8), (1, 6, 6, 8), (1, 6, 6, 8), {}),
}


class Case:
    """A layer, and what it sees."""

    def __init__(self, name: str, zeros: float) -> None:
        kind, weights, shape, sink_shape, more = KINDS[name]
        model = one_layer(kind, random_weights(*weights, zeros=zeros), shape, sink_shape, **more)
        self.draft = Draft(model, "model")
        (self.layer,) = self.draft.layers
        self.statistics = self._statistics(correlated_inputs(200, *shape[1:]))
        self.seen = self._seen(correlated_inputs(200, *shape[1:], seed=1))

    def _seen(self, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        x = real(inputs, self.layer.source_scale, self.layer.source_zero_point)
        seen = np.concatenate(list(patches(self.layer, x)), axis=1).astype(np.float64)
        return np.concatenate([seen, np.ones((*seen.shape[:2], 1))], axis=2)

    def _statistics(self, inputs: npt.NDArray[Any]) -> Statistics:
        seen = self._seen(inputs)[:, :, np.append(self.layer.live, self.layer.n_columns)]
        auto = seen.transpose(0, 2, 1) @ seen / seen.shape[1]
        return Statistics(auto, auto)

    def error(self, rounded: Rounded) -> float:
        """Mean squared change of the outputs on samples that were not calibrated with."""
        rows = np.column_stack([rounded.levels * rounded.scales[:, np.newaxis], rounded.bias])
        change = (rows - self.layer.weights()).reshape(self.layer.n_groups, -1, rows.shape[1])
        return float(np.square(self.seen @ change.transpose(0, 2, 1)).mean())


def nearest(layer: Layer, step: float) -> Rounded:
    steps = steps_of_rows(layer, step)
    levels = np.rint(layer.weights()[:, :-1] / steps[:, np.newaxis])
    return Rounded(np.clip(levels, -127, 127).astype(np.int8), steps, layer.weights()[:, -1])


@pytest.mark.parametrize("zeros", [0.0, 0.6])
@pytest.mark.parametrize("name", KINDS)
def test_compensation_beats_plain_rounding_on_correlated_inputs(name: str, zeros: float) -> None:
    case = Case(name, zeros)
    for step in (8, 24):
        rounded = Compensator(case.layer, case.statistics).round(steps_of_rows(case.layer, step))
        limit = 0.2 if case.layer.kind == "FULLY_CONNECTED" else 0.85  # how correlated they are
        assert case.error(rounded) < limit * case.error(nearest(case.layer, step))


@pytest.mark.parametrize("zeros", [0.0, 0.05, 0.6, 0.95, 1.0])
@pytest.mark.parametrize("name", KINDS)
def test_zeros_stay(name: str, zeros: float) -> None:
    case = Case(name, zeros)
    compensator = Compensator(case.layer, case.statistics)
    was_zero = case.layer.to_rows(case.layer.values) == 0
    for rounded in (compensator.round(steps_of_rows(case.layer, 4)), compensator.round_finely()):
        assert not rounded.levels[was_zero].any()
        assert rounded.levels.dtype == np.int8
        assert (rounded.scales > 0).all()


def test_columns_of_zeros_take_no_part() -> None:
    """A layer with many columns of which few are used takes no more than those."""
    case = Case("fully connected", 0.95)
    rounded = Compensator(case.layer, case.statistics).round(steps_of_rows(case.layer, 4))
    assert len(case.layer.live) < case.layer.n_columns
    assert rounded.levels.shape == (20, 64)
    assert case.statistics.auto.shape[1] == len(case.layer.live) + 1


@pytest.mark.parametrize("zeros", [0.05, 0.6])
def test_a_price_of_bits_makes_levels_cheaper(zeros: float) -> None:
    case = Case("fully connected", zeros)
    compensator = Compensator(case.layer, case.statistics)
    steps = steps_of_rows(case.layer, 16)
    sizes = [np.abs(compensator.round(steps, price).levels).sum() for price in (0.0, 0.5, 5.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_tensor_with_one_scale_keeps_one() -> None:
    case = Case("one scale", 0.3)
    rounded = Compensator(case.layer, case.statistics).round(steps_of_rows(case.layer, 16))
    assert np.ptp(rounded.scales) == 0
    assert rounded.scales[0] == pytest.approx(16 * case.layer.scales[0], rel=0.2)


def test_without_a_bias_none_is_made_up() -> None:
    case = Case("no bias", 0.0)
    rounded = Compensator(case.layer, case.statistics).round(steps_of_rows(case.layer, 16))
    assert not rounded.bias.any()


def test_the_bias_takes_up_what_a_layer_lost_on_average() -> None:
    case = Case("fully connected", 0.0)
    rounded = Compensator(case.layer, case.statistics).round(steps_of_rows(case.layer, 40))
    rows = np.column_stack([rounded.levels * rounded.scales[:, np.newaxis], rounded.bias])
    mean = case.statistics.auto[0][-1]
    np.testing.assert_allclose(rows @ mean, case.layer.weights() @ mean, atol=2e-3)


def test_errors_of_earlier_layers_are_made_up_for() -> None:
    """The inputs are half of what they were, and the outputs come out nearly as before."""
    case = Case("fully connected", 0.0)
    halved = np.ones(case.layer.n_columns + 1)
    halved[:-1] = 0.5
    auto = case.statistics.auto * halved * halved[:, np.newaxis]
    now = Statistics(auto, case.statistics.auto * halved)
    original = case.seen
    case.seen = original * halved
    rounded = Compensator(case.layer, now).round_finely()
    rows = np.column_stack([rounded.levels * rounded.scales[:, np.newaxis], rounded.bias])
    wanted = original[0] @ case.layer.weights().T
    assert np.square(original[0] * halved @ rows.T - wanted).mean() < 0.01 * wanted.var()
    assert np.square(original[0] * halved @ case.layer.weights().T - wanted).mean() > (
        0.2 * wanted.var()
    )


@pytest.mark.parametrize("zeros", [0.0, 0.6])
def test_the_same_again_for_the_same(zeros: float) -> None:
    case = Case("conv", zeros)
    first, second = (
        Compensator(case.layer, case.statistics).round(steps_of_rows(case.layer, 12))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.levels, second.levels)
    np.testing.assert_array_equal(first.scales, second.scales)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_inputs_that_never_change_do_no_harm() -> None:
    case = Case("fully connected", 0.0)
    nothing = np.zeros_like(case.statistics.auto)
    nothing[:, -1, -1] = 1
    rounded = Compensator(case.layer, Statistics(nothing, nothing)).round(
        steps_of_rows(case.layer, 8)
    )
    assert np.isfinite(rounded.scales).all()
    np.testing.assert_allclose(rounded.bias, case.layer.weights()[:, -1], atol=1e-6)
