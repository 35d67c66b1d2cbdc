# SPDX-License-Identifier: Apache-2.0
"""Compute accuracies again, from the committed .tflite files, and compare them with the records.

    python -m experiments.recheck                                      # all that are here: hours
    python -m experiments.recheck mobilevit_xxs_tinyimagenet --images 500

The record says how pixels become the input, and at which resolution; the file has the scale of its
int8 input. On all test images, the accuracy must be the recorded one. On the first N of them, it
may differ by four standard errors. Exit status 1 where it does not agree.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import data as datasets
from experiments import measures, train
from experiments.arguments import count
from experiments.int8 import int8_outputs


def accuracy(point: dict[str, Any], images: datasets.Images) -> float:
    """The fraction of the images that the .tflite of a point classifies correctly.

    Raises
    ------
    SystemExit
        When its input is made in another way than this code makes it.
    """
    if point["input"] != datasets.INPUT:
        raise SystemExit(
            f"{point['tflite']}: the record has the input {point['input']}, this code makes "
            f"{datasets.INPUT}."
        )
    guesses = int8_outputs(measures.model_of(point), images.pixels).argmax(1)
    return float((guesses == images.labels.numpy()).mean())


def agrees(point: dict[str, Any], score: float, count: int, total: int) -> bool:
    """Whether the accuracy on `count` of `total` test images is that of the record."""
    if count == total:
        return round(score, 4) == point["accuracy"]
    p = point["accuracy"]
    return abs(score - p) <= 4 * math.sqrt(p * (1 - p) / count)


def check(point: dict[str, Any], images: datasets.Images, first: int | None) -> bool:
    """Print the accuracy of a point beside its record; False where it does not agree."""
    total = len(images.labels)
    tested = min(first or total, total)
    score = accuracy(point, datasets.Images(images.pixels[:tested], images.labels[:tested]))
    same = agrees(point, score, tested, total)
    print(
        f"{point['tflite']}: {score:.4f} on {tested:,} images, recorded {point['accuracy']:.4f}: "
        f"{'agrees' if same else 'DIFFERS'}",
        flush=True,
    )
    return same


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    known = measures.curves()
    parser.add_argument("curve", nargs="*", help=f"default: all of {', '.join(known)}")
    parser.add_argument("--sparsity", type=float, nargs="+", help="default: all")
    parser.add_argument("--images", type=count, metavar="N", help="the first N; default: all")
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"default {train.DATA}/DATASET")
    parser.add_argument("--cache", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    if unknown := set(options.curve) - set(known):
        parser.error(f"there is no curve {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = [
        (curve, point)
        for curve in options.curve or known
        for point in measures.points(curve)
        if not options.sparsity or point["sparsity"] in options.sparsity
    ]
    if not chosen:
        parser.error("no point of these curves has this sparsity")

    @functools.lru_cache(maxsize=1)  # points of a curve share them
    def test_images(dataset: str, resolution: int | None) -> datasets.Images:
        folder = options.data or train.DATA / dataset
        cache = options.cache or datasets.cache_folder()
        return datasets.load(dataset, folder, "test", cache, resolution=resolution)

    agreed = []
    for curve, point in chosen:
        if (measures.RESULTS / point["tflite"]).exists():
            images = test_images(measures.dataset_of(curve), point.get("resolution"))
            agreed.append(check(point, images, options.images))
        else:
            print(f"{point['tflite']}: not committed, {point['bytes']:,} bytes", flush=True)
    return int(not all(agreed))


if __name__ == "__main__":
    sys.exit(main())
