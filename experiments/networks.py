# SPDX-License-Identifier: Apache-2.0
"""The four networks of Section IV-A and their recipes.

ResNet8 is defined here, MobileViT in mobilevit.py; the others come from Hugging Face's
transformers, which litert-torch installs. All start from random weights: nothing is downloaded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from experiments.mobilevit import MobileViT


class Stack(nn.Module):
    """Two 3x3 convolutions beside a shortcut; a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity() if stride == 1 else nn.Conv2d(inputs, filters, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet8(nn.Module):
    """ResNet8 of MLPerf Tiny, for 32x32 images, ending in logits instead of a softmax.

    It pads the strided convolutions by one pixel on all sides, where TensorFlow's SAME pads only
    below and on the right: litert-torch turns that into one NHWC PAD, but one-sided padding into
    a PAD between two TRANSPOSEs. Likewise avg_pool2d stays clean and mean() does not.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.stacks = nn.Sequential(Stack(16, 16, 1), Stack(16, 32, 2), Stack(32, 64, 2))
        self.classify = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stacks(F.relu(self.norm(self.conv(x))))
        logits: Tensor = self.classify(F.avg_pool2d(x, 8).flatten(1))
        return logits


class Logits(nn.Module):
    """A transformers image classifier as a function of images alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x).logits
        return logits


def mobilenet_v2(classes: int) -> nn.Module:
    from transformers import MobileNetV2Config, MobileNetV2ForImageClassification

    # TensorFlow's one-sided padding would become a PAD between two TRANSPOSEs.
    config = MobileNetV2Config(num_labels=classes, tf_padding=False, classifier_dropout_prob=0.2)
    network = MobileNetV2ForImageClassification(config)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # TensorFlow's 0.997 is torch's 0.003; as it is, it remembers the last batch only
            module.momentum = 0.1
        elif isinstance(module, nn.Conv2d):
            # transformers' weights of 0.02 make the first steps so large that training diverges
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    for block in network.mobilenet_v2.layer:
        if block.use_residual:  # starts as the identity (Goyal et al., 2017), which learns sooner
            nn.init.zeros_(block.reduce_1x1.normalization.weight)
    return Logits(network)


def resnet34(classes: int) -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512],
        depths=[3, 4, 6, 3],
        layer_type="basic",
        num_labels=classes,
    )
    network = ResNetForImageClassification(config)
    # "changing the stride of the first MaxPooling layer from two to one"
    network.resnet.embedder.pooler.stride = 1
    return Logits(network)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How Section IV-A trains one network; epochs of `decays` count from the start of retraining.

    `dense_epochs` and `peak_rate` are ours, where the paper says nothing of the dense baseline.
    """

    build: Callable[[int], nn.Module]
    larger_than: int  # elements; smaller weight tensors stay dense
    pruning_epochs: int
    retraining_epochs: int
    decays: tuple[float, ...]  # after these the learning rate falls by 90 %
    rate: float  # while pruning
    dense_epochs: int
    peak_rate: float
    cosine_to: float | None = None  # instead of the decays
    optimizer: str = "sgd"
    exclude: tuple[str, ...] = ()  # layers that stay dense although they are larger
    any_size: bool = False  # whether it takes images of another size than the data set's


TITLES = {  # in the order of Table I
    "resnet8": "ResNet8",
    "mobilevit_xxs": "MobileViT-XXS",
    "mobilenetv2": "MobileNetV2",
    "resnet34": "ResNet34",
}

PAPERS_DATASET = {  # what the paper trains each network on
    "resnet8": "cifar10",
    "mobilevit_xxs": "tinyimagenet",
    "mobilenetv2": "tinyimagenet",
    "resnet34": "tinyimagenet",
}

# The paper's numbers of prunable weights, 2.33M and 21.27M, come out only without the depthwise
# convolutions of 960 channels (8640 weights each) and without the classifier.
WIDE_DEPTHWISE = tuple(f"network.mobilenet_v2.layer.{i}.conv_3x3.convolution" for i in (13, 14, 15))

RECIPES = {
    "resnet8": Recipe(ResNet8, 2048, 30, 10, (2, 7), 5e-2, 60, 0.2),
    "mobilenetv2": Recipe(
        mobilenet_v2, 8192, 18, 8, (2, 6), 5e-2, 60, 0.05, exclude=WIDE_DEPTHWISE, any_size=True
    ),
    "resnet34": Recipe(
        *(resnet34, 0, 10, 6, (0, 4), 5e-2, 60, 0.1),
        exclude=("network.classifier.1",),
        any_size=True,
    ),
    "mobilevit_xxs": Recipe(
        MobileViT, 8192, 20, 0, (), 1e-4, 20, 1e-3, cosine_to=1e-5, optimizer="adamw"
    ),
}
