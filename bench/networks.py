# SPDX-License-Identifier: Apache-2.0
"""Weight shapes of the four networks of the paper (Section IV-A), and weights to fill them with.

Shapes are those of the tensors that the paper prunes, in the order in which TensorFlow Lite stores
them (output channels, height, width, input channels).
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]


def resnet8() -> list[Shape]:
    """MLPerf Tiny's ResNet for CIFAR-10; tensors of more than 2048 elements."""
    return [
        (16, 3, 3, 16),
        (16, 3, 3, 16),
        (32, 3, 3, 16),
        (32, 3, 3, 32),
        (64, 3, 3, 32),
        (64, 3, 3, 64),
    ]


def mobilenet_v2(n_classes: int = 200) -> list[Shape]:
    """MobileNetV2; tensors of more than 8192 elements.

    The paper's 2.33M prunable weights come out only without the three depthwise convolutions of
    960 channels (8640 elements each), so those are left out here too.
    """
    shapes: list[Shape] = []
    c_in = 32
    for expansion, c_out, repeats in (
        *((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4)),
        *((6, 96, 3), (6, 160, 3), (6, 320, 1)),
    ):
        for _ in range(repeats):
            hidden = c_in * expansion
            if expansion != 1:
                shapes.append((hidden, 1, 1, c_in))
            shapes.append((c_out, 1, 1, hidden))
            c_in = c_out
    shapes += [(1280, 1, 1, 320), (n_classes, 1280)]
    return [shape for shape in shapes if math.prod(shape) > 8192]


def resnet34() -> list[Shape]:
    """ResNet34; all convolutions (21.27M weights), as in the paper."""
    shapes: list[Shape] = [(64, 7, 7, 3)]
    c_in = 64
    for c_out, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes.append((c_out, 3, 3, c_in))
            shapes.append((c_out, 3, 3, c_out))
            if block == 0 and c_in != c_out:
                shapes.append((c_out, 1, 1, c_in))
            c_in = c_out
    return shapes


def mobilevit_xxs(n_classes: int = 200) -> list[Shape]:
    """MobileViT-XXS; tensors of more than 8192 elements.

    The paper's 899.07k weights are those of the variant whose attention works in 32 channels,
    with queries, keys and values from one projection, and whose perceptrons widen by 2, 4 and 4.
    """
    shapes: list[Shape] = []

    def inverted_residual(c_in: int, c_out: int) -> None:
        shapes.extend([(2 * c_in, 1, 1, c_in), (1, 3, 3, 2 * c_in), (c_out, 1, 1, 2 * c_in)])

    def transformer(c: int, d: int, inside: int, layers: int) -> None:
        shapes.extend([(c, 3, 3, c), (d, 1, 1, c)])
        for _ in range(layers):
            shapes.extend([(3 * 32, d), (d, 32), (inside, d), (d, inside)])
        shapes.extend([(c, 1, 1, d), (c, 3, 3, 2 * c)])

    for c_in, c_out in ((16, 16), (16, 24), (24, 24), (24, 24), (24, 48)):
        inverted_residual(c_in, c_out)
    transformer(48, 64, 128, 2)
    inverted_residual(48, 64)
    transformer(64, 80, 320, 4)
    inverted_residual(64, 80)
    transformer(80, 96, 384, 3)
    shapes += [(320, 1, 1, 80), (n_classes, 320)]
    return [shape for shape in shapes if math.prod(shape) > 8192]


NETWORKS: dict[str, Callable[[], list[Shape]]] = {
    "ResNet8": resnet8,
    "MobileViT-XXS": mobilevit_xxs,
    "MobileNetV2": mobilenet_v2,
    "ResNet34": resnet34,
}


def pruned_weights(shape: Shape, sparsity: float, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Gaussian weights, pruned by magnitude to a sparsity, quantised symmetrically to int8."""
    weights = rng.standard_normal(shape).astype(np.float32)
    magnitude = np.abs(weights)
    n_zeros = round(sparsity * weights.size)
    pruned = np.zeros(weights.size, bool)
    pruned[np.argpartition(magnitude, n_zeros, axis=None)[:n_zeros]] = True
    values = np.rint(weights * (127 / magnitude.max()))
    values[values == 0] = 1  # what is not pruned is not zero
    values[pruned.reshape(shape)] = 0
    return values.astype(np.int8)
