# SPDX-License-Identifier: Apache-2.0
"""The data sets' public layouts, made small."""

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

for package in ("torch", "pyarrow", "PIL"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import pyarrow as pa  # noqa: E402
import pyarrow.parquet  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from experiments import layouts  # noqa: E402
from experiments.data import augmented_batches, load, normalise  # noqa: E402


def pictures(count, size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size, 3), np.uint8)


def encode(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def write_parquet(file, pixels, labels, column="img"):
    file.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": encode(p), "path": None} for p in pixels]
    pyarrow.parquet.write_table(pa.table({column: images, "label": labels}), file)


@pytest.mark.parametrize(
    ("dataset", "size", "column", "names"),
    [
        ("cifar10", 32, "img", {"train": ["train.parquet"], "test": ["test.parquet"]}),
        (
            "cifar10",
            32,
            "img",
            {
                "train": ["plain_text/train-00000-of-00001.parquet"],
                "test": ["plain_text/test-00000-of-00001.parquet"],
            },
        ),
        (
            "tinyimagenet",
            64,
            "image",
            {
                "train": ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"],
                "test": ["data/valid-00000-of-00001.parquet"],
            },
        ),
    ],
)
def test_parquet(tmp_path, dataset, size, column, names):
    for split, files in names.items():
        pixels = pictures(6, size, seed=len(split))
        parts = zip(
            files, np.split(pixels, len(files)), np.split(np.arange(6), len(files)), strict=True
        )
        for name, part, labels in parts:
            write_parquet(tmp_path / name, part, labels, column)
        images = load(dataset, tmp_path, split)
        assert np.array_equal(images.pixels.numpy(), pixels)
        assert images.labels.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("archive", [False, True])
def test_cifar_batches(tmp_path, archive):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    pixels = pictures(12, 32)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for i, name in enumerate(names):
        data = pixels[2 * i : 2 * i + 2].transpose(0, 3, 1, 2).reshape(2, -1)
        content = {b"data": data, b"labels": [i, 9 - i], b"batch_label": b"x"}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    if archive:
        with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
            tar.add(folder, "cifar-10-batches-py")
        for name in names:
            (folder / name).unlink()
    train, test = load("cifar10", tmp_path, "train"), load("cifar10", tmp_path, "test")
    assert np.array_equal(train.pixels.numpy(), pixels[:10])
    assert train.labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert np.array_equal(test.pixels.numpy(), pixels[10:])


def test_a_batch_that_is_a_program_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(SystemExit, match="print: not the original archive"):
        load("cifar10", tmp_path, "train")


@pytest.mark.parametrize("archive", [False, True])
def test_tiny_imagenet(tmp_path, archive):
    root = tmp_path / "tiny-imagenet-200"
    wnids = ["n02", "n01", "n03"]  # labels follow this order, not the alphabet's
    pixels = pictures(9, 64)
    for i, wnid in enumerate(wnids):
        (root / "train" / wnid / "images").mkdir(parents=True)
        for j in range(2):
            file = root / "train" / wnid / "images" / f"{wnid}_{j}.JPEG"
            file.write_bytes(encode(pixels[2 * i + j]))  # PNG inside, so that the pixels are exact
    (root / "val" / "images").mkdir(parents=True)
    lines = []
    for i, wnid in enumerate(reversed(wnids)):
        (root / "val" / "images" / f"val_{i}.JPEG").write_bytes(encode(pixels[6 + i]))
        lines.append(f"val_{i}.JPEG\t{wnid}\t0\t0\t62\t62\n")
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    (root / "wnids.txt").write_text("\n".join(wnids) + "\n")
    if archive:
        with zipfile.ZipFile(tmp_path / "tiny-imagenet-200.zip", "w") as file:
            for path in sorted(root.rglob("*")):
                file.write(path, path.relative_to(tmp_path))
        root.rename(tmp_path / "elsewhere")
    train, test = load("tinyimagenet", tmp_path, "train"), load("tinyimagenet", tmp_path, "test")
    assert np.array_equal(train.pixels.numpy(), pixels[:6])
    assert train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(test.pixels.numpy(), pixels[6:])
    assert test.labels.tolist() == [2, 1, 0]


@pytest.mark.parametrize("dataset", ["cifar10", "tinyimagenet"])
def test_a_missing_set_shows_the_layouts(tmp_path, dataset):
    with pytest.raises(SystemExit, match=r"not found: .*\n") as error:
        load(dataset, tmp_path, "train")
    assert str(tmp_path) in str(error.value)
    assert ".parquet" in str(error.value)


def test_wrong_images_and_labels(tmp_path):
    write_parquet(tmp_path / "train.parquet", pictures(2, 16), [0, 1])
    with pytest.raises(SystemExit, match=r"images of \(16, 16, 3\), expected \(32, 32, 3\)"):
        load("cifar10", tmp_path, "train")
    write_parquet(tmp_path / "train.parquet", pictures(2, 32), [0, 10])
    with pytest.raises(SystemExit, match="labels from 0 to 10, expected 0 to 9"):
        load("cifar10", tmp_path, "train")


def test_augmentation_moves_and_mirrors_only(tmp_path):
    write_parquet(tmp_path / "train.parquet", pictures(8, 32), range(8))
    images = load("cifar10", tmp_path, "train")
    generator = torch.Generator().manual_seed(0)
    ((x, labels),) = augmented_batches(images, 8, generator)
    assert x.shape == (8, 3, 32, 32)
    assert sorted(labels.tolist()) == list(range(8))
    for image, label in zip(x, labels, strict=True):
        padded = torch.nn.functional.pad(images.pixels[label], (0, 0, 4, 4, 4, 4), value=128)
        moved = [
            torch.equal(normalise(view[None])[0], image)
            for source in (padded, padded.flip(1))
            for dy in range(9)
            for dx in range(9)
            for view in [source[dy : dy + 32, dx : dx + 32]]
        ]
        assert sum(moved) == 1


def test_processes_share_a_batch(tmp_path):
    write_parquet(tmp_path / "train.parquet", pictures(16, 32), np.arange(16) % 10)
    images = load("cifar10", tmp_path, "train")

    def epoch(part):
        return list(augmented_batches(images, 8, torch.Generator().manual_seed(5), "cpu", part))

    whole, even, odd = epoch(slice(None)), epoch(slice(0, None, 2)), epoch(slice(1, None, 2))
    assert len(whole) == len(even) == len(odd) == 2
    for (x, labels), (x0, labels0), (x1, labels1) in zip(whole, even, odd, strict=True):
        assert torch.equal(x[0::2], x0)
        assert torch.equal(x[1::2], x1)
        assert torch.equal(torch.stack((labels0, labels1), 1).reshape(-1), labels)


def test_images_are_decoded_once(tmp_path, monkeypatch):
    file, cache = tmp_path / "train.parquet", tmp_path / "cache"
    write_parquet(file, pictures(4, 32), range(4))
    first = load("cifar10", tmp_path, "train", cache)
    with monkeypatch.context() as patch:
        patch.setattr(layouts, "_read_parquet", lambda files: pytest.fail("decoded again"))
        again = load("cifar10", tmp_path, "train", cache)
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.labels, again.labels)
    again.pixels[:] = 0  # of this process alone
    assert torch.equal(load("cifar10", tmp_path, "train", cache).pixels, first.pixels)
    write_parquet(file, pictures(5, 32, seed=1), range(5))  # another file of that name
    assert len(load("cifar10", tmp_path, "train", cache).labels) == 5
