# SPDX-License-Identifier: Apache-2.0
"""`stridepack shrink` as a user meets it."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from commands import run
from shrink_models import classifier, correlated_inputs

INPUTS = correlated_inputs(80, 8, 8, 2)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(classifier())
    np.savez(tmp_path / "data.npz", inputs=INPUTS, labels=np.arange(len(INPUTS)) % 10)
    return path


def test_a_table_the_figures_and_the_next_plans(model: Path, tmp_path: Path) -> None:
    output = tmp_path / "small.tflite"
    said = run("shrink", model, "--data", tmp_path / "data.npz", "-o", output, "--flash", 7000)
    row = next(line.split() for line in said.splitlines() if line.startswith(" w3"))
    assert row[1] != "-"
    assert int(row[4].replace(",", "")) > int(row[5].replace(",", ""))
    assert "On 20 samples that were held back:" in said
    assert "% accuracy" in said
    assert "of the classes unchanged" in said
    assert "The next smaller plan takes" in said
    assert "The next larger plan takes" in said
    assert f"small.tflite: {output.stat().st_size:,} bytes" in said.replace("\n", "")
    packed = run("pack", output, "-o", tmp_path / "small.spk")
    nbytes = (tmp_path / "small.spk").stat().st_size
    assert nbytes <= 7000
    assert f"it takes {nbytes:,} bytes" in said
    assert "wrote" in packed


@pytest.mark.parametrize("suffix", [".json", ".png", ".svg"])
def test_a_curve_as_data_or_as_a_plot(model: Path, tmp_path: Path, suffix: str) -> None:
    if suffix != ".json":
        pytest.importorskip("matplotlib")
    curve = tmp_path / f"curve{suffix}"
    options = ("--data", tmp_path / "data.npz", "-o", tmp_path / "small.tflite", "--step", 8)
    run("shrink", model, *options, "--curve", curve)
    content = curve.read_bytes()
    if suffix == ".json":
        points = json.loads(content)["points"]
        assert points[0]["steps"] == [1]
        assert [8] in [point["steps"] for point in points]
        sizes = [point["nbytes"] for point in points]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) > 5
        assert points[0]["snr"] is None
        assert points[0]["agreement"] == 1
    else:
        assert content.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
        assert len(content) > 5000


def test_nothing_is_written_where_a_target_cannot_be_met(model: Path, tmp_path: Path) -> None:
    output = tmp_path / "small.tflite"
    data = ("--data", tmp_path / "data.npz", "-o", output)
    said = run("shrink", model, *data, "--flash", 900, code=2)
    assert "`--flash 900` is too small. The smallest plan takes" in said
    assert "more. Allow that much" in said
    exactly_one = "exactly one of --flash, --max-drop, --min-snr and --step"
    for targets in ((), ("--step", 4, "--flash", 1)):
        assert exactly_one in run("shrink", model, *data, *targets, code=2)
    assert "suffix cannot be written" in run(
        "shrink", model, *data, "--step", 4, "--curve", tmp_path / "c.txt", code=2
    )
    np.savez(tmp_path / "data.npz", inputs=INPUTS[:1])
    assert "The data hold 1 sample." in run("shrink", model, *data, "--step", 4, code=2)
    (tmp_path / "data.npz").write_bytes(b"")
    assert "not a .npz file" in run("shrink", model, *data, "--step", 4, code=2)
    assert not output.exists()


def test_outputs_that_would_replace_what_is_read(model: Path, tmp_path: Path) -> None:
    data, before = tmp_path / "data.npz", model.read_bytes()
    options = ("shrink", model, "--data", data, "--step", 4, "-o")
    assert "the output would overwrite the model" in run(*options, model, code=2)
    assert "the output would overwrite the samples" in run(*options, data, code=2)
    curve = tmp_path / "model.json"
    curve.symlink_to(model)
    said = run(*options, tmp_path / "small.tflite", "--curve", curve, code=2)
    assert f"{curve}: the output would overwrite the model" in said
    assert model.read_bytes() == before
    said = run(*options, tmp_path / "none/small.tflite", code=2)
    assert f"there is no directory {tmp_path / 'none'}" in said
    assert not (tmp_path / "small.tflite").exists()
