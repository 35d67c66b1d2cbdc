"""CIFAR-10 and TinyImageNet, from the layouts in which they are published.

Decoding TinyImageNet takes a minute, so decoded images are kept in a cache. Its files are mapped
into memory, so that several processes on one machine share them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from stridepack.files.atomic import new_files

Pixels = npt.NDArray[np.uint8]

# Normalisation x -> (x * SCALE - MEAN) / STD. With these values the pixels 0..255 span exactly
# 255 steps of 1/64 around zero, so that the int8 input of a converted model is pixel - 128.
SCALE, MEAN, STD = 1 / 128, 1.0, 0.5
INPUT = {"formula": "(x * scale - mean) / std", "scale": SCALE, "mean": MEAN, "std": STD}

LAYOUTS = {
    "cifar10": """\
CIFAR-10 at {path}: expected one of
  train.parquet, test.parquet     as on the Hugging Face hub, also in plain_text/ or named
                                  train-00000-of-00001.parquet; columns `img` (a struct with the
                                  encoded image in `bytes`) and `label`
  cifar-10-python.tar.gz          the original archive, or the folder that it unpacks to:
  cifar-10-batches-py/            data_batch_1 to data_batch_5, test_batch""",
    "tinyimagenet": """\
TinyImageNet at {path}: expected one of
  train-*.parquet, valid-*.parquet  as on the Hugging Face hub, also in data/; columns `image`
                                    (a struct with the encoded image in `bytes`) and `label`
  tiny-imagenet-200.zip             the original archive, or the folder that it unpacks to:
  tiny-imagenet-200/                wnids.txt, train/<wnid>/images/*.JPEG, val/images/*.JPEG,
                                    val/val_annotations.txt""",
}
CLASSES = {"cifar10": 10, "tinyimagenet": 200}
IMAGE_SIZE = {"cifar10": 32, "tinyimagenet": 64}
TRAINING_IMAGES = {"cifar10": 50_000, "tinyimagenet": 100_000}


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
    if dataset not in LAYOUTS:
        raise SystemExit(f"unknown data set {dataset!r}; there are {', '.join(LAYOUTS)}")
    if split not in ("train", "test"):
        raise SystemExit(f"unknown split {split!r}: train or test")
    found = _parquet_files(path, split)
    if found:
        pixels, labels = (
            _cached(found, cache / f"{dataset}_{split}") if cache else _read_parquet(found)
        )
    elif dataset == "cifar10" and (batches := _cifar_batches(path, split)):
        pixels, labels = _read_cifar(batches)
    elif dataset == "tinyimagenet" and (root := _tiny_imagenet_root(path)):
        pixels, labels = _read_tiny_imagenet(root, split)
    else:
        raise SystemExit("not found: " + LAYOUTS[dataset].format(path=path))
    size, classes = IMAGE_SIZE[dataset], CLASSES[dataset]
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

    Raises
    ------
    SystemExit
        When there are fewer, or `count` is less than 1.
    """
    if count < 1:
        raise SystemExit(f"`--images {count}` is no number of images. Give 1 or more.")
    if count > total:
        raise SystemExit(f"{path} has {total:,} training images: `--images {count}` asks for more.")
    return np.random.default_rng(0).permutation(total)[:count]


def resized(pixels: Pixels, size: int) -> Pixels:
    """Images of `size` by `size` pixels, by Pillow's bicubic filter."""
    from PIL import Image

    shape, kind = (size, size), Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(image).resize(shape, kind)) for image in pixels])


# --- layouts ------------------------------------------------------------------------------------


def decode(images: Iterable[bytes]) -> Pixels:
    """Encoded images, such as JPEG files, as pixels."""
    from PIL import Image

    def one(image: bytes) -> Pixels:
        return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))

    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(one, images)))


def _parquet_files(path: Path, split: str) -> list[Path]:
    names = ("train",) if split == "train" else ("test", "valid", "validation")
    for folder in (path, path / "data", path / "plain_text"):
        for name in names:
            files = [*folder.glob(f"{name}.parquet"), *folder.glob(f"{name}-*.parquet")]
            if files:
                return sorted(files)
    return []


def encoded(path: Path, split: str) -> tuple[list[bytes], list[int]]:
    """The images of Parquet files as they are stored there, and their labels.

    Raises
    ------
    SystemExit
        When `path` has none, or other columns than are expected.
    """
    files = _parquet_files(path, split)
    if not files:
        raise SystemExit(f"{path} has no Parquet files of {split} images.")
    return _encoded(files)


def _read_parquet(files: list[Path]) -> tuple[Pixels, npt.NDArray[np.int64]]:
    images, labels = _encoded(files)
    return decode(images), np.array(labels, np.int64)


def _encoded(files: list[Path]) -> tuple[list[bytes], list[int]]:
    import pyarrow.parquet

    images: list[bytes] = []
    labels: list[int] = []
    for file in files:
        table = pyarrow.parquet.read_table(file)
        column = next((c for c in ("img", "image") if c in table.column_names), None)
        if column is None or "label" not in table.column_names:
            raise SystemExit(
                f"{file}: columns {table.column_names}, expected `img` or `image`, and `label`"
            )
        for chunk in table[column].chunks:
            images += chunk.field("bytes").to_pylist()
        labels += table["label"].to_pylist()
    return images, labels


def _cached(files: list[Path], name: Path) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """What `_read_parquet` gives, from files in the cache that belong to just these files."""
    facts = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
    kept = [name.with_name(f"{name.name}_{key}_{part}.npy") for part in ("pixels", "labels")]
    if not all(file.exists() for file in kept):
        name.parent.mkdir(parents=True, exist_ok=True)
        with new_files() as new:
            for file, array in zip(kept, _read_parquet(files), strict=True):
                np.save(new.add(file), array)
    # "c": pages that nobody writes to stay shared
    pixels, labels = (np.load(file, mmap_mode="c") for file in kept)
    return pixels, labels


def _cifar_batches(path: Path, split: str) -> list[bytes]:
    names = [f"data_batch_{i}" for i in range(1, 6)] if split == "train" else ["test_batch"]
    for folder in (path, path / "cifar-10-batches-py"):
        if all((folder / name).is_file() for name in names):
            return [(folder / name).read_bytes() for name in names]
    for archive in (path, path / "cifar-10-python.tar.gz"):
        if archive.is_file() and archive.name.endswith(".tar.gz"):
            with tarfile.open(archive) as tar:
                members = [tar.extractfile(f"cifar-10-batches-py/{name}") for name in names]
                return [member.read() for member in members if member]
    return []


class _ArraysOnly(pickle.Unpickler):
    """The batches are pickles; they hold NumPy arrays and nothing else is let in."""

    def find_class(self, module: str, name: str) -> Any:
        numpy = module.partition(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype")
        if numpy or (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        raise SystemExit(f"a CIFAR-10 batch asks for {module}.{name}: not the original archive")


def _read_cifar(batches: list[bytes]) -> tuple[Pixels, npt.NDArray[np.int64]]:
    pixels, labels = [], []
    for batch in batches:
        content = _ArraysOnly(io.BytesIO(batch), encoding="bytes").load()
        pixels.append(content[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        labels += content[b"labels"]
    return np.ascontiguousarray(np.concatenate(pixels)), np.array(labels, np.int64)


def _tiny_imagenet_root(path: Path) -> Any:
    """A pathlib.Path or zipfile.Path to the folder with wnids.txt, or None."""
    for folder in (path, path / "tiny-imagenet-200"):
        if (folder / "wnids.txt").is_file():
            return folder
    for archive in (path, path / "tiny-imagenet-200.zip"):
        if archive.is_file() and zipfile.is_zipfile(archive):
            return zipfile.Path(archive, "tiny-imagenet-200/")
    return None


def _read_tiny_imagenet(root: Any, split: str) -> tuple[Pixels, npt.NDArray[np.int64]]:
    classes = {w: i for i, w in enumerate((root / "wnids.txt").read_text().split())}
    files: list[tuple[Any, int]] = []
    if split == "train":
        for wnid, label in classes.items():
            images = sorted((root / "train" / wnid / "images").iterdir(), key=lambda p: p.name)
            files += [(image, label) for image in images]
    else:
        for line in (root / "val" / "val_annotations.txt").read_text().splitlines():
            name, wnid = line.split("\t")[:2]
            files.append((root / "val" / "images" / name, classes[wnid]))
    return decode(f.read_bytes() for f, _ in files), np.array([n for _, n in files], np.int64)


# --- batches ------------------------------------------------------------------------------------


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
