# SPDX-License-Identifier: Apache-2.0
"""A small network, and how it is trained on a grid."""

import functools

import pruned_models
import torch
from torch.nn.functional import cross_entropy

network = functools.partial(pruned_models.network, width=24, classes=4)


def brightest_quarters(n=256, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (n,), generator=generator)
    images = torch.randn(n, 3, 8, 8, generator=generator)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        image[:, row * 4 : row * 4 + 4, column * 4 : column * 4 + 4] += 1
    return images, labels


def trained(model, quantizer, optimizer, epochs, start=0):
    images, labels = brightest_quarters()
    for epoch in range(start, epochs):
        for i, (x, y) in enumerate(zip(images.split(32), labels.split(32), strict=True)):
            quantizer.step(epoch + i / 8)
            loss = cross_entropy(model(x), y) + quantizer.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
