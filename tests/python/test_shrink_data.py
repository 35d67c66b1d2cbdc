# SPDX-License-Identifier: Apache-2.0
"""Samples: what is refused, how they are converted, and how they are split."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stridepack.errors import InputError, ModelError
from stridepack.shrink.data import MIN_SAMPLES, check_samples, read_data

INT8 = {"shape": np.array([1, 4, 3]), "dtype": np.int8, "quantization": (0.5, -3)}
FLOAT = {"shape": np.array([1, 4, 3]), "dtype": np.float32, "quantization": (0.0, 0)}


def samples(n: int = 40, dtype: str = "int8") -> np.ndarray[Any, Any]:
    values = np.random.default_rng(0).normal(0, 30, (n, 4, 3))
    return values.astype(dtype)


def test_inputs_in_the_models_own_type_stay_as_they_are() -> None:
    np.testing.assert_array_equal(check_samples(samples(), None, INT8).inputs, samples())
    floats = samples(dtype="float32")
    np.testing.assert_array_equal(check_samples(floats, None, FLOAT).inputs, floats)


def test_real_inputs_are_quantised_as_the_model_asks_for() -> None:
    inputs = np.zeros((MIN_SAMPLES, 4, 3))
    inputs[0, 0] = [1.0, -1.26, 1000]
    stored = check_samples(inputs, None, INT8).inputs
    assert stored.dtype == np.int8
    assert stored[0, 0].tolist() == [-1, -6, 127]
    assert (stored[1:] == -3).all()


def test_one_of_four_samples_is_held_back() -> None:
    labels = np.arange(43)
    calibration, held_back = check_samples(samples(43), labels, INT8).split()
    assert held_back.labels is not None
    assert calibration.labels is not None
    assert (held_back.labels // 4).tolist() == list(range(10))
    assert sorted([*held_back.labels, *calibration.labels]) == list(labels)
    np.testing.assert_array_equal(held_back.inputs, samples(43)[held_back.labels])
    few = calibration.first(5)
    assert few.labels is not None
    assert np.diff(few.labels).min() > 0
    assert len(calibration.first(100)) == 33


@pytest.mark.parametrize("n_classes", [2, 4, 8, 10])
def test_classes_may_take_turns(n_classes: int) -> None:
    """Each fourth sample would be of one class of four, or of two of eight."""
    labels = np.arange(800) % n_classes
    calibration, held_back = check_samples(samples(800), labels, INT8).split()
    for part in (calibration, held_back, calibration.first(150)):
        assert part.labels is not None
        counts = np.bincount(part.labels, minlength=n_classes)
        assert counts.min() > 0.4 * len(part) / n_classes


def bad(**changes: Any) -> tuple[Any, Any]:
    inputs = samples(dtype="float32")
    for key, value in changes.items():
        if key == "element":
            inputs[7, 1, 1] = value
    return inputs, None


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (samples().reshape(40, 12), None, r"shape \(40, 12\). The model needs \(n, 4, 3\)"),
        (np.int8(3), None, r"shape \(\). The model needs"),
        (samples(1), None, "The data hold 1 sample. At least 16"),
        (samples(0), None, "The data hold 0 samples"),
        (
            bad(element=np.nan)[0],
            None,
            "Sample 7 of the inputs has an element that is not a finite",
        ),
        (bad(element=-np.inf)[0], None, "Sample 7 of the inputs"),
        (np.ones((40, 4, 3), np.int8), None, "All samples of the inputs are equal"),
        (samples(dtype="int32"), None, "The inputs are int32. The model needs int8, or real"),
        (samples(), np.zeros(39, int), r"labels are int64 of shape \(39\)"),
        (samples(), np.zeros(40), "labels are float64"),
        (samples(), np.full(40, -1), "The labels have -1"),
    ],
)
def test_bad_data_are_refused_with_the_reason(inputs: Any, labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_samples(inputs, labels, INT8)


def test_inputs_without_a_scale_must_come_in_the_models_own_type() -> None:
    with pytest.raises(InputError, match="has no scale to quantise them with"):
        check_samples(samples(dtype="float32"), None, INT8 | {"quantization": (0.0, 0)})


def test_read_data(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, inputs=samples(), labels=np.arange(40))
    inputs, labels = read_data(path)
    np.testing.assert_array_equal(inputs, samples())
    assert labels is not None
    assert labels.tolist() == list(range(40))
    np.savez(path, inputs=samples())
    assert read_data(path)[1] is None


def test_files_that_are_no_data_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with pytest.raises(ModelError, match="there is no such file"):
        read_data(path)
    path.write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"not a \.npz file, or it is damaged"):
        read_data(path)
    np.savez(path, images=samples())
    with pytest.raises(ModelError, match="no array named inputs, only images"):
        read_data(path)
    np.savez(path, inputs=np.array([{}], object))
    with pytest.raises(ModelError, match="cannot be read: it holds Python objects"):
        read_data(path)
    np.save(tmp_path / "one.npy", samples())
    with pytest.raises(ModelError, match=r"not a \.npz file, or it is damaged"):
        read_data(tmp_path / "one.npy")
