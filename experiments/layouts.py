# SPDX-License-Identifier: Apache-2.0
"""The layouts in which CIFAR-10 and TinyImageNet are published, and how they are read."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.files.atomic import new_files

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

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


def read(dataset: str, path: Path, split: str, cache: Path | None) -> tuple[Pixels, Labels]:
    """All images of a split, of shape (n, height, width, 3), and their labels.

    With a folder for a `cache`, images in Parquet files are decoded the first time only.

    Raises
    ------
    SystemExit
        With the layouts that are understood, when none is found under `path`.
    """
    if found := _parquet_files(path, split):
        return _cached(found, cache / f"{dataset}_{split}") if cache else _read_parquet(found)
    if dataset == "cifar10" and (batches := _cifar_batches(path, split)):
        return _read_cifar(batches)
    if dataset == "tinyimagenet" and (root := _tiny_imagenet_root(path)):
        return _read_tiny_imagenet(root, split)
    raise SystemExit("not found: " + LAYOUTS[dataset].format(path=path))


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


def _read_parquet(files: list[Path]) -> tuple[Pixels, Labels]:
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


def _cached(files: list[Path], name: Path) -> tuple[Pixels, Labels]:
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


def _read_cifar(batches: list[bytes]) -> tuple[Pixels, Labels]:
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


def _read_tiny_imagenet(root: Any, split: str) -> tuple[Pixels, Labels]:
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
