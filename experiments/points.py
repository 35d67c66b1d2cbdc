"""Train every point of a network's curve and record it under experiments/results.

    python -m experiments.points resnet8 cifar10 --seed 1 --sparsity 0 0.3 0.5

For each sparsity: dense baseline, pruning, retraining (experiments/train.py; resumes), conversion
to int8, accuracy of the int8 .tflite on all test images. The .tflite goes to experiments/results,
and a record of it into NETWORK_DATASET.json beside it, which keeps the points that it has;
`--label full` makes that NETWORK_DATASET_full.json. Git ignores the .tflite files of MobileNetV2,
2.7 MB each; the record has their sizes in every format.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from experiments import data as datasets
from experiments.device import trainer_of
from experiments.measures import RESULTS, pruned_tensors, sizes
from experiments.networks import RECIPES
from experiments.train import Run, add_arguments, load, run_of, save_atomically
from stridepack.pruning import to_tflite

CALIBRATION_IMAGES = 500  # of the training set, for the ranges of the activations
LARGEST_COMMITTED = 1_000_000  # bytes; the record of a larger file has its sizes in every format
LARGEST_LOSS = 0.02  # of accuracy by quantisation; more means that the conversion went wrong
NOTES = {"cifar10": "shared/data/cifar10 is a JPEG-compressed copy of CIFAR-10 (60,000 images)"}


@torch.no_grad()
def float_accuracy(model: nn.Module, data: datasets.Images) -> float:
    """Fraction of the images that the float32 model classifies correctly."""
    batches = torch.split(data.pixels, 500)
    guesses = torch.cat([model(datasets.normalise(p)).argmax(1) for p in batches])
    return (guesses == data.labels).float().mean().item()


def quantised(pixels: Tensor, scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """Normalised images, NHWC, as a model's int8 input."""
    x = datasets.normalise(pixels).permute(0, 2, 3, 1).numpy()
    values: npt.NDArray[np.int8] = np.clip(np.rint(x / scale) + zero_point, -128, 127).astype(
        np.int8
    )
    return values


def int8_outputs(tflite: bytes, pixels: Tensor) -> npt.NDArray[np.int8]:
    """int8 logits of shape (n, classes) by LiteRT's reference kernels, those that TFLM shares."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=tflite, experimental_op_resolver_type=resolver)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.allocate_tensors()
    scale, zero_point = source["quantization"]
    outputs = []
    for image in pixels:  # one at a time: MobileViT's RESHAPEs hold for no other batch
        interpreter.set_tensor(source["index"], quantised(image[None], scale, zero_point))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"]).copy())
    return np.concatenate(outputs)


def to_int8(
    name: str, model: nn.Module, train: datasets.Images, test: datasets.Images
) -> tuple[bytes, float, float]:
    """The int8 .tflite of a trained model; its accuracy, and that of the float model.

    Raises
    ------
    RuntimeError
        When the conversion cost more accuracy than quantisation does.
    """
    calibration = [datasets.normalise(image[None]) for image in train.pixels[:CALIBRATION_IMAGES]]
    tflite = to_tflite(model, calibration)
    float_score = float_accuracy(model, test)
    guesses = int8_outputs(tflite, test.pixels).argmax(1)
    score = float((guesses == test.labels.numpy()).mean())
    if score < float_score - LARGEST_LOSS:
        raise RuntimeError(f"{name}: {float_score:.4f} in float, {score:.4f} in int8")
    return tflite, score, float_score


def epochs(run: Run) -> dict[str, int]:
    return {
        "dense": run.dense_epochs,
        "pruning": run.pruning_epochs,
        "retraining": run.retraining_epochs,
    }


def point(
    run: Run, model: nn.Module, train: datasets.Images, test: datasets.Images
) -> dict[str, Any]:
    """Convert and evaluate one trained model; write its .tflite; return its record."""
    tflite, score, float_score = to_int8(run.name, model, train, test)
    file = RESULTS / f"{run.name}.tflite"
    save_atomically(tflite, file)
    entry = {
        "sparsity": run.sparsity,
        "seed": run.seed,
        "accuracy": round(score, 4),
        "float_accuracy": round(float_score, 4),
        "tflite": file.name,
        "bytes": len(tflite),
        "input": datasets.INPUT,
        "epochs": epochs(run),
    }
    if len(tflite) > LARGEST_COMMITTED:
        entry["payload_nbytes"] = sizes(pruned_tensors(entry, run.network))
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


def record(run: Run, entry: dict[str, Any]) -> None:
    """Put the point into the curve's JSON, in place of an earlier one of the same run."""
    points = [p for p in recorded(run) if not is_of(p, run)] + [entry]
    points.sort(key=lambda p: (p["seed"], p["sparsity"]))
    recipe = dataclasses.asdict(RECIPES[run.network])
    del recipe["build"]
    content = {
        "network": run.network,
        "dataset": run.dataset,
        "data": NOTES.get(run.dataset, ""),
        "paper_recipe": recipe,
        "points": points,
    }
    save_atomically((json.dumps(content, indent=2) + "\n").encode(), RESULTS / f"{run.curve}.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    add_arguments(parser)
    parser.add_argument(
        "--sparsity",
        type=float,
        nargs="+",
        default=[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9],
        metavar="FRACTION",
    )
    options = parser.parse_args()
    trainer = trainer_of(options)
    runs = [run_of(options, sparsity) for sparsity in options.sparsity]
    for run in runs:
        recorded(run)  # refuses what could not be recorded in the end
    train, test = load(options, "train", trainer), load(options, "test", trainer)
    for run in runs:
        model = run.train(train, trainer)
        if not trainer.is_first:
            continue
        entry = point(run, model, train, test)
        record(run, entry)
        print(f"{run.name}: {entry['accuracy']:.4f} as int8, {entry['bytes']} bytes", flush=True)


if __name__ == "__main__":
    main()
