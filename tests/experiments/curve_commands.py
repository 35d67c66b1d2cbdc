# SPDX-License-Identifier: Apache-2.0
"""Commands of the experiments on a tiny data set, in a folder of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from test_data import pictures, write_parquet

import stridepack

ROOT = Path(__file__).parents[2]
EPOCHS = ["--dense-epochs", "1", "--pruning-epochs", "1", "--retraining-epochs", "0"]
COMMAND = [sys.executable, "-m", "experiments.points", "resnet8", "cifar10", *EPOCHS]


def write_data(folder: Path) -> Path:
    """Put images of two classes, of which one is brighter, into a folder."""
    for name, count in (("train", 512), ("test", 32)):
        labels = np.arange(count) % 2
        pixels = pictures(count, 32) // 2 + (120 * labels[:, None, None, None]).astype(np.uint8)
        write_parquet(folder / "data" / f"{name}.parquet", pixels, labels)
    return folder


def arguments(folder: Path, *options: str, command: list[str] = COMMAND) -> dict[str, Any]:
    """Those of `subprocess`, for a command on the data of the folder."""
    paths = [str(ROOT), str(Path(stridepack.__file__).parents[1])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    data = [
        "--data",
        str(folder / "data"),
        "--cache",
        str(folder / "cache"),
        "--threads",
        "1",
        "--accelerator",
        "cpu",
    ]
    return {
        "args": [*command, *data, *options],
        "cwd": folder,
        "env": environment,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }


def run(folder: Path, *options: str, code: int = 0, command: list[str] = COMMAND) -> str:
    done = subprocess.run(**arguments(folder, *options, command=command), check=False, timeout=300)
    assert done.returncode == code, done.stdout
    return done.stdout


def recorded(folder: Path) -> list[dict]:
    file = folder / "experiments/results/resnet8_cifar10.json"
    return json.loads(file.read_text())["points"]
