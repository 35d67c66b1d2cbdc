"""Train, prune and quantise examples/resnet8_cifar10_50.tflite, the bundled demo model.

MLPerf Tiny's ResNet8 is trained on CIFAR-10 from random weights, pruned by magnitude while it
trains (the convolutions with more than 2048 weights, each to the same sparsity), trained on with
the pruned weights held at zero, and converted to a full-integer int8 model, which is then checked
and run by LiteRT and by TensorFlow Lite for Microcontrollers. Beside the model goes a .json with
the sparsities, the accuracies, the normalisation of the input and the versions of the packages.

Run it in the root of the repository, on Python 3.11:

    pip install -r experiments/demo_model_requirements.txt
    python experiments/demo_model.py --checkpoint demo_model.pt

The main packages are torch 2.13.0, litert-torch 0.10.0, ai-edge-quantizer 0.10.0, ai-edge-litert
2.3.0 and tflite-micro 0.dev20261023182759. An epoch takes 30 s on two idle cores with AVX-512 bf16,
which makes 26 minutes for all 52 (an hour for the bundled model, on a machine shared with other
work); conversion and evaluation take less than one.

Accuracy on the 10,000 test images: 0.8345 in float, 0.8355 in int8. Training and test images are
the JPEG re-compressed copy of CIFAR-10 described in shared/data/README.md, on which MLPerf's own
pretrained ResNet8 reaches 0.754 (0.86 on the originals). The last 18 epochs of the bundled model
ran with --threads 1, resumed from the checkpoint; other hardware and thread counts round
differently, so expect about the same accuracy, not the same bytes.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import io
import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

BATCH = 128
CROP_MARGIN = 4  # pixels an image may move by when it is augmented
PRUNE_ABOVE = 2048  # elements; smaller tensors are left dense
CALIBRATION_IMAGES = 500  # of the training set, for the ranges of the activations
COMPARED_IMAGES = 500  # of the test set, run by TFLM as well
REQUIREMENTS = Path(__file__).with_name("demo_model_requirements.txt")
LARGEST_LOSS = 0.02  # of accuracy by quantisation; more means that the conversion went wrong

# Normalisation x -> (x * SCALE - MEAN) / STD. With these values the pixels 0..255 span exactly
# 255 steps of 1/64 around zero, so that the int8 input of the converted model is pixel - 128.
SCALE, MEAN, STD = 1 / 128, 1.0, 0.5


# --- data ---------------------------------------------------------------------------------------


@dataclasses.dataclass
class Images:
    """Pixels as uint8 of shape (n, 32, 32, 3) and labels as int64 of shape (n,)."""

    pixels: Tensor
    labels: Tensor


def load_images(file: Path) -> Images:
    """Decode one parquet file of CIFAR-10 into memory (about 7 s for 50,000 images)."""
    import pyarrow.parquet
    from PIL import Image

    if not file.is_file():
        raise SystemExit(
            f"{file} not found. --data must name a folder with train.parquet and test.parquet,\n"
            "the layout of CIFAR-10 on the Hugging Face hub: a column `img`, a struct with the\n"
            "encoded 32x32 RGB image in its field `bytes`, and a column `label`, 0 to 9."
        )
    table = pyarrow.parquet.read_table(file)
    if not {"img", "label"} <= set(table.column_names):
        raise SystemExit(f"{file}: has columns {table.column_names}, expected `img` and `label`")
    encoded = table["img"].combine_chunks().field("bytes").to_pylist()
    pixels = [np.asarray(Image.open(io.BytesIO(b)).convert("RGB")) for b in encoded]
    labels = table["label"].to_numpy().astype(np.int64)
    return Images(torch.from_numpy(np.stack(pixels)), torch.from_numpy(labels))


def normalise(pixels: Tensor) -> Tensor:
    """uint8 NHWC -> float32 NCHW, a view in channels_last order."""
    return ((pixels.float() * SCALE - MEAN) / STD).permute(0, 3, 1, 2)


def augmented_batches(data: Images, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch in random order, every image mirrored and shifted at random."""
    count, size = data.pixels.shape[:2]
    m = CROP_MARGIN
    padded = F.pad(data.pixels, (0, 0, m, m, m, m), value=128)
    span = torch.arange(size)
    used = count // BATCH * BATCH  # batch statistics over a few left-over images would be poor
    for index in torch.randperm(count, generator=generator)[:used].view(-1, BATCH):
        shift = torch.randint(0, 2 * m + 1, (2, BATCH, 1), generator=generator)
        mirror = torch.rand((BATCH, 1), generator=generator) < 0.5
        rows = shift[0] + span
        columns = shift[1] + torch.where(mirror, span.flip(0), span)
        pixels = padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]
        yield normalise(pixels), data.labels[index]


