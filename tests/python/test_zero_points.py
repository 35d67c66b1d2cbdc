# SPDX-License-Identifier: Apache-2.0
"""`inspect`, `plan` and `pack_file` say and do the same, whatever the zero points and the sizes."""

import json
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from click.testing import CliRunner

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import MODELS
from tflite_models import ModelBuilder, dense_layer

import stridepack as sp
from stridepack.cli import cli
from stridepack.tflite.constants import parse_tflite

BUNDLED = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"
SHARED = sorted(MODELS.glob("*.tflite"))
REAL_MODELS = [pytest.param(path, id=path.stem) for path in (BUNDLED, *SHARED)]


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


@pytest.mark.parametrize("model", REAL_MODELS)
def test_real_models(model: Path, tmp_path: Path) -> None:
    """Also small tensors: nothing stays dense that is smaller in a format."""
    packed = tmp_path / "w.spk"
    report = inspect(model)
    result = sp.pack_file(model, packed)
    blobs = {name: (b.format, b.nbytes) for name, b in sp.read_bundle(packed).items()}
    plan = sp.plan(sp.read_weights(model))
    assert {c.tensor.name: (c.packed.format, c.packed.nbytes) for c in plan} == blobs
    assert {s.tensor.name: (s.format, s.nbytes) for s in result.tensors} == blobs
    rows = {row["name"]: row for row in report["tensors"]}
    assert {n: (row["best"], row["nbytes"][row["best"]]) for n, row in rows.items()} == blobs
    assert report["total"]["best_nbytes"] == sum(nbytes for _, nbytes in blobs.values())
    for name, (_, nbytes) in blobs.items():
        assert nbytes == min(rows[name]["nbytes"].values())
    notes = {row["why_dense"] for row in rows.values()} | {s.note for s in result.tensors}
    assert notes | {choice.note for choice in plan} == {""}


@pytest.mark.skipif(not SHARED, reason=f"{MODELS} is not there")
def test_zero_points_that_the_real_models_have() -> None:
    """Among them are constants with another zero point than 0: the test above sees some."""
    zero_points = set[int]()
    for path in SHARED:
        zero_points |= {tensor.zero_point for tensor in parse_tflite(path.read_bytes())}
    assert zero_points > {0}


@pytest.mark.parametrize(
    ("suffix", "packed"), [(".spk", 1), (".c", 1), (".tflite", 0), (".cc", 0)]
)  # fmt: skip
def test_small_tensors(tmp_path: Path, suffix: str, packed: int) -> None:
    """They are packed where that is smaller; in a .tflite only where that is asked for."""
    model = tmp_path / "model.tflite"
    values = random_array(2000, 0.9).reshape(20, 100)
    model.write_bytes(dense_layer(values).to_bytes())
    (stored,) = sp.pack_file(model, tmp_path / f"w{suffix}").tensors
    small = "it has fewer than 2,048 elements"
    assert (stored.format != "dense", stored.note) == ((True, "") if packed else (False, small))
    (stored,) = sp.pack_file(model, tmp_path / f"v{suffix}", min_size=0).tensors
    assert "elements" not in stored.note
    (stored,) = sp.pack_file(model, tmp_path / f"u{suffix}", min_size=2001).tensors
    assert (stored.format, stored.note) == ("dense", "it has fewer than 2,001 elements")
