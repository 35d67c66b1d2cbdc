# SPDX-License-Identifier: Apache-2.0
"""shrink where models are unusual: rows of very different scales, outputs that do not vary."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from shrink_models import add_layer, correlated_inputs, one_layer, random_weights, start
from tflite_models import schema

from stridepack.errors import InputError
from stridepack.shrink.allocate import Candidate, best_steps
from stridepack.shrink.compensate import Compensator
from stridepack.shrink.data import Samples
from stridepack.shrink.draft import Draft
from stridepack.shrink.grid import steps_of_rows
from stridepack.shrink.layers import Layer
from stridepack.shrink.network import Network, find_batch
from stridepack.shrink.quality import Reference
from stridepack.shrink.statistics import Statistics, observe


def layer_with_scales(scales: Any, dead: tuple[int, ...] = ()) -> Layer:
    """A fully connected layer of 16 rows, whose rows have these scales."""
    weights = random_weights(16, 64)
    weights[list(dead)] = 0
    draft = Draft(one_layer("FULLY_CONNECTED", weights, (1, 64), (1, 16)), "model")
    (layer,) = draft.layers
    object.__setattr__(layer, "scales", np.broadcast_to(scales, 16))
    return layer


def test_a_row_of_a_large_scale_is_not_clipped_to_127_levels() -> None:
    scales = np.full(16, 1e-3)
    scales[5] = 0.1
    layer = layer_with_scales(scales)
    unrelated = np.broadcast_to(np.eye(65), (1, 65, 65))
    rounded = Compensator(layer, Statistics(unrelated, unrelated)).round(steps_of_rows(layer, 2))
    change = rounded.levels[5] * rounded.scales[5] - layer.weights()[5, :-1]
    assert np.abs(change).max() < 3 * 0.1  # three of its old levels


def test_rows_that_are_0_do_not_change_the_steps_of_others() -> None:
    scales = np.full(16, 1e-2)
    usual = steps_of_rows(layer_with_scales(scales), 8)
    scales[3] = 1e-38  # what some converters write for a channel without weights
    steps = steps_of_rows(layer_with_scales(scales, dead=(3,)), 8)
    others = np.arange(16) != 3
    np.testing.assert_allclose(steps[others], usual[others])
    assert (steps > 0).all()


def test_outputs_that_do_not_vary_count_in_units_of_their_scale() -> None:
    """Their variance is 0, and each change would count without limit."""
    inputs, weights = correlated_inputs(120, 64), random_weights(64, 64)

    def model(weights: Any, sink_scale: float) -> bytes:
        more = {"bias": False, "sink_scale": sink_scale}
        return one_layer("FULLY_CONNECTED", weights, (1, 64), (1, 64), **more)

    coarse = 2.1 * float(np.abs(Network(model(weights, 0.25)).outputs(inputs)[0]).max())
    larger = np.clip(weights * 1.3, -127, 127).astype(np.int8)
    was, now = (Network(model(w, coarse)).outputs(inputs)[0] for w in (weights, larger))
    assert np.ptp(was) == 0 < np.ptp(now)
    error = Reference(model(weights, coarse), Samples(inputs, None), 1).error(model(larger, coarse))
    assert error == pytest.approx(12 * np.count_nonzero(now != was) / now.size)


def test_any_error_can_be_chosen_by() -> None:
    table = [[Candidate(1, 100, 0.0), Candidate(2, 50, 1e12), Candidate(3, 40, 2e12)]] * 3
    assert best_steps(table, 250) in {(1, 1, 2), (1, 2, 1), (2, 1, 1)}


def test_outputs_that_are_not_finite_are_refused() -> None:
    build, x = start((1, 64))
    y = add_layer(build, "FULLY_CONNECTED", x, random_weights(32, 64), (1, 32))
    real = build.tensor("real", (1, 32), "float32")
    root = build.tensor("root", (1, 32), "float32")
    build.operator("DEQUANTIZE", [y], [real], schema.DequantizeOptionsT(), 2)
    build.operator("LOG", [real], [root])
    model = build.ends([x], [root]).to_bytes()
    samples = Samples(correlated_inputs(20, 64), None)
    with pytest.raises(InputError, match="sample 0 of 20 has an element that is not a finite"):
        Reference(model, samples, 1)


def test_a_layer_between_reshapes_sees_all_positions() -> None:
    """Inside, such a model has the samples of a batch and their positions on one axis."""
    build, x = start((1, 4, 4, 2))
    y = add_layer(build, "CONV_2D", x, random_weights(16, 3, 3, 2), (1, 4, 4, 16))
    for name, shape in (("rows", (-1, 16)), ("back", (-1, 4, 4, 8))):
        tensor = build.constant(f"to_{name}", np.array(shape, np.int32), scale=[])
        now = (16, 16) if name == "rows" else (1, 4, 4, 8)
        flat = build.tensor(name, now, "int8", scale=[0.05], zero_point=[4])
        build.operator("RESHAPE", [y, tensor], [flat], schema.ReshapeOptionsT())
        y = flat
        if name == "rows":
            y = add_layer(build, "FULLY_CONNECTED", y, random_weights(8, 16), (16, 8))
    model = build.ends([x], [y]).to_bytes()
    inputs = correlated_inputs(70, 4, 4, 2)
    assert find_batch(model, inputs) == 32
    draft = Draft(model, "model")
    layer = draft.layers[-1]
    alone, together = (observe(layer, draft, draft, inputs, batch) for batch in (1, 32))
    np.testing.assert_allclose(together.auto, alone.auto, rtol=1e-3, atol=1e-4)
