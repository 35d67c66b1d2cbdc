# SPDX-License-Identifier: Apache-2.0
"""Reading .safetensors of 8-bit torch models: weights, their scales, and what is left out."""

import json
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from arrays import random_array
from safetensors.numpy import save_file

import stridepack as sp

CASE = Path(__file__).resolve().parents[3] / "shared/cases/int8_with_scales.safetensors"
TYPES = {np.dtype(np.int8): "I8", np.dtype(np.float32): "F32", np.dtype(np.float16): "F16"}
SCALES = np.array([0.5, 0.25, 0.75], np.float32)  # exact in any type
WEIGHT = random_array(300, 0.5).reshape(3, 100)


def write(path: Path, arrays: dict[str, npt.NDArray[Any] | bytes]) -> None:
    """A file field by field: bytes stand for bfloat16, which NumPy does not have."""
    header, data = {}, b""
    for name, array in arrays.items():
        is_bf16 = isinstance(array, bytes)
        content = array if is_bf16 else array.tobytes()
        shape = [len(content) // 2] if is_bf16 else list(array.shape)
        offsets = [len(data), len(data) + len(content)]
        type_name = "BF16" if is_bf16 else TYPES[array.dtype]
        header[name] = {"dtype": type_name, "shape": shape, "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize(
    ("weight", "scale", "zero_point"),
    [
        ("fc.weight", "fc.weight_scale", "fc.weight_zero_point"),
        ("fc.weight._data", "fc.weight._scale", None),
    ],
)
def test_scales_are_attached(
    tmp_path: Path, kind: str, weight: str, scale: str, zero_point: str | None
) -> None:
    scales: npt.NDArray[Any] | bytes = SCALES.astype(np.float16 if kind == "F16" else np.float32)
    if kind == "BF16":
        scales = (SCALES.view(np.uint32) >> 16).astype("<u2").tobytes()
    arrays: dict[str, npt.NDArray[Any] | bytes] = {
        "fc.bias": np.ones(3, np.float32),
        weight: WEIGHT,
        scale: scales,
    }
    if zero_point:
        arrays[zero_point] = np.array([0, 7, 0], np.int8)
    write(tmp_path / "w.safetensors", arrays)
    with pytest.warns(UserWarning, match="left out") as warned:
        tensors = {t.name: t for t in sp.read_weights(tmp_path / "w.safetensors")}
    np.testing.assert_array_equal(tensors[weight].values, WEIGHT)
    assert tensors[weight].scales is not None
    assert tensors[weight].scales.dtype == np.float32
    np.testing.assert_array_equal(tensors[weight].scales, SCALES)
    assert tensors[weight].zero_point == (7 if zero_point else 0)
    # Int8 zero points are int8 tensors, too: nothing of that type is left out.
    assert tensors.keys() == {weight, zero_point} - {None}
    (warning,) = warned
    assert "w.safetensors: 2 tensors are left out, because only int8 tensors are" in str(warning)
    assert "`stridepack.read_weights` gives them with the weights." in str(warning)
    assert "1 F32 (fc.bias)" in str(warning) or "2 F32 (fc.bias and" in str(warning)


def test_one_warning_for_many_tensors(tmp_path: Path) -> None:
    biases = {f"b{i:03}": np.ones(2, np.float32) for i in range(400)}
    save_file({"w": WEIGHT, **biases}, tmp_path / "w.safetensors")
    with pytest.warns(UserWarning, match="left out") as warned:
        (tensor,) = sp.read_weights(tmp_path / "w.safetensors")
    assert tensor.scales is None
    (warning,) = warned
    assert "400 tensors are left out" in str(warning.message)
    assert "Scales" not in str(warning.message)
    assert "400 F32 (b000, b001, b002 and 397 more)" in str(warning.message)


def test_int8_alone_gives_no_warning(tmp_path: Path) -> None:
    save_file({"w": WEIGHT}, tmp_path / "w.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(sp.read_weights(tmp_path / "w.safetensors")) == 1


def test_float_model_is_told_the_next_step(tmp_path: Path) -> None:
    save_file({"w": np.ones((3, 4), np.float32)}, tmp_path / "w.safetensors")
    with pytest.raises(
        sp.ModelError,
        match=r"no int8 tensors, but 1 F32 \(w\)\. Quantise .*pruning\.to_tflite\(model, inputs",
    ):
        sp.read_weights(tmp_path / "w.safetensors")


def test_a_file_of_compressed_tensors() -> None:
    if not CASE.is_file():
        pytest.skip(f"{CASE.name} is not there")
    with pytest.warns(UserWarning, match=r"6 tensors are left out.*3 F32 .*3 BF16 \(0.weight_s"):
        tensors = {t.name: t for t in sp.read_weights(CASE)}
    scales = tensors["0.weight"].scales
    assert scales is not None
    assert scales.shape == (16,)
    assert np.all((scales > 0.001) & (scales < 0.002))


def test_nothing_is_said_of_a_file_that_is_not_packed(tmp_path: Path) -> None:
    """The output is refused before the model is read, so there is no warning before the error."""
    model = tmp_path / "m.safetensors"
    write(model, {"w": WEIGHT, "bias": SCALES})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for output in ("m.tflite", "m.cc"):
            with pytest.raises(sp.InputError, match=r"m\.safetensors is neither\. Write a \.c"):
                sp.pack_file(model, tmp_path / output)
    with pytest.warns(UserWarning, match="left out"):
        sp.pack_file(model, tmp_path / "m.spk")
