# SPDX-License-Identifier: Apache-2.0
"""Models without int8 weights: the error says what to do next, on the command line as in Python."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import stridepack as sp
from stridepack.cli.main import cli

KERAS = ["from_keras_model(model)", "strip_pruning(model)", "OpsSet.TFLITE_BUILTINS_INT8"]
TORCH = ["stridepack.pruning.to_tflite(model, inputs, ", 'prune.remove(layer, "weight")']
NEXT_STEPS = {
    "m.h5": KERAS,
    "m.HDF5": KERAS,
    "m.keras": KERAS,
    "m.pt": TORCH,
    "m.pth": TORCH,
    "m.ckpt": TORCH,
    "m.pt2": TORCH,
    "m.ort": ["Give the .onnx file that it was made from."],
    "m.onnx.data": ["Give the .onnx file."],
    "m.onnx_data": ["Give the .onnx file."],
    "frozen.pb": ["Give the folder of the SavedModel"],
    "saved/saved_model.pb": ["from_saved_model(folder)", "strip_pruning(model)"],
    "saved": ["from_saved_model(folder)", "strip_pruning(model)"],
}


@pytest.mark.parametrize("name", NEXT_STEPS)
def test_next_step(tmp_path: Path, name: str) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").write_bytes(b"anything")
    path = tmp_path / name
    if not path.exists():
        path.write_bytes(b"anything")
    with pytest.raises(sp.ModelError) as caught:
        sp.read_weights(path)
    shown = path.parent if name.endswith("saved_model.pb") else path
    assert str(caught.value).startswith(f"{shown}: ")
    for part in NEXT_STEPS[name]:
        assert part in str(caught.value)


@pytest.mark.parametrize("command", [["inspect"], ["pack", "-o", "w.spk"], ["verify"]])
def test_every_command_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.keras").write_bytes(b"anything")
    sp.write_bundle("w2.spk", {"w": sp.pack(np.zeros(9, np.int8))})
    files = ["m.keras", "w2.spk"] if command == ["verify"] else ["m.keras"]
    result = CliRunner().invoke(cli, [*command, *files])
    assert isinstance(result.exception, sp.ModelError)
    assert "strip_pruning(model)" in str(result.exception)
    assert not Path("w.spk").exists()


def test_float_tflite(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    from tflite_models import ModelBuilder

    builder = ModelBuilder()
    ends = [builder.tensor(name, [1, 4], "float32", scale=()) for name in ("x", "y")]
    kernel = builder.tensor("w", [4, 4], "float32", np.eye(4, dtype=np.float32), scale=())
    builder.fully_connected([ends[0], kernel], [ends[1]])
    path = tmp_path / "float.tfl"
    path.write_bytes(builder.to_bytes())
    with pytest.raises(sp.ModelError) as caught:
        sp.read_weights(path)
    for part in ("float.tfl: it has no int8 weights", "tf.lite.TFLiteConverter", "ai-edge-quant"):
        assert part in str(caught.value)


@pytest.mark.parametrize("suffix", [".tfl", ".lite", ".TFLITE"])
def test_other_suffixes_of_tflite(tmp_path: Path, suffix: str) -> None:
    """In, out, and in all that depends on the kind of a file."""
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    example = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"
    model, packed = tmp_path / f"model{suffix}", tmp_path / f"packed{suffix}"
    model.write_bytes(example.read_bytes())
    result = CliRunner().invoke(cli, ["pack", str(model), "-o", str(packed)])
    assert result.exit_code == 0, result.output
    assert "model file: 92,744 -> " in result.output
    sp.pack_file(example, tmp_path / "expected.tflite")
    assert packed.read_bytes() == (tmp_path / "expected.tflite").read_bytes()
    verified = sp.verify_files(model, packed, n_inputs=1)
    assert verified.ok
    assert verified.outputs is not None
    sp.unpack_file(packed, tmp_path / f"dense{suffix}")
    assert sp.verify_files(model, tmp_path / f"dense{suffix}", n_inputs=1).ok
