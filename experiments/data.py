# SPDX-License-Identifier: Apache-2.0
"""CIFAR-10 and TinyImageNet: what is known of them, their images, and batches of these.

Decoding TinyImageNet takes a minute, so decoded images are kept in a cache. Its files are mapped
into memory, so that several processes on one machine share them.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments import layouts

# Normalisation x -> (x * SCALE - MEAN) / STD. With these values the pixels 0..255 span exactly
# 255 steps of 1/64 around zero, so that the int8 input of a converted model is pixel - 128.
SCALE, MEAN, STD = 1 / 128, 1.0, 0.5
INPUT = {"formula": "(x * scale - mean) / std", "scale": SCALE, "mean": MEAN, "std": STD}


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What is known of a data set before its images are read."""

    title: str
    ours: str  # the copy that we train on
    note: str  # what the records of a curve say of that copy
    classes: int
    image_size: int
    training_images: int


DATASETS = {
    "cifar10": Dataset(
        "CIFAR-10",
        "CIFAR-10 (JPEG copy)",
        "shared/data/cifar10 is a JPEG-compressed copy of CIFAR-10 (60,000 images)",
        classes=10,
        image_size=32,
        training_images=50_000,
    ),
    "tinyimagenet": Dataset(
        "TinyImageNet",
        "TinyImageNet",
        "100,000 training and 10,000 validation images of 64x64; tested on the latter",
        classes=200,
        image_size=64,
        training_images=100_000,
    ),
}


@dataclasses.dataclass
class Images:
    """`pixels`: uint8 of shape (n, height, width, 3); `labels`: int64 of shape (n,)."""

    pixels: Tensor
    labels: Tensor


def cache_folder() -> Path:
    """Where decoded images are kept, outside the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stridepack"


def load(
    dataset: str,
    path: Path,
    split: str,
    cache: Path | None = None,
    *,
    resolution: int | None = None,
    count: int | None = None,
) -> Images:
    """Decode the `"train"` or `"test"` images of `"cifar10"` or `"tinyimagenet"` into memory.

    TinyImageNet's test labels are not public: its validation images are the test images, as usual.
    With a folder for a `cache`, images in Parquet files are decoded the first time only. With a
    `resolution`, images of another one are resized. With a `count`, `some_of` chooses as many
    images. `path` may also hold just these, as `experiments.borrowed` writes them.

    Raises
    ------
    SystemExit
        With the layouts that are understood, when none is found under `path`; or what is wrong
        with the files that are there.
    """
    if dataset not in DATASETS:
        raise SystemExit(f"unknown data set {dataset!r}; there are {', '.join(DATASETS)}")
    if split not in ("train", "test"):
        raise SystemExit(f"unknown split {split!r}: train or test")
    pixels, labels = layouts.read(dataset, path, split, cache)
    size, classes = DATASETS[dataset].image_size, DATASETS[dataset].classes
    if pixels.shape[1:] not in ((size, size, 3), (resolution, resolution, 3)):
        raise SystemExit(f"{path}: images of {pixels.shape[1:]}, expected {(size, size, 3)}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise SystemExit(
            f"{path}: labels from {labels.min()} to {labels.max()}, expected 0 to {classes - 1}"
        )
    if count is not None and count != len(labels):
        chosen = some_of(len(labels), count, str(path))
        pixels, labels = pixels[chosen], labels[chosen]
    if resolution is not None and pixels.shape[1] != resolution:
        pixels = resized(pixels, resolution)
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels))


def some_of(total: int, count: int, path: str) -> npt.NDArray[np.int64]:
    """The numbers of `count` of `total` images, in a random order that is always the same.

    `count` is 1 or more, as `arguments.count` makes sure.

    Raises
    ------
    SystemExit
        When there are fewer.
    """
    if count > total:
        raise SystemExit(f"{path} has {total:,} training images: `--images {count}` asks for more.")
    return np.random.default_rng(0).permutation(total)[:count]


def resized(pixels: layouts.Pixels, size: int) -> layouts.Pixels:
    """Images of `size` by `size` pixels, by Pillow's bicubic filter."""
    from PIL import Image

    shape, kind = (size, size), Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(image).resize(shape, kind)) for image in pixels])


def normalise(pixels: Tensor) -> Tensor:
    """uint8 NHWC -> float32 NCHW, a view in channels_last order."""
    return ((pixels.float() * SCALE - MEAN) / STD).permute(0, 3, 1, 2)


def augmented_batches(
    data: Images,
    batch: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
    part: slice = slice(None),
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch in random order, every image mirrored and shifted by up to an eighth at random.

    Whatever the device, the numbers are drawn on the CPU, and so the images are the same. `data`
    may lie on the device or not; what is done to the images is done there. With a `part` of each
    batch, such as every second image, several processes share the batches.
    """
    count, size = data.pixels.shape[:2]
    m = size // 8
    span = torch.arange(size)
    used = count // batch * batch  # batch statistics over a few left-over images would be poor
    for index in torch.randperm(count, generator=generator)[:used].view(-1, batch):
        shift = torch.randint(0, 2 * m + 1, (2, batch, 1), generator=generator)[:, part]
        mirror = torch.rand((batch, 1), generator=generator)[part] < 0.5
        rows = (shift[0] + span).to(device)
        columns = (shift[1] + torch.where(mirror, span.flip(0), span)).to(device)
        here = index[part].to(data.pixels.device)
        padded = F.pad(data.pixels[here].to(device), (0, 0, m, m, m, m), value=128)
        images = torch.arange(len(padded), device=device)[:, None, None]
        pixels = padded[images, rows[:, :, None], columns[:, None, :]]
        yield normalise(pixels), data.labels[here].to(device)
