# SPDX-License-Identifier: Apache-2.0
"""Accuracies that are computed again from committed files, and the tables that show them."""

import json
import re
from pathlib import Path

import pytest

for package in ("torch", "matplotlib", "lightning", "tflite_micro", "pyarrow"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import numpy as np  # noqa: E402
from test_data import pictures, write_parquet  # noqa: E402

from experiments import data, measures, recheck, tables  # noqa: E402

ROOT = Path(__file__).parents[2]
CIFAR10 = ROOT.parent / "shared/data/cifar10"
CURVE = "resnet8_cifar10"


def check(*options, folder=CIFAR10, curve=CURVE):
    return recheck.main([curve, *options, "--data", str(folder)])


@pytest.mark.skipif(not CIFAR10.exists(), reason="CIFAR-10 is not in ../shared/data")
def test_a_committed_file_has_its_accuracy(capsys):
    assert check("--sparsity", "0.5", "--images", "200", curve=f"{CURVE}_full") == 0
    assert capsys.readouterr().out.count("agrees") == 1


def test_an_accuracy_that_is_not_that_of_the_file_is_noticed(tmp_path, monkeypatch, capsys):
    images = pictures(20, 32)
    write_parquet(tmp_path / "test.parquet", images, np.arange(20) % 10)
    point = next(p for p in measures.points(CURVE) if p["sparsity"] == 0.5)
    score = recheck.accuracy(point, data.load("cifar10", tmp_path, "test"))
    record = ROOT / "experiments/results" / f"{CURVE}.json"
    model = measures.model_of(point)
    monkeypatch.setattr(measures, "RESULTS", tmp_path)
    (tmp_path / point["tflite"]).write_bytes(model)

    def recorded(**changes):
        content = json.loads(record.read_text()) | {"points": [point | changes]}
        (tmp_path / f"{CURVE}.json").write_text(json.dumps(content))

    recorded(accuracy=score)
    assert check(folder=tmp_path) == 0
    recorded(accuracy=score + 0.05)
    assert check(folder=tmp_path) == 1
    assert "DIFFERS" in capsys.readouterr().out
    recorded(accuracy=score, input=point["input"] | {"scale": 1 / 255})
    with pytest.raises(SystemExit, match="has the input"):
        check(folder=tmp_path)
    with pytest.raises(SystemExit, match="2"):
        check("--sparsity", "0.6", folder=tmp_path)
    assert "no point of these curves has this sparsity" in capsys.readouterr().err
    recorded(tflite="elsewhere.tflite.xz")
    assert check(folder=tmp_path) == 0
    assert "elsewhere.tflite.xz: not committed" in capsys.readouterr().out


def test_the_document_has_the_tables_of_the_records():
    text = (ROOT / tables.DOCUMENT).read_text()
    curves = {curve: measures.points(curve) for curve in measures.curves()}
    sizes = {
        curve: {(p["sparsity"], p["seed"]): measures.sizes_of(p, network) for p in curves[curve]}
        for curve, network in measures.curves().items()
    }
    assert f"<!-- accuracy -->\n\n{tables.accuracy_table(curves)}\n" in text
    assert f"<!-- trained-sizes -->\n\n{tables.sizes_table(curves, sizes)}\n" in text


def test_more_zeros_are_the_smallest_weights():
    values = np.array([5, -1, 0, 3, -4, 1, 2, -7], np.int8)
    (half,) = measures.with_zeros([values], 0.5)
    assert half.tolist() == [5, 0, 0, 3, -4, 0, 0, -7]
    assert values[1] == -1
    (more,) = measures.with_zeros([np.full(1000, -128, np.int8)], 0.3)
    assert int((more == 0).sum()) == 300
    assert (more == 0)[:500].any() and (more == 0)[500:].any()  # noqa: PT018


def test_tables_name_what_is_smaller_and_what_is_missing():
    entry = {"seed": 1, "epochs": {"dense": 3, "pruning": 1, "retraining": 1}}
    entry |= {"resolution": 32, "training_images": 20_000}
    points = [
        entry | {"sparsity": 0.0, "accuracy": 0.25},
        entry | {"sparsity": 0.5, "accuracy": 0.24},
    ]
    table = tables.accuracy_table({"resnet34_tinyimagenet_32px_20000images": points})
    data_cell = "TinyImageNet at 32x32, 20,000 training images"
    assert f"| ResNet34, ours | {data_cell} | 3 + 1 + 1 | 1 | 25.00% |  | -1.00 |  |" in table
    assert "ResNet34, ours | TinyImageNet | not trained" not in table
    assert "MobileNetV2, ours | TinyImageNet | not trained" in table
    weights = 21_267_648
    psr = 2 * (weights // 2) + weights // 256
    sizes = {"dense": weights, "psr": psr, "bitmap": weights // 2 + weights // 8}
    sizes |= {"hybrid": 15_650_000, "rle": 15_950_000, "dcsr": 17_500_000}
    curve = "resnet34_tinyimagenet_32px_20000images"
    table = tables.sizes_table({curve: points}, {curve: {(0.5, 1): sizes}})
    (row,) = re.findall(r"\| ResNet34 .*", table)
    assert "| 3 + 1 + 1 | 50% | 50.0% | 50.0% | +0.0% | +0.0% | **+3.1%** | +0.0% |" in row
