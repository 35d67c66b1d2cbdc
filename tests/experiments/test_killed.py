# SPDX-License-Identifier: Apache-2.0
"""A curve that is killed in the middle of an epoch, in a folder where nothing was trained yet."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("torch", "matplotlib", "lightning", "tflite_micro", "pyarrow"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import torch  # noqa: E402
from curve_commands import EPOCHS, arguments, recorded, run, write_data  # noqa: E402

from experiments import data, train  # noqa: E402

TWO = [*EPOCHS, "--dense-epochs", "2", "--sparsity", "0.5"]
CURVE = [sys.executable, "-m", "experiments.points", "resnet8", "cifar10", *TWO]
RUNS = Path("build/experiments/resnet8_cifar10/seed1")


def test_the_same_command_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_data(tmp_path)
    assert not (folder / "build").exists()
    with subprocess.Popen(**arguments(folder, command=CURVE)) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if "epoch 1/2" in line:
                process.send_signal(signal.SIGKILL)  # in the second epoch
    assert process.returncode == -signal.SIGKILL, "".join(said)
    assert [file.name for file in (folder / RUNS).iterdir()] == ["dense.pt"]
    text = run(folder, command=CURVE)
    assert "epoch 1/2" not in text
    assert "dense.pt: epoch 2/2" in text
    assert len(recorded(folder)) == 1

    killed = torch.load(folder / RUNS / "sparsity_50.pt")["model"]
    monkeypatch.setattr(train, "RUNS", folder / "whole")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as there
    whole = train.Run("resnet8", "cifar10", 1, 0.5, 2, 1, 0)
    whole.train(data.load("cifar10", folder / "data", "train"))
    torch.set_num_threads(threads)
    for name, value in torch.load(whole.checkpoint("sparsity_50"))["model"].items():
        assert torch.equal(value, killed[name]), name
