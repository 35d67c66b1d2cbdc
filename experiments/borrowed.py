# SPDX-License-Identifier: Apache-2.0
"""Train on a machine that is borrowed for minutes, to which little can be carried.

    python -m experiments.borrowed pack tinyimagenet OUT         # here: the images, in small files
    python -m experiments.borrowed train IMAGES OUT --minutes 9  # there; also more than once
    python -m experiments.borrowed take OUT                      # here: convert, evaluate, record

`train` works through experiments/borrowed.txt with the training loop of experiments.loop. It stops
after the last epoch that ends in time, with exit status 3. The same command goes on as long as the
machine keeps build/experiments. Each training that has ended is brought back in OUT by one call, as
experiments/small.py packs it. A dense baseline is one of them: `--from DIR` starts from it on the
next machine. Every record says where images are fewer or smaller than those of the data set.
"""

from __future__ import annotations

import argparse
import io
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from experiments import data as datasets
from experiments import device, layouts, small, train
from experiments.arguments import count, positive
from experiments.device import MORE_TO_DO, Limit, TimeIsUp
from experiments.train import Run, load, run_of

PLAN = Path("experiments/borrowed.txt")
MEGABYTE = 1_000_000
QUALITY = 75  # of JPEG, for images that are made smaller; the originals have about that


# --- pack -----------------------------------------------------------------------------------------


