# SPDX-License-Identifier: Apache-2.0
"""The four networks of the experiments: their weights, and what MobileViT's blocks do."""

import math

import numpy as np
import pytest

for package in ("torch", "matplotlib", "lightning"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import torch  # noqa: E402

import stridepack as sp  # noqa: E402
from bench.networks import NETWORKS  # noqa: E402
from bench.published import WEIGHTS, as_in_paper  # noqa: E402
from experiments import int8, mobilevit, paper  # noqa: E402
from experiments.data import normalise  # noqa: E402
from experiments.networks import RECIPES  # noqa: E402
from stridepack.files.verify import verify_files  # noqa: E402
from stridepack.pruning import MagnitudePruner, to_tflite  # noqa: E402


@pytest.mark.parametrize(
    ("network", "classes", "prunable", "folded"),
    [
        ("resnet8", 10, 73_728, 77_706),
        ("mobilenetv2", 200, 2_330_624, 2_463_016),
        ("resnet34", 200, 21_267_648, 21_378_760),
        ("mobilevit_xxs", 200, 899_072, 1_073_176),
    ],
)
def test_numbers_of_weights_are_those_of_the_paper(network, classes, prunable, folded):
    if network in ("mobilenetv2", "resnet34"):
        pytest.importorskip("transformers", reason="transformers is not installed")
    recipe = RECIPES[network]
    model = recipe.build(classes)
    pruner = MagnitudePruner(
        model, 0.5, end=0, larger_than=recipe.larger_than, exclude=recipe.exclude
    )
    assert sum(mask.numel() for mask in pruner.masks.values()) == prunable
    shapes = NETWORKS[paper.TITLES[network]]()  # what bench/ fills without torch
    assert sorted(map(math.prod, shapes)) == sorted(m.numel() for m in pruner.masks.values())
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    scales = sum(m.weight.numel() for m in norms)
    # the pruned weights are counted once, as `original` of their parametrisation
    assert sum(p.numel() for p in model.parameters()) - scales == folded
    published = WEIGHTS[paper.TITLES[network]]
    assert as_in_paper(prunable) == as_in_paper(published[0])
    assert folded == pytest.approx(published[1], rel=0.01)


def test_mobilevit_mixes_pixels_of_one_place_in_their_patches():
    torch.manual_seed(0)
    block = mobilevit.MobileViTBlock(16, 64, 128, depth=2).eval()
    for convolution in (block.local[0], block.fuse[0]):  # nothing passes between neighbours
        convolution.weight.data[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 0
    x = torch.randn(2, 16, 8, 12)
    changed = x.clone()
    changed[1, :, 3, 4] += 1
    with torch.no_grad():
        differs = (block(changed) != block(x)).any(1)
    expected = torch.zeros(2, 8, 12, dtype=torch.bool)
    expected[1, 1::2, 0::2] = True
    assert torch.equal(differs, expected)


def test_mobilevit_converts_and_runs_in_tensorflow_lite_micro(tmp_path):
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    torch.manual_seed(0)
    model = mobilevit.MobileViT(10)
    pixels = torch.randint(0, 256, (40, 64, 64, 3), dtype=torch.uint8)
    model(normalise(pixels))  # fills the running statistics a little
    pruner = MagnitudePruner(model, 0.5, end=0, larger_than=8192)
    pruner.step(0)
    pruner.remove()
    model.eval()
    file = tmp_path / "model.tflite"
    to_tflite(model, [normalise(image[None]) for image in pixels[:4]], file)

    outputs = int8.int8_outputs(file.read_bytes(), pixels).astype(np.float64)
    with torch.no_grad():
        logits = model(normalise(pixels)).numpy()
    assert np.corrcoef(outputs.ravel(), logits.ravel())[0, 1] > 0.99
    tensors = {t.name: t for t in sp.read_tflite(file)}
    for name in pruner.masks:
        assert tensors[name].sparsity >= 0.5, name
    assert verify_files(file, file, n_inputs=1).ok
