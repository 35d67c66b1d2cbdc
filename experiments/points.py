# SPDX-License-Identifier: Apache-2.0
"""Train every point of a network's curve and record it under experiments/results.

    python -m experiments.points resnet8 cifar10 --seed 1 2 --sparsity 0 0.3 0.5

For each seed and sparsity: dense baseline, pruning, retraining (experiments/train.py; resumes),
conversion to int8, accuracy of the int8 .tflite on all test images. The .tflite goes to
experiments/results, and a record of it into NETWORK_DATASET.json beside it, which keeps the points
that it has; `--label full` makes that NETWORK_DATASET_full.json. With `--resolution 32` and
`--images 20000`, images are smaller and fewer, and the curve is NETWORK_DATASET_32px_20000images.

It is a sweep (stridepack/sweep): what is done is a line of build/experiments/NETWORK_DATASET.jsonl
and is not done again. `--workers 4` trains in four processes and `--cluster ADDRESS` on a Dask
cluster, in two rounds: the dense baselines, and what starts from them. The workers of a cluster
share a folder, or `--runs` and `--models` name an object store.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from experiments import data as datasets
from experiments import train as training
from experiments.device import TimeIsUp, Trainer, trainer_of
from experiments.int8 import to_int8
from experiments.measures import RESULTS, pruned_tensors_of, sizes
from experiments.networks import RECIPES
from experiments.train import Run, add_arguments, load, run_of
from stridepack.errors import StridepackError
from stridepack.sweep import Here, cluster, local_processes, remote
from stridepack.sweep import run as run_sweep
from stridepack.sweep.engines import Done
from stridepack.sweep.points import Point

LARGEST_PLAIN = 1_000_000  # bytes; a larger file is compressed, and its record has all sizes


def epochs(run: Run) -> dict[str, int]:
    return {
        "dense": run.dense_epochs,
        "pruning": run.pruning_epochs,
        "retraining": run.retraining_epochs,
    }


def point(
    run: Run, model: nn.Module, train: datasets.Images, test: datasets.Images, models: str
) -> dict[str, Any]:
    """Convert and evaluate a trained model; write its .tflite into a folder; return its record."""
    tflite, score, float_score = to_int8(run.name, model, train, test)
    file = f"{run.name}.tflite"
    content = tflite
    if len(tflite) > LARGEST_PLAIN:
        file += ".xz"
        content = lzma.compress(tflite, preset=9 | lzma.PRESET_EXTREME)
    remote.write(remote.joined(models, file), content)
    entry = {
        "sparsity": run.sparsity,
        "seed": run.seed,
        "accuracy": round(score, 4),
        "float_accuracy": round(float_score, 4),
        "tflite": file,
        "bytes": len(tflite),
        "input": datasets.INPUT,
        "epochs": epochs(run),
    }
    if run.resolution:
        entry["resolution"] = run.resolution
    count = run.images or len(train.labels)
    if count != datasets.DATASETS[run.dataset].training_images:
        entry["training_images"] = count
    if len(tflite) > LARGEST_PLAIN:
        entry["payload_nbytes"] = sizes(pruned_tensors_of(tflite, file, run.network))
    return entry


def is_of(point: dict[str, Any], run: Run) -> bool:
    return (point["sparsity"], point["seed"]) == (run.sparsity, run.seed)


def recorded(run: Run) -> list[dict[str, Any]]:
    """The points of the run's curve.

    Raises
    ------
    SystemExit
        When this one is among them and was trained for other epochs: it would be overwritten.
    """
    file = RESULTS / f"{run.curve}.json"
    points: list[dict[str, Any]] = json.loads(file.read_text())["points"] if file.exists() else []
    for point in points:
        if is_of(point, run) and point["epochs"] != epochs(run):
            raise SystemExit(
                f"{file} has sparsity {run.sparsity}, seed {run.seed} with the epochs "
                f"{point['epochs']}, this run has {epochs(run)}: give the same, or a --label"
            )
    return points


def note_of(run: Run) -> str:
    """What the data of a curve are."""
    note = datasets.DATASETS[run.dataset].note
    if run.images:
        note += f"; here, {run.images:,} of the training images are used"
    if run.resolution:
        note += f"; here, all images are resized to {run.resolution}x{run.resolution}"
    return note


def record(run: Run, entry: dict[str, Any]) -> None:
    """Put the point into the curve's JSON, in place of an earlier one of the same run."""
    points = [p for p in recorded(run) if not is_of(p, run)] + [entry]
    points.sort(key=lambda p: (p["seed"], p["sparsity"]))
    recipe = dataclasses.asdict(RECIPES[run.network])
    del recipe["build"]
    content = {
        "network": run.network,
        "dataset": run.dataset,
        "data": note_of(run),
        "paper_recipe": recipe,
        "points": points,
    }
    text = json.dumps(content, indent=2) + "\n"
    remote.write(str(RESULTS / f"{run.curve}.json"), text.encode())


