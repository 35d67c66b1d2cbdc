# SPDX-License-Identifier: Apache-2.0
"""The committed results of the experiments say what their models are."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (stridepack[experiments])")
pytest.importorskip("matplotlib", reason="matplotlib is not installed (stridepack[experiments])")
pytest.importorskip("lightning", reason="lightning is not installed (stridepack[experiments])")
pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from pathlib import Path

import stridepack as sp
from experiments import measures, repack, shrink
from experiments.points import LARGEST_PLAIN
from experiments.shrink import spk_nbytes, table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "experiments/results"
POINTS = [(network, p) for c, network in measures.curves().items() for p in measures.points(c)]


@pytest.mark.parametrize(("network", "point"), POINTS, ids=[p["tflite"] for _, p in POINTS])
def test_a_point_and_its_file(network, point):
    assert 0.5 < point["accuracy"] < 1 or "tinyimagenet" in point["tflite"]
    assert point["accuracy"] > 20 / 200  # far above chance
    assert point["epochs"].keys() == {"dense", "pruning", "retraining"}
    assert {"scale", "mean", "std"} <= set(point["input"])
    file = RESULTS / point["tflite"]
    if "payload_nbytes" in point:  # of a larger file
        assert point["payload_nbytes"].keys() >= set(sp.formats())
    if not file.exists():
        assert point["bytes"] > LARGEST_PLAIN
        return
    assert len(measures.model_of(point)) == point["bytes"]
    tensors = measures.pruned_tensors(point, network)
    if "payload_nbytes" in point:
        assert measures.sizes(tensors) == point["payload_nbytes"]
    n_zeros = sum(int((values == 0).sum()) for values in tensors)
    # counts are rounded for each tensor, and a few weights that were not pruned to 0
    assert -1e-4 < n_zeros / sum(values.size for values in tensors) - point["sparsity"] < 0.05


SHRUNK = measures.points("resnet8_cifar10_shrink")


@pytest.mark.parametrize("point", SHRUNK, ids=[p["tflite"] for p in SHRUNK])
def test_a_shrunk_model_and_its_record(point, tmp_path):
    file, source = tmp_path / "model.tflite", RESULTS / point["from"]
    file.write_bytes(measures.model_of(point))
    packed = tmp_path / "packed.spk"
    nbytes = sp.pack_file(file, packed).files[packed]
    assert nbytes == point["spk_nbytes"] <= point["flash"]
    assert nbytes == spk_nbytes(point)
    assert sp.pack_file(source, packed).files[packed] == point["spk_nbytes_before"]
    assert file.stat().st_size == point["bytes"]
    assert 0.75 < point["accuracy"] <= point["accuracy_before"] + 0.005
    for before, after in zip(sp.read_tflite(source), sp.read_tflite(file), strict=True):
        assert (before.name, before.values.shape) == (after.name, after.values.shape)
        if point["method"] == measures.POST_TRAINING:  # training moves weights anywhere
            assert not after.values[before.values == 0].any()
            assert before.name not in point["steps"] or before.size >= 2048
        elif before.size >= 2048:
            assert np.unique(after.values).size < np.unique(before.values).size / 4


def test_the_guide_shows_what_is_recorded():
    assert table() in (ROOT / "docs/shrink.md").read_text()


def test_the_bundled_model_is_the_point_at_50_percent():
    points = measures.points("resnet8_cifar10")
    point = next(p for p in points if (p["sparsity"], p["seed"]) == (0.5, 1))
    bundled = ROOT / "examples/resnet8_cifar10_50.tflite"
    assert bundled.read_bytes() == (RESULTS / point["tflite"]).read_bytes()


def test_all_committed_files_together_stay_small():
    files = [RESULTS / p["tflite"] for _, p in POINTS]
    assert sum(file.stat().st_size for file in files if file.exists()) < 15_000_000
    assert sum((RESULTS / p["tflite"]).stat().st_size for p in SHRUNK) < 1_000_000


def test_the_smallest_file_of_each_shrunk_network_is_a_plain_one():
    for start in {p["from"] for p in SHRUNK}:
        for method in {p["method"] for p in SHRUNK if p["from"] == start}:
            some = [p for p in SHRUNK if (p["from"], p["method"]) == (start, method)]
            ordered = sorted(some, key=lambda p: p["flash"])
            assert ordered[0]["tflite"].endswith(".tflite")
            assert all(p["tflite"].endswith(".tflite.xz") for p in ordered[1:])


def test_packing_again_finds_the_sizes_of_the_files(tmp_path, monkeypatch):
    (point, *_) = SHRUNK
    guide = tmp_path / "guide.md"
    guide.write_text(f"{shrink.BEGIN} {shrink.END}")
    monkeypatch.setattr(shrink, "GUIDE", guide)
    for module in (shrink, measures):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    for name in (point["tflite"], point["from"]):
        (tmp_path / name).write_bytes((RESULTS / name).read_bytes())
    larger = {**point, "flash": point["flash"] + 1, "spk_nbytes": 1, "tflite": "larger.tflite"}
    (tmp_path / "larger.tflite").write_bytes(measures.model_of(point))
    shrink.write("resnet8_cifar10", [{**point, "spk_nbytes_before": 1}, larger])
    repack.main()
    same = measures.points("resnet8_cifar10_shrink")
    assert same[0] == point
    assert same[1]["spk_nbytes"] == point["spk_nbytes"]
    assert same[1]["tflite"] == "larger.tflite.xz"
    assert not (tmp_path / "larger.tflite").exists()
