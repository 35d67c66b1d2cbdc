# SPDX-License-Identifier: Apache-2.0
"""Reading .npy, .npz and .safetensors, and what of them is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from safetensors.numpy import save_file

import stridepack as sp

INT8 = {"b/conv": random_array(600, 0.5).reshape(20, 30), "a": random_array(7, 0.0)}


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "layer1.npy", INT8["b/conv"])
    (tensor,) = sp.read_weights(tmp_path / "layer1.npy")
    assert tensor.name == "layer1"
    np.testing.assert_array_equal(tensor.values, INT8["b/conv"])


def test_npz_and_safetensors(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **INT8)
    save_file(INT8, tmp_path / "w.safetensors")
    for path in (tmp_path / "w.npz", tmp_path / "w.safetensors"):
        tensors = {tensor.name: tensor.values for tensor in sp.read_weights(path)}
        assert tensors.keys() == INT8.keys()
        for name, values in INT8.items():
            np.testing.assert_array_equal(tensors[name], values)


def test_other_types_are_left_out_with_a_warning(tmp_path: Path) -> None:
    arrays = INT8 | {"bias": np.ones(3, np.int32), "scale": np.ones(3, np.float32)}
    np.savez(tmp_path / "w.npz", **arrays)
    path = tmp_path / "w.npz"
    with pytest.warns(UserWarning, match="is left out") as warned:
        assert {t.name for t in sp.read_weights(path)} == INT8.keys()
    for name, type_name in (("bias", "int32"), ("scale", "float32")):
        left_out = rf"{path.name}: array {name} is left out, because it is {type_name} and not"
        assert sum(bool(re.search(left_out, str(w.message))) for w in warned) == 1


def test_float_weights_are_an_error(tmp_path: Path) -> None:
    floats = {"w": np.ones((3, 4), np.float32)}
    np.save(tmp_path / "w.npy", floats["w"])
    np.savez(tmp_path / "w.npz", **floats)
    for suffix in ("npy", "npz"):
        with pytest.raises(sp.ModelError, match=r"no int8 arrays, only w \(\w+\)\. Quantise"):
            sp.read_weights(tmp_path / f"w.{suffix}")


@pytest.mark.parametrize("suffix", ["npy", "npz", "safetensors"])
def test_damaged_files(tmp_path: Path, suffix: str) -> None:
    good = tmp_path / f"good.{suffix}"
    if suffix == "npy":
        np.save(good, INT8["b/conv"])
    elif suffix == "npz":
        np.savez(good, **INT8)
    else:
        save_file(INT8, good)
    data = good.read_bytes()
    bad = tmp_path / f"bad.{suffix}"
    for content in (b"", b"nonsense" * 10, data[: len(data) // 2], data[:20]):
        bad.write_bytes(content)
        with pytest.raises(sp.ModelError, match=f"bad.{suffix}"):
            sp.read_weights(bad)


def test_pickled_arrays_are_not_executed(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(sp.ModelError, match=r"holds no int8 arrays, only w \(object\)"):
        sp.read_weights(tmp_path / "w.npy")


def test_unknown_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(
        sp.ModelError,
        match=r"model\.zip: .* cannot be read\. Give a \.tflite, \.onnx, \.npy, .* or \.spk",
    ):
        sp.read_weights(tmp_path / "model.zip")
    with pytest.raises(sp.ModelError, match=r"model\.npz: there is no such file"):
        sp.read_weights(tmp_path / "model.npz")