class Job:
    """The work of a point, here or on a worker. The point says what is trained, the rest is how.

    A point without a sparsity is a dense baseline.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.runs = options.runs or str(Path(training.RUNS).absolute())
        self.models = options.models or str(RESULTS.absolute())
        self.trainer: Trainer | None = None  # of this process; a worker makes its own

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "trainer": None}

    def __call__(self, point: Point) -> dict[str, Any]:
        """The record of a point, or of a baseline its checkpoint."""
        trainer = self.trainer or trainer_of(self.options)
        if self.trainer:
            self.trainer.fabric.broadcast(dict(point))  # other processes follow
        try:
            return self.done(point, trainer)
        except TimeIsUp as error:
            raise StridepackError(error.state) from None
        except SystemExit as error:
            raise StridepackError(str(error)) from None

    def follow(self, trainer: Trainer) -> None:
        """Take part in all that the first process does."""
        while point := trainer.fabric.broadcast(None):
            with contextlib.suppress(SystemExit):
                self.done(point, trainer)

    def done(self, point_: Point, trainer: Trainer) -> dict[str, Any]:
        """Train it, and in the first process convert and evaluate it."""
        training.RUNS = self.runs
        run = Run(**{"sparsity": 0.0, **point_})
        train = load(self.options, "train", trainer)
        if "sparsity" not in point_:
            run.train_dense(train, trainer)
            return {"checkpoint": run.checkpoint("dense")}
        model = run.train(train, trainer)
        if not trainer.is_first:
            return {}
        return point(run, model, train, load(self.options, "test", trainer), self.models)


def record_all(runs: Sequence[Run], done: Sequence[dict[str, Any]]) -> None:
    """Put the results of a sweep into the curve's JSON where it does not have them."""
    results = {(line["point"]["sparsity"], line["point"]["seed"]): line for line in done}
    for run in runs:
        line = results[run.sparsity, run.seed]
        if "result" in line and not any(is_of(p, run) for p in recorded(run)):
            record(run, line["result"])


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    add_arguments(parser, several_seeds=True)
    parser.add_argument(
        "--sparsity",
        type=float,
        nargs="+",
        default=[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9],
        metavar="FRACTION",
    )
    group = parser.add_argument_group("sweep")
    group.add_argument("--workers", type=int, help="processes here; default: this one alone")
    group.add_argument("--cluster", metavar="ADDRESS", help="of the scheduler of a Dask cluster")
    group.add_argument("--runs", metavar="DIR", help="for checkpoints: a folder or an address")
    group.add_argument("--models", metavar="DIR", help="for .tflite files: a folder or an address")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = options_of(arguments)
    runs = [
        run_of(options, sparsity, seed) for seed in options.seed for sparsity in options.sparsity
    ]
    for run in runs:
        recorded(run)  # refuses what could not be recorded in the end
    points = [run.facts() for run in runs]
    baselines = [{k: v for k, v in point.items() if k != "sparsity"} for point in points]
    job = Job(options)
    if not remote.is_remote(job.runs):
        remote.path_of(job.runs).mkdir(parents=True, exist_ok=True)
    log = remote.joined(job.runs, f"{runs[0].curve}.jsonl")
    with contextlib.ExitStack() as stack:
        if options.cluster or options.workers:
            options.devices = "1" if options.devices == "auto" else options.devices
            options.data = (options.data or training.DATA / options.dataset).absolute()
            place = (
                cluster(options.cluster) if options.cluster else local_processes(options.workers)
            )
            engine = stack.enter_context(place)
            print(f"dashboard: {engine.dashboard}", flush=True)
        else:
            engine = Here()
            job.trainer = trainer_of(options)
            if not job.trainer.is_first:
                job.follow(job.trainer)
                return
            stack.callback(job.trainer.fabric.broadcast, None)
        dense = run_sweep(job, baselines, log, engine, on_done=say, retries=0)
        pruned = run_sweep(job, points, log, engine, on_done=say, retries=0)
    record_all(runs, pruned.records)
    if dense.failed or pruned.failed:
        raise SystemExit(1)


def say(done: Done) -> None:
    """Print what became of a point, and record it."""
    run = Run(**{"sparsity": 0.0, **done.point})
    if done.result is None:
        print(f"{run.name}: {done.error}", flush=True)
    elif "sparsity" in done.point:
        record(run, done.result)
        accuracy, size = done.result["accuracy"], done.result["bytes"]
        print(f"{run.name}: {accuracy:.4f} as int8, {size} bytes", flush=True)


if __name__ == "__main__":
    from experiments import points  # noqa: PLW0406 (workers import the job by that name)

    points.main()
