"""The committed results of the experiments say what their models are."""

import pytest

pytest.importorskip("torch", reason="torch is not installed (stridepack[experiments])")
pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from pathlib import Path

from experiments import measures

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "experiments/results"
CURVES = {"resnet8": "cifar10", "mobilenetv2": "cifar10"}
POINTS = [(n, p) for n, dataset in CURVES.items() for p in measures.points(n, dataset)]


@pytest.mark.parametrize(
    ("network", "point"), POINTS, ids=[f"{n} {p['sparsity']:.0%} {p['seed']}" for n, p in POINTS]
)
def test_a_point_and_its_file(network, point):
    assert 0.5 < point["accuracy"] < 1
    assert {"scale", "mean", "std"} <= set(point["input"])
    if not (RESULTS / point["tflite"]).exists():
        assert network == "mobilenetv2", "only its files are too large to be committed"
        return
    tensors = measures.pruned_tensors(point, network)
    assert measures.sizes(tensors) == point["payload_nbytes"]
    n_zeros = sum(int((values == 0).sum()) for values in tensors)
    # a few weights that were not pruned are rounded to 0
    assert 0 <= n_zeros / sum(values.size for values in tensors) - point["sparsity"] < 0.05


def test_the_bundled_model_is_the_point_at_50_percent():
    point = next(p for n, p in POINTS if (n, p["sparsity"], p["seed"]) == ("resnet8", 0.5, 1))
    bundled = ROOT / "examples/resnet8_cifar10_50.tflite"
    assert bundled.read_bytes() == (RESULTS / point["tflite"]).read_bytes()


def test_all_files_together_stay_small():
    files = [RESULTS / p["tflite"] for n, p in POINTS if n != "mobilenetv2"]
    assert sum(file.stat().st_size for file in files) < 3_000_000