# --- model --------------------------------------------------------------------------------------


class Stack(nn.Module):
    """Two 3x3 convolutions beside a shortcut; a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity() if stride == 1 else nn.Conv2d(inputs, filters, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet8(nn.Module):
    """ResNet8 of MLPerf Tiny, 77,946 parameters, ending in logits instead of a softmax.

    It pads the strided convolutions by one pixel on all sides, where TensorFlow's SAME pads only
    below and on the right: litert-torch turns that into one NHWC PAD, but one-sided padding into
    a PAD between two TRANSPOSEs. Likewise avg_pool2d stays clean and mean() does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.stacks = nn.Sequential(Stack(16, 16, 1), Stack(16, 32, 2), Stack(32, 64, 2))
        self.classify = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stacks(F.relu(self.norm(self.conv(x))))
        logits: Tensor = self.classify(F.avg_pool2d(x, 8).flatten(1))
        return logits


def prunable(model: nn.Module) -> dict[str, Tensor]:
    """The weights of all convolutions with more than PRUNE_ABOVE elements, by module name."""
    return {
        name: module.weight
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d) and module.weight.numel() > PRUNE_ABOVE
    }


# --- training and pruning -----------------------------------------------------------------------


def magnitude_mask(weight: Tensor, sparsity: float) -> Tensor:
    """1 where a weight stays and 0 for the round(sparsity * n) smallest magnitudes."""
    magnitude = weight.detach().abs().reshape(-1)
    mask = torch.ones_like(magnitude)
    mask[magnitude.argsort()[: round(sparsity * len(mask))]] = 0
    return mask.reshape(weight.shape)


@dataclasses.dataclass
class Schedule:
    """Learning rate and sparsity as functions of the time in epochs (Zhu and Gupta 2017)."""

    dense: int
    pruning: int
    retraining: int
    sparsity: float
    peak_rate: float = 0.2
    warm_up: float = 2.0  # epochs

    @property
    def epochs(self) -> int:
        return self.dense + self.pruning + self.retraining

    def rate(self, epoch: float) -> float:
        """Linear warm-up, then half a cosine down to zero at the end of retraining."""
        warm_up = min(self.warm_up, self.epochs / 4)
        if epoch < warm_up:
            return self.peak_rate * (epoch / warm_up)
        done = (epoch - warm_up) / (self.epochs - warm_up)
        return self.peak_rate * (1 + math.cos(math.pi * done)) / 2

    def target(self, epoch: float) -> float:
        """Cubic rise of the sparsity during the pruning epochs: fast first, gentle at the end."""
        if epoch < self.dense:
            return 0.0
        done = min(1.0, (epoch - self.dense) / self.pruning) if self.pruning else 1.0
        return self.sparsity * (1 - (1 - done) ** 3)


