"""Train, prune and quantise examples/resnet8_cifar10_50.tflite, the bundled demo model.

    pip install '.[experiments]'
    python -m experiments.demo_model

Not a point of the paper's curve, but the most accurate ResNet8 at 50 % in an hour: the dense phase,
pruning and retraining share one learning rate, a cosine down to zero. Beside the model goes a .json
with the sparsities, the accuracies, the normalisation of the input and the versions of the
packages. An epoch takes 30 s on two idle cores with AVX-512 bf16; a run resumes.

The bundled model came from the first form of this script, which had the same recipe and multiplied
the weights themselves by their masks. Its last 18 epochs ran with one thread, resumed from a
checkpoint; other hardware and thread counts round differently. Expect about the same accuracy, not
the same bytes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import stridepack as sp
from experiments import data as datasets
from experiments.networks import RECIPES
from experiments.points import int8_outputs, quantised, to_int8
from experiments.train import DATA, RUNS, dense_rate, save_atomically, train
from stridepack.pruning import MagnitudePruner

NETWORK, DATASET = "resnet8", "cifar10"
COMPARED_IMAGES = 500  # of the test set, run by TensorFlow Lite for Microcontrollers as well
PACKAGES = (
    *("torch", "torchao", "litert-torch", "litert-converter", "ai-edge-quantizer"),
    *("ai-edge-litert", "tflite-micro", "jax", "numpy", "flatbuffers", "pyarrow", "pillow"),
)


def micro_outputs(tflite: bytes, pixels: Tensor) -> npt.NDArray[np.int8]:
    """int8 logits of shape (n, 10) by TensorFlow Lite for Microcontrollers."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(tflite)
    details = interpreter.get_input_details(0)["quantization_parameters"]
    outputs = []
    for image in quantised(pixels, details["scales"][0], details["zero_points"][0]):
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.stack(outputs)


def compare_with_micro(tflite: bytes, test: datasets.Images) -> dict[str, Any]:
    """How TensorFlow Lite for Microcontrollers does on the first test images, beside LiteRT."""
    few, labels = test.pixels[:COMPARED_IMAGES], test.labels[:COMPARED_IMAGES].numpy()
    micro, lite = micro_outputs(tflite, few), int8_outputs(tflite, few)
    return {
        "images": len(micro),
        "accuracy": round(float((micro.argmax(1) == labels).mean()), 4),
        "litert_accuracy": round(float((lite.argmax(1) == labels).mean()), 4),
        "largest_difference_lsb": int(np.abs(micro.astype(int) - lite).max()),
    }


def sparsities(file: Path) -> dict[str, float]:
    tensors = sp.read_tflite(file)
    return {tensor.name: round(tensor.sparsity, 4) for tensor in tensors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    add = parser.add_argument
    add("--data", type=Path, default=DATA / DATASET, metavar="DIR")
    add("--out", type=Path, default=Path("examples/resnet8_cifar10_50.tflite"), metavar="FILE")
    add("--sparsity", type=float, default=0.5, help="of each pruned tensor")
    add("--dense-epochs", type=int, default=24)
    add("--pruning-epochs", type=int, default=14)
    add("--retraining-epochs", type=int, default=14)
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    add("--checkpoint", type=Path, default=RUNS / "demo_model.pt", metavar="FILE")
    options = parser.parse_args()
    if options.retraining_epochs < 1:
        parser.error("--retraining-epochs must be at least 1")
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    torch.set_num_threads(options.threads)

    data = datasets.load(DATASET, options.data, "train")
    test = datasets.load(DATASET, options.data, "test")
    recipe = RECIPES[NETWORK]
    epochs = {
        "dense": options.dense_epochs,
        "pruning": options.pruning_epochs,
        "retraining": options.retraining_epochs,
    }
    torch.manual_seed(options.seed)
    model = recipe.build(datasets.CLASSES[DATASET])
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pruner = MagnitudePruner(
        model,
        options.sparsity,
        start=epochs["dense"],
        end=epochs["dense"] + epochs["pruning"],
        larger_than=recipe.larger_than,
    )
    n_epochs = sum(epochs.values())
    train(
        model,
        data,
        recipe,
        epochs=n_epochs,
        rate=dense_rate(recipe, n_epochs),
        seed=options.seed,
        checkpoint=options.checkpoint,
        identity={"seed": options.seed, "sparsity": options.sparsity, **epochs},
        pruner=pruner,
    )
    model.eval()
    tflite, score, float_score = to_int8(options.out.name, model, data, test)
    save_atomically(tflite, options.out)

    report = {
        "model": options.out.name,
        "bytes": len(tflite),
        "seed": options.seed,
        "epochs": epochs,
        "sparsity": sparsities(options.out),
        "input": datasets.INPUT,
        "accuracy": {
            "images": len(test.labels),
            "float": round(float_score, 4),
            "int8": round(score, 4),
        },
        "tflm": compare_with_micro(tflite, test),
        "packages": packages,
    }
    text = json.dumps(report, indent=2) + "\n"
    save_atomically(text.encode(), options.out.with_suffix(".json"))
    print(text, end="")


if __name__ == "__main__":
    main()
