# SPDX-License-Identifier: Apache-2.0
"""MobileViT-XXS (Mehta and Rastegari, 2022) in the variant that the paper counts.

Its attention works in HEADS * HEAD_WIDTH = 32 channels, whatever the width of the tokens, and
takes queries, keys and values from one projection; its perceptrons widen by 2, 4 and 4. With 200
classes it has 1,075,472 weights, 899,072 of them in tensors of more than 8192: the paper's 1.08M
and 899.07k. The GitHub repository chinhsuanwu/mobilevit-pytorch and the package vit-pytorch have
the same; transformers' follows the publication, attends in the full width, and has 1.015M and
769.0k.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEADS, HEAD_WIDTH = 4, 8
PATCH = 2  # pixels a side


def convolution(
    inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution and batch normalisation."""
    padding = size // 2
    return [
        nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class InvertedResidual(nn.Module):
    """MobileNetV2's block with twice the channels inside."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        inside = 2 * inputs
        self.layers = nn.Sequential(
            *convolution(inputs, inside, 1),
            nn.SiLU(),
            *convolution(inside, inside, 3, stride, groups=inside),
            nn.SiLU(),
            *convolution(inside, outputs, 1),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.has_shortcut else y


class EncoderLayer(nn.Module):
    """Self-attention and a perceptron, each behind a normalisation and beside a shortcut."""

    def __init__(self, width: int, inside: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * HEADS * HEAD_WIDTH, bias=False)
        self.project = nn.Linear(HEADS * HEAD_WIDTH, width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, inside), nn.SiLU(), nn.Linear(inside, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        parts = self.queries_keys_values(self.norm(x)).chunk(3, dim=-1)
        q, k, v = (p.reshape(batch, tokens, HEADS, HEAD_WIDTH).transpose(1, 2) for p in parts)
        # One token attends to itself alone. As a softmax, that would become an EXP and a DIV in
        # float, at which TensorFlow Lite Micro aborts.
        if tokens > 1:
            v = F.softmax(q @ k.transpose(2, 3) * HEAD_WIDTH**-0.5, dim=-1) @ v
        x = x + self.project(v.transpose(1, 2).reshape(batch, tokens, -1))
        result: Tensor = x + self.perceptron(x)
        return result


class MobileViTBlock(nn.Module):
    """Local features, encoder layers among the pixels of one place in their patches, fusion."""

    def __init__(self, channels: int, width: int, inside: int, depth: int) -> None:
        super().__init__()
        self.local = nn.Sequential(
            *convolution(channels, channels, 3),
            nn.SiLU(),
            *convolution(channels, width, 1),
            nn.SiLU(),
        )
        self.encoder = nn.Sequential(*(EncoderLayer(width, inside) for _ in range(depth)))
        self.project = nn.Sequential(*convolution(width, channels, 1), nn.SiLU())
        self.fuse = nn.Sequential(*convolution(2 * channels, channels, 3), nn.SiLU())

    def forward(self, x: Tensor) -> Tensor:
        y = self.local(x).permute(0, 2, 3, 1)
        batch, height, width, channels = y.shape
        rows, patches = height // PATCH, height * width // PATCH**2
        # TensorFlow Lite Micro transposes up to five dimensions, so in two steps
        y = y.reshape(batch, rows, PATCH, width * channels).transpose(1, 2)
        y = y.reshape(batch * PATCH, patches, PATCH, channels).transpose(1, 2)
        y = self.encoder(y.reshape(batch * PATCH**2, patches, channels))
        y = y.reshape(batch * PATCH, PATCH, patches, channels).transpose(1, 2)
        y = y.reshape(batch, PATCH, rows, width * channels).transpose(1, 2)
        y = self.project(y.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
        fused: Tensor = self.fuse(torch.cat((x, y), 1))
        return fused


class MobileViT(nn.Module):
    """The XXS variant; images of a multiple of 64 pixels a side."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(3, 16, 3, stride=2),
            nn.SiLU(),
            InvertedResidual(16, 16),
            InvertedResidual(16, 24, stride=2),
            InvertedResidual(24, 24),
            InvertedResidual(24, 24),
            InvertedResidual(24, 48, stride=2),
            MobileViTBlock(48, 64, 128, depth=2),
            InvertedResidual(48, 64, stride=2),
            MobileViTBlock(64, 80, 320, depth=4),
            InvertedResidual(64, 80, stride=2),
            MobileViTBlock(80, 96, 384, depth=3),
            *convolution(80, 320, 1),
            nn.SiLU(),
        )
        self.classify = nn.Linear(320, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        logits: Tensor = self.classify(F.avg_pool2d(x, x.shape[-1]).flatten(1))
        return logits
