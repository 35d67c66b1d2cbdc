"""`inspect`, `plan` and `pack_file` say and do the same, whatever the zero points."""

import json
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from click.testing import CliRunner

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import real_model
from tflite_models import ModelBuilder

import stridepack as sp
from stridepack.cli import cli
from stridepack.tflite.constants import parse_tflite

REAL_MODELS = (
    "kws_dscnn_dense_s",
    "kws_dscnn_sparse_s_90",
    "mlperf_tiny_ad01_int8",
    "mlperf_tiny_kws_ref_model",
    "mlperf_tiny_pretrainedResnet_quant",
    "mlperf_tiny_vww_96_int8",
    "mobilenetv2_cifar10_sparse90",
)


def inspect(model: Path, *options: str) -> dict:
    shown = CliRunner().invoke(cli, ["inspect", str(model), "--json", *options])
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


def constant_with_zero_point(path: Path) -> np.ndarray:
    """A model that adds a constant of 4,096 elements and zero point 3 to its input."""
    values = random_array(4096, 0.7)
    build = ModelBuilder()
    x = build.tensor("x", [4096])
    constant = build.constant("c", values, zero_point=[3])
    y = build.tensor("y", [4096])
    build.operator("ADD", [x, constant], [y])
    path.write_bytes(build.ends([x], [y]).to_bytes())
    return values


@pytest.mark.parametrize("suffix", [".spk", ".c"])
def test_a_constant_with_a_zero_point(tmp_path: Path, suffix: str) -> None:
    model = tmp_path / "model.tflite"
    values = constant_with_zero_point(model)
    (tensor,) = sp.read_weights(model)
    assert (tensor.size, tensor.zero_point) == (4096, 3)
    (choice,) = sp.plan([tensor])
    report = inspect(model)
    (row,) = report["tensors"]
    result = sp.pack_file(model, tmp_path / f"w{suffix}")
    (stored,) = result.tensors
    expected = (choice.packed.format, choice.packed.nbytes)
    assert expected[0] != "dense"
    assert expected[1] < 2500
    assert (row["best"], row["nbytes"][row["best"]]) == expected
    assert (stored.format, stored.nbytes) == expected
    assert row["nbytes"] == choice.nbytes
    assert report["total"]["best_nbytes"] == expected[1]
    assert (row["zero_point"], row["why_dense"], choice.note, stored.note) == (3, "", "", "")
    np.testing.assert_array_equal(choice.packed.unpack(), values)
    if suffix == ".spk":
        (blob,) = sp.read_bundle(tmp_path / "w.spk").values()
        assert blob == choice.packed
        assert sp.verify_files(model, tmp_path / "w.spk").ok


@pytest.mark.parametrize("name", REAL_MODELS)
def test_real_models(name: str, tmp_path: Path) -> None:
    model, packed = tmp_path / f"{name}.tflite", tmp_path / "w.spk"
    model.write_bytes(real_model(name))
    report = inspect(model)
    result = sp.pack_file(model, packed)
    blobs = sp.read_bundle(packed)
    assert report["total"]["best_nbytes"] == sum(blob.nbytes for blob in blobs.values())
    assert report["total"]["best_nbytes"] == sum(stored.nbytes for stored in result.tensors)
    assert {
        row["name"]: (row["best"], row["nbytes"][row["best"]]) for row in report["tensors"]
    } == {name: (blob.format, blob.nbytes) for name, blob in blobs.items()}
    assert {row["name"]: row["why_dense"] for row in report["tensors"]} == {
        stored.tensor.name: stored.note for stored in result.tensors
    }
    # What stays dense counts its whole blob, header and all.
    n_dense = sum(row["best"] == "dense" for row in report["tensors"])
    assert n_dense > 0
    dense = sum(blob.nbytes for blob in blobs.values() if blob.format == "dense")
    elements = sum(blob.n_elements for blob in blobs.values() if blob.format == "dense")
    assert dense >= elements + 48 * n_dense


def test_zero_points_that_the_real_models_have() -> None:
    """Among them are constants with another zero point than 0: the test above sees some."""
    zero_points = set()
    for name in REAL_MODELS:
        zero_points |= {tensor.zero_point for tensor in parse_tflite(real_model(name))}
    assert zero_points > {0}
