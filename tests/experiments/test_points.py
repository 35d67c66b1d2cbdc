# SPDX-License-Identifier: Apache-2.0
"""A curve as a sweep: here, in processes that are shared by two devices, and on workers."""

import sys
from pathlib import Path

import pytest

for package in ("torch", "matplotlib", "lightning", "distributed", "tflite_micro", "pyarrow"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import torch  # noqa: E402
from curve_commands import EPOCHS, recorded, run, write_data  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data, to run in."""
    return write_data(tmp_path)


def test_a_curve_on_workers_with_checkpoints_and_files_at_addresses(folder: Path) -> None:
    places = [
        *("--runs", f"file://{folder}/runs"),
        *("--models", f"file://{folder}/models"),
    ]
    said = run(folder, "--sparsity", "0.5", "--workers", "1", *places)
    assert "dashboard: http" in said
    (point,) = recorded(folder)
    assert point["sparsity"] == 0.5
    assert point["accuracy"] > 0.4
    assert (folder / "models" / point["tflite"]).stat().st_size == point["bytes"]
    lines = (folder / "runs/resnet8_cifar10.jsonl").read_text().splitlines()
    assert len(lines) == 2  # the baseline, too
    checkpoints = {file.name for file in folder.glob("runs/*/seed1/*")}
    assert checkpoints == {"dense.pt", "sparsity_50.pt"}
    (folder / "experiments/results/resnet8_cifar10.json").unlink()
    said = run(folder, "--sparsity", "0.5", *places)  # here, and nothing is left to do
    assert "epoch" not in said
    assert recorded(folder) == [point]


def test_two_devices_share_each_batch_and_one_goes_on(folder: Path) -> None:
    train = [sys.executable, "-m", "experiments.train", "resnet8", "cifar10", *EPOCHS]
    said = run(folder, "--minutes", "0.0001", code=3, command=train)
    assert "epoch 0/1, because the time is up" in said
    said = run(folder, "--devices", "2", command=train)
    assert said.count("epoch 1/1") == 2  # not four
    checkpoint = folder / "build/experiments/resnet8_cifar10/seed1/sparsity_50.pt"
    saved = torch.load(checkpoint)
    assert not [name for name in saved["model"] if name.startswith("module.")]
    checkpoint.unlink()
    said = run(folder, command=train)  # one device goes on from what two have done
    assert said.count("epoch 1/1") == 1
    assert "sparsity_50.pt: epoch 1/1" in said
