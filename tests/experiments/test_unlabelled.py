# SPDX-License-Identifier: Apache-2.0
"""`shrink` on models without labels: the inputs, what is skipped, what is recorded."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (stridepack[experiments])")
pytest.importorskip("matplotlib", reason="matplotlib is not installed (stridepack[experiments])")
pytest.importorskip("lightning", reason="lightning is not installed (stridepack[experiments])")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from pathlib import Path

from experiments import unlabelled
from experiments.train import DATA
from experiments.unlabelled import MODELS, Quantisation

ROOT = Path(__file__).parents[2]
CURVES = unlabelled.saved()


def test_noise_has_the_variance_and_the_correlations_that_are_asked_for():
    values = unlabelled.noise((400, 30, 40), (0.9, 0.5), seed=0)
    assert values.var() == pytest.approx(1, abs=0.05)
    assert (values[:, 1:] * values[:, :-1]).mean() == pytest.approx(0.9, abs=0.05)
    assert (values[:, :, 1:] * values[:, :, :-1]).mean() == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(values, unlabelled.noise((400, 30, 40), (0.9, 0.5), seed=0))


def test_quantisation_rounds_and_clips():
    quantisation = Quantisation(0.5, 10)
    assert quantisation.limits == (-69, 58.5)
    assert quantisation.stored(np.array([-100, -69, 0, 0.3, 58.5, 99])).tolist() == [
        *(-128, -128, 10, 11, 127, 127)
    ]
    assert quantisation.real(np.array([-128, 10, 127], np.int8)).tolist() == [-69, 0, 58.5]


@pytest.mark.parametrize(
    ("make", "shape", "quantisation"),
    [
        (unlabelled.keyword_inputs, (240, 49, 10, 1), Quantisation(1.43, -41)),
        (unlabelled.machine_inputs, (320, 640), Quantisation(0.39, 89)),
    ],
)
def test_inputs_use_the_range_of_the_model_and_are_seldom_clipped(make, shape, quantisation):
    values = make(quantisation)
    assert values.shape == shape
    assert values.dtype == np.int8
    assert int(values.max()) - int(values.min()) > 120
    assert np.isin(values, (-128, 127)).mean() < 0.01


def test_what_is_missing_is_skipped_with_its_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["unlabelled", "--models", str(tmp_path)])
    unlabelled.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{title}: skipped, because there is no file {tmp_path / name}."
        for title, (name, *_) in MODELS.items()
    ]


@pytest.mark.parametrize("title", CURVES)
def test_a_recorded_curve(title):
    curve = CURVES[title]
    before, *points = curve["points"]
    assert curve["inputs"] == MODELS[title][2]
    assert before["snr"] is None  # nothing changed
    assert set(before["steps"]) == {1}
    sizes = [p["spk_nbytes"] for p in points]
    assert sizes == sorted(sizes, reverse=True)
    assert before["spk_nbytes"] > 1.4 * sizes[-1]
    errors = [p["snr"] for p in points]
    assert errors[0] > 20 > errors[-1]
    # few samples were held back, and so neighbours may change places
    assert np.corrcoef(np.log(sizes), errors)[0, 1] > 0.9
    assert all((p["agreement"] is not None) == MODELS[title][3] for p in points)


@pytest.mark.parametrize("title", MODELS)
def test_how_the_input_of_a_model_is_quantised(title):
    file = DATA / "models" / MODELS[title][0]
    if not file.exists():
        pytest.skip(f"there is no {file}")
    quantisation, takes_real = unlabelled.input_of(file)
    assert takes_real == title.startswith("KWS-L")
    low, high = quantisation.limits
    assert low < high
    assert quantisation.scale > 0