def save_atomically(data: bytes, file: Path) -> None:
    """A reader sees the old file or the whole new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(file)


def train(data: Images, schedule: Schedule, seed: int, checkpoint: Path | None) -> ResNet8:
    """Train, prune and retrain; go on from `checkpoint`, written after each epoch, if it exists.

    Each epoch draws from a generator of its own, so a resumed run sees the same images.
    """
    torch.manual_seed(seed)
    model = ResNet8()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(model.parameters(), 0.0, 0.9, weight_decay=2e-4, nesterov=True)
    weights = prunable(model)
    masks = {name: torch.ones_like(weight) for name, weight in weights.items()}
    recipe = {**dataclasses.asdict(schedule), "seed": seed}
    start = 0
    if checkpoint and checkpoint.exists():
        saved = torch.load(checkpoint)
        if saved["recipe"] != recipe:
            raise SystemExit(
                f"{checkpoint} belongs to the run {saved['recipe']}, this one is {recipe}: "
                "give the same options or another --checkpoint"
            )
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        masks, start = saved["masks"], saved["epoch"]

    model.train()
    steps = len(data.labels) // BATCH
    for epoch in range(start, schedule.epochs):
        began, total_loss = time.monotonic(), 0.0
        generator = torch.Generator().manual_seed(seed * 1000 + epoch)
        for step, (x, labels) in enumerate(augmented_batches(data, generator)):
            now = epoch + step / steps
            # The last update is the first step of retraining, where the sparsity is reached.
            if step % 50 == 0 and 0 <= now - schedule.dense <= schedule.pruning:
                masks = {n: magnitude_mask(w, schedule.target(now)) for n, w in weights.items()}
            optimizer.param_groups[0]["lr"] = schedule.rate(now)
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            with torch.no_grad():
                for name, weight in weights.items():
                    weight.mul_(masks[name])
            total_loss += loss.item()
        print(
            f"epoch {epoch + 1}/{schedule.epochs}: loss {total_loss / steps:.4f}, "
            f"sparsity {schedule.target(now):.3f}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        if checkpoint:
            buffer = io.BytesIO()
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "masks": masks, "epoch": epoch + 1, "recipe": recipe}, buffer)
            save_atomically(buffer.getvalue(), checkpoint)
    return model.eval()


# --- conversion ---------------------------------------------------------------------------------


def quantise(model: ResNet8, calibration: Tensor) -> tuple[Any, Any]:
    """Convert to TensorFlow Lite: the float and the full-integer int8 model, both as ModelT.

    The ranges of the activations are the extremes over all calibration images. The quantizer's
    own rule, a moving average over the images, cuts off the rare large values: 15 dB instead of
    38 dB of signal to noise for this network.

    litert-torch 0.10.0 must not see channels_last weights. It recognises constants it has met by
    their address; for weights in another order that is the address of a temporary copy, so now
    and then a convolution silently gets the weights of an earlier one of the same shape. Hence
    the fresh model here, whose weights are contiguous.
    """
    import litert_torch
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_quantizer import quantizer, recipe

    samples = [normalise(p[None]).permute(0, 2, 3, 1).contiguous() for p in calibration]
    contiguous = ResNet8()
    contiguous.load_state_dict(model.state_dict())
    nhwc = litert_torch.to_channel_last_io(contiguous.eval(), args=[0]).eval()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "float.tflite"
        litert_torch.convert(nhwc, (samples[0],)).export(str(file))
        float_bytes = file.read_bytes()

    static = quantizer.Quantizer(float_bytes, recipe.static_wi8_ai8())
    ranges: dict[str, dict[str, Any]] = {}
    for sample in samples:
        seen = static.calibrate({"serving_default": [{"args_0": sample.numpy()}]}, num_threads=1)
        for tensor, values in seen.items():
            merged = ranges.setdefault(tensor, dict(values))
            if values:
                merged["min"] = np.minimum(merged["min"], values["min"])
                merged["max"] = np.maximum(merged["max"], values["max"])
    int8_bytes = bytes(static.quantize(ranges).quantized_model)

    read = schema.ModelT.InitFromPackedBuf
    return read(float_bytes, 0), read(int8_bytes, 0)


def weighted_operators(model: Any) -> list[Any]:
    """The operators of a ModelT with inputs (activation, weights, bias), in order of execution."""
    return [op for op in model.subgraphs[0].operators if len(op.inputs) == 3]


def int8_weights(model: Any, tensor: Any) -> npt.NDArray[np.int8]:
    """The values of a constant int8 tensor, outputs first (OHWI for a convolution)."""
    values: npt.NDArray[np.int8] = model.buffers[tensor.buffer].data.view(np.int8)
    return values.reshape(tensor.shape)


def revive_dead_channels(float_model: Any, int8_model: Any) -> None:
    """Give output channels whose weights are all zero a usable scale, and requantise their bias.

    The quantizer derives such a scale from a range of zero, about 1e-11, with which the bias
    overflows int32 and the channel, a constant, gets a wrong value. Any scale describes zeros:
    take the median of the other channels, or more where the bias would leave 24 bits.
    """
    float_graph, graph = float_model.subgraphs[0], int8_model.subgraphs[0]
    pairs = zip(weighted_operators(float_model), weighted_operators(int8_model), strict=True)
    for float_op, op in pairs:
        source, weight, bias = (graph.tensors[i] for i in op.inputs)
        dead = ~int8_weights(int8_model, weight).any(axis=(*range(1, len(weight.shape)),))
        if not dead.any():
            continue
        float_bias = float_model.buffers[float_graph.tensors[float_op.inputs[2]].buffer]
        wanted = float_bias.data.view(np.float32)[dead] / np.float32(source.quantization.scale[0])
        scale = np.array(weight.quantization.scale, np.float32)
        usual = np.float32(1e-3) if dead.all() else np.median(scale[~dead])
        scale[dead] = np.maximum(usual, np.abs(wanted) / 2**24)
        values = int8_model.buffers[bias.buffer].data.view(np.int32).copy()
        values[dead] = np.round(wanted / scale[dead])
        int8_model.buffers[bias.buffer].data = values.view(np.uint8)
        weight.quantization.scale = scale
        bias.quantization.scale = scale * np.float32(source.quantization.scale[0])


def layers_in_order(model: ResNet8) -> dict[str, nn.Conv2d | nn.Linear]:
    """The layers with weights by module name, in the order in which the graph executes them."""
    return {n: m for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}


def name_tensors(int8_model: Any, model: ResNet8) -> None:
    """Replace the converter's tensor names, paths of up to 400 characters, by the modules'."""
    graph = int8_model.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = "image"
    for index, op in enumerate(graph.operators):
        graph.tensors[op.outputs[0]].name = f"activation_{index}"
    layers = layers_in_order(model)
    for op, name in zip(weighted_operators(int8_model), layers, strict=True):
        _, weight, bias = op.inputs
        graph.tensors[weight].name = f"{name}.weight"
        graph.tensors[bias].name = f"{name}.bias"
    graph.tensors[graph.outputs[0]].name = "logits"


def check(int8_model: Any, model: ResNet8) -> dict[str, float]:
    """Raise unless the weights are what stridepack needs; return the sparsity of each tensor."""
    graph = int8_model.subgraphs[0]
    if any(buffer.offset > 1 for buffer in int8_model.buffers):
        # The quantizer does this to tensors of 256 KiB and more; ResNet8 has none.
        raise RuntimeError("a buffer lies outside the flatbuffer, where TFLM does not look")
    sparsity = {}
    layers = layers_in_order(model)
    for op, (name, layer) in zip(weighted_operators(int8_model), layers.items(), strict=True):
        tensor = graph.tensors[op.inputs[1]]
        stored = int8_weights(int8_model, tensor)
        original = layer.weight.detach().movedim(1, -1).numpy()  # OIHW -> OHWI
        if stored.shape != original.shape:
            raise RuntimeError(f"{name}: shape {stored.shape} stored, {original.shape} trained")
        if np.any(stored[original == 0]):
            raise RuntimeError(f"{name}: a pruned weight is not 0")
        quantization = tensor.quantization
        if len(quantization.scale) != len(stored) or np.any(quantization.zeroPoint):
            raise RuntimeError(f"{name}: not per-channel with zero point 0")
        sparsity[f"{name}.weight"] = round(float((stored == 0).mean()), 4)
    return sparsity


def pack(int8_model: Any) -> bytes:
    """Serialise a ModelT."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 17)
    builder.Finish(int8_model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


# --- evaluation ---------------------------------------------------------------------------------


@torch.no_grad()
def float_accuracy(model: ResNet8, data: Images) -> float:
    """Fraction of the images that the float32 model classifies correctly."""
    guesses = torch.cat([model(normalise(p)).argmax(1) for p in torch.split(data.pixels, 500)])
    return (guesses == data.labels).float().mean().item()


def to_int8(pixels: Tensor, details: dict[str, Any]) -> npt.NDArray[np.int8]:
    """Normalised and quantised images, NHWC, for the input that `details` describes."""
    scale, zero_point = details["quantization"]
    x = normalise(pixels).permute(0, 2, 3, 1).numpy()
    quantised: npt.NDArray[np.int8] = np.clip(np.round(x / scale) + zero_point, -128, 127).astype(
        np.int8
    )
    return quantised


def lite_logits(tflite: bytes, pixels: Tensor, reference: bool = False) -> npt.NDArray[np.int8]:
    """int8 logits of shape (n, 10) by LiteRT, with its reference kernels or its fastest."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(model_content=tflite, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    logits = []
    for image in to_int8(pixels, source):
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        logits.append(interpreter.get_tensor(sink["index"])[0])
    return np.stack(logits)


def micro_logits(tflite: bytes, pixels: Tensor) -> npt.NDArray[np.int8]:
    """int8 logits of shape (n, 10) by TensorFlow Lite for Microcontrollers."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(tflite)
    details = interpreter.get_input_details(0)["quantization_parameters"]
    images = to_int8(pixels, {"quantization": (details["scales"][0], details["zero_points"][0])})
    logits = []
    for image in images:
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        logits.append(interpreter.get_output(0)[0].copy())
    return np.stack(logits)


def installed_versions() -> dict[str, str]:
    """The versions present of the packages that the requirements file names."""
    lines = REQUIREMENTS.read_text().splitlines()
    names = [line.partition("==")[0] for line in lines if "==" in line]
    try:
        return {name: importlib.metadata.version(name) for name in names}
    except importlib.metadata.PackageNotFoundError as error:
        raise SystemExit(f"{error.name} is missing: pip install -r {REQUIREMENTS}") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    add = parser.add_argument
    add("--data", type=Path, default=Path("../shared/data/cifar10"), metavar="DIR")
    add("--out", type=Path, default=Path("examples/resnet8_cifar10_50.tflite"), metavar="FILE")
    add("--sparsity", type=float, default=0.5, help="of each pruned tensor")
    add("--dense-epochs", type=int, default=24)
    add("--pruning-epochs", type=int, default=14)
    add("--retraining-epochs", type=int, default=14)
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    add("--checkpoint", type=Path, metavar="FILE", help="written each epoch; a new run resumes")
    options = parser.parse_args()
    if not 0 <= options.sparsity < 1:
        parser.error(f"--sparsity is {options.sparsity}, must be at least 0 and below 1")
    if options.retraining_epochs < 1:
        parser.error("--retraining-epochs must be at least 1")
    packages = installed_versions()  # first, so that a missing one is not noticed after training
    epochs = {
        "dense": options.dense_epochs,
        "pruning": options.pruning_epochs,
        "retraining": options.retraining_epochs,
    }
    torch.set_num_threads(options.threads)

    data = load_images(options.data / "train.parquet")
    test = load_images(options.data / "test.parquet")
    schedule = Schedule(**epochs, sparsity=options.sparsity)
    model = train(data, schedule, options.seed, options.checkpoint)

    float_model, int8_model = quantise(model, data.pixels[:CALIBRATION_IMAGES])
    revive_dead_channels(float_model, int8_model)
    name_tensors(int8_model, model)
    sparsity = check(int8_model, model)
    tflite = pack(int8_model)

    labels = test.labels.numpy()
    float_score = float_accuracy(model, test)
    int8_score = float((lite_logits(tflite, test.pixels).argmax(1) == labels).mean())
    if int8_score < float_score - LARGEST_LOSS:
        raise RuntimeError(f"accuracy fell from {float_score:.4f} to {int8_score:.4f} in int8")
    few = test.pixels[:COMPARED_IMAGES]
    micro, lite = micro_logits(tflite, few), lite_logits(tflite, few, reference=True)
    graph = int8_model.subgraphs[0]
    source = graph.tensors[graph.inputs[0]].quantization
    report = {
        "model": options.out.name,
        "bytes": len(tflite),
        "parameters": sum(p.numel() for p in model.parameters()),
        "seed": options.seed,
        "epochs": epochs,
        "sparsity": sparsity,
        "input": {
            "formula": "(pixel * scale - mean) / std",
            "scale": SCALE,
            "mean": MEAN,
            "std": STD,
            "int8_scale": float(source.scale[0]),
            "int8_zero_point": int(source.zeroPoint[0]),
        },
        "accuracy": {
            "images": len(labels),
            "float": round(float_score, 4),
            "int8": round(int8_score, 4),
        },
        "tflm": {
            "images": len(micro),
            "accuracy": round(float((micro.argmax(1) == labels[: len(micro)]).mean()), 4),
            "litert_accuracy": round(float((lite.argmax(1) == labels[: len(lite)]).mean()), 4),
            "largest_difference_lsb": int(np.abs(micro.astype(int) - lite).max()),
        },
        "packages": packages,
    }
    text = json.dumps(report, indent=2) + "\n"
    save_atomically(tflite, options.out)
    save_atomically(text.encode(), options.out.with_suffix(".json"))
    print(text, end="")


if __name__ == "__main__":
    main()