def pack(options: argparse.Namespace) -> None:
    """Write training images, in random order, as Parquet files of at most so many megabytes.

    Raises
    ------
    SystemExit
        When the folder has such files of an earlier call.
    """
    import pyarrow as pa
    import pyarrow.parquet

    if earlier := sorted(options.out.glob("train*.parquet")):
        raise SystemExit(
            f"{options.out} has {earlier[0].name} already, and `train` would take it for a part "
            "of these images. Name another folder, or delete the file."
        )
    source = options.data or train.DATA / options.dataset
    images, labels = layouts.encoded(source, "train")
    chosen = datasets.some_of(len(labels), options.images or len(labels), str(source))
    column = [
        {"bytes": smaller(images[i], options.resolution) if options.resolution else images[i]}
        for i in chosen
    ]
    table = pa.table({"image": column, "label": [labels[i] for i in chosen]})

    def content(rows: pa.Table) -> bytes:
        file = io.BytesIO()
        # Every JPEG file begins with the same tables, which zstd stores once.
        pyarrow.parquet.write_table(
            rows, file, compression="zstd", compression_level=6, use_dictionary=False
        )
        return file.getvalue()

    largest = max(1, int(0.98 * options.megabytes * MEGABYTE))  # parts are not quite equally large
    parts = -(-len(content(table)) // largest)
    rows = -(-len(chosen) // parts)
    options.out.mkdir(parents=True, exist_ok=True)
    for part in range(parts):
        file = options.out / f"train-{part:05d}-of-{parts:05d}.parquet"
        file.write_bytes(content(table.slice(part * rows, rows)))
        print(f"wrote {file}: {file.stat().st_size:,} bytes", flush=True)


def smaller(image: bytes, size: int) -> bytes:
    """An encoded image with another number of pixels."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(datasets.resized(layouts.decode([image]), size)[0]).save(
        file, "JPEG", quality=QUALITY
    )
    return file.getvalue()


# --- train ----------------------------------------------------------------------------------------


class WayBack:
    """The folder whose files come back, with its limits. Nothing goes there twice."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.folder: Path = options.out
        self.folder.mkdir(parents=True, exist_ok=True)
        self.part = max(1, int(options.part_megabytes * MEGABYTE))
        self.bytes_left, self.files_left = options.megabytes * MEGABYTE, options.files
        self.sent = Path(train.RUNS) / "brought_back.txt"
        self.sent.parent.mkdir(parents=True, exist_ok=True)
        self.sent.touch()

    def add(self, name: str, kind: str, run: Run, model: nn.Module) -> None:
        """Pack a network, unless an earlier call did, or the folder would be too large."""
        if name in self.sent.read_text().split():
            return
        content = small.packed(model, {"kind": kind, "run": run.facts()})
        parts = -(-len(content) // self.part)
        if len(content) > self.bytes_left or parts > self.files_left:
            print(f"{name}: {len(content):,} bytes wait for the next call", flush=True)
            return
        small.write_parts(content, self.folder, name, self.part)
        self.bytes_left -= len(content)
        self.files_left -= parts
        with self.sent.open("a") as file:
            print(name, file=file)
        print(f"{name}: {len(content):,} bytes to bring back", flush=True)


def training_options(line: str, options: argparse.Namespace) -> argparse.Namespace:
    """A line of the plan, on the images and the device that are there."""
    device_options = [
        word
        for name in ("accelerator", "devices", "precision", "threads", "resolution", "cache")
        if (value := getattr(options, name)) is not None
        for word in (f"--{name}", str(value))
    ]
    arguments = [*shlex.split(line), "--data", str(options.images), *device_options]
    return train.options_of(arguments)


def plan_of(file: Path) -> list[str]:
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise SystemExit(f"`--plan {file}` cannot be read: {error.strerror}.") from error
    return [line for line in lines if line.strip() and not line.startswith("#")]


def train_all(options: argparse.Namespace) -> int:
    """Train what the plan says for as long as there is time; the exit status."""
    limit, back = Limit(options.minutes), WayBack(options)
    if options.start:
        restore_baselines(options.start)
    plan = [training_options(line, options) for line in plan_of(options.plan)]
    for one in plan:
        run_of(one, one.sparsity[0], one.seed)  # refuses it before time is spent on the others
    for one in plan:
        trainer = device.trainer_of(one)
        trainer.limit = limit
        if trainer.is_first:
            print(f"{one.network}: trains on {trainer.said}", flush=True)
        data = load(one, "train", trainer)
        one.images = len(data.labels)  # of which run_of knows whether they are all
        try:
            for sparsity in one.sparsity:
                run = run_of(one, sparsity, one.seed)
                dense = run.train_dense(data, trainer).cpu()
                if trainer.is_first:
                    back.add(f"{run.curve}_dense_seed{run.seed}", "dense", run, dense)
                model = run.train(data, trainer)
                if trainer.is_first:
                    back.add(run.name, "trained", run, model)
        except TimeIsUp:
            return MORE_TO_DO
    return 0


# --- take -----------------------------------------------------------------------------------------


def restore_baselines(folder: Path) -> None:
    """Write the checkpoints of dense baselines that were brought back, where there are none."""
    for name, about, state in small.read(folder):
        run = Run(**about["run"])
        if about["kind"] == "dense" and not Path(run.checkpoint("dense")).exists():
            run.save_dense(state)
            print(f"{name}: wrote {run.checkpoint('dense')}", flush=True)


def take(options: argparse.Namespace) -> None:
    """Restore baselines; convert, evaluate and record what was trained."""
    from experiments import points

    restore_baselines(options.out)
    for _, about, state in small.read(options.out):
        run = Run(**about["run"])
        if about["kind"] == "dense" or any(points.is_of(p, run) for p in points.recorded(run)):
            continue
        model = run.model()
        model.load_state_dict(state)
        folder = options.data or train.DATA / run.dataset
        cache = options.cache or datasets.cache_folder()
        sets = [
            datasets.load(run.dataset, folder, split, cache, resolution=run.resolution)
            for split in ("train", "test")
        ]
        entry = points.point(run, model.eval(), sets[0], sets[1], str(points.RESULTS))
        points.record(run, entry)
        print(f"{run.name}: {entry['accuracy']:.4f} as int8, {entry['bytes']:,} bytes", flush=True)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("pack", help="here: the training images, in small files")
    one.add_argument("dataset", choices=datasets.DATASETS)
    one.add_argument("out", type=Path)
    one.add_argument("--data", type=Path, metavar="DIR", help="Parquet files")
    one.add_argument("--images", type=count, metavar="N", help="so many; default: all")
    one.add_argument("--resolution", type=count, metavar="PIXELS", help="default: as they are")
    one.add_argument("--megabytes", type=positive, default=50, help="of a file; default 50")
    one = commands.add_parser("train", help="there")
    one.add_argument("images", type=Path, help="the folder with what `pack` wrote")
    one.add_argument("out", type=Path, help="the folder that is brought back")
    one.add_argument("--plan", type=Path, default=PLAN)
    one.add_argument("--from", type=Path, metavar="DIR", dest="start", help="with baselines")
    one.add_argument("--resolution", type=count, help="what `pack` was given")
    one.add_argument("--cache", type=Path)
    one.add_argument("--megabytes", type=positive, default=60, help="to bring back in one call")
    one.add_argument("--part-megabytes", type=positive, default=15, help="of a file")
    one.add_argument("--files", type=count, default=8, help="to bring back in one call")
    device.add_arguments(one)
    one = commands.add_parser("take", help="here: convert, evaluate and record")
    one.add_argument("out", type=Path)
    one.add_argument("--data", type=Path, metavar="DIR")
    one.add_argument("--cache", type=Path, metavar="DIR")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = options_of(arguments)
    if options.command == "train":
        return train_all(options)
    {"pack": pack, "take": take}[options.command](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
