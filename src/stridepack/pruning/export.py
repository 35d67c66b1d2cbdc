"""From a trained torch module to int8: a .tflite file, or NumPy arrays.

litert-torch converts and ai-edge-quantizer quantises; what this file adds are repairs of what
those two (0.10.0 both) get wrong for pruned networks, and the proof that each pruned weight is 0.
"""

from __future__ import annotations

import contextlib
import copy
import io
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stridepack.errors import ExportError, InputError
from stridepack.files.atomic import write_files
from stridepack.pruning.grid import grid_of, levels_of
from stridepack.pruning.grid_file import store_levels
from stridepack.tflite.model import Buffer, Model, Operator, load_model, shape_of, type_name
from stridepack.tflite.model import Tensor as ModelTensor


class QuantizedWeight(NamedTuple):
    """`values`: int8 of the weight's shape; `scales`: float32, one for each output channel."""

    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]


def to_arrays(model: nn.Module) -> dict[str, QuantizedWeight]:
    """The weights of all convolutions and linear layers as int8, by parameter name.

    Symmetric, one scale for each output channel, in torch's own layout; a zero stays 0. Weights on
    the grid of a `GridQuantizer` become their levels, with the steps as scales. Batch
    normalisation is not folded in: that is the work of the runtime that will execute the network.

    Examples
    --------
    >>> import torch
    >>> layer = torch.nn.Linear(3, 1)
    >>> layer.weight.data = torch.tensor([[0.5, 0.0, -1.0]])
    >>> to_arrays(torch.nn.Sequential(layer))["0.weight"].values
    array([[  64,    0, -127]], dtype=int8)
    """
    arrays = {}
    on_grid = {name: layer for name, layer in _layers(model).items() if grid_of(layer)}
    for name, layer in _layers(_plain_copy(model)).items():
        if name in on_grid:
            levels, steps = levels_of(on_grid[name])
            arrays[f"{name}.weight"] = QuantizedWeight(levels, steps.reshape(-1))
            continue
        weight = _outputs_first(layer).numpy().astype(np.float32)
        largest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
        scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
        values = np.rint(weight / scales.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8)
        if isinstance(layer, nn.modules.conv._ConvTransposeNd):
            values = np.swapaxes(values, 0, 1)
        arrays[f"{name}.weight"] = QuantizedWeight(np.ascontiguousarray(values), scales)
    return arrays


def to_tflite(
    model: nn.Module, calibration: Iterable[Tensor], path: str | Path | None = None
) -> bytes:
    """Convert to a full-integer int8 .tflite file in which every pruned weight is exactly 0.

    Masks of a `MagnitudePruner` are applied; `model` itself is not changed. Weights are quantised
    symmetrically for each output channel; those on the grid of a `GridQuantizer` are stored as
    exactly the levels that were trained. Activations are quantised by the extremes met in
    calibration. Weights
    and biases get the names that they have in `model`, other tensors short ones. Images go in as
    NHWC, not as NCHW.

    Parameters
    ----------
    model
        Takes one float32 tensor, with a first dimension of 1.
    calibration
        Inputs of the model, such as a few hundred training images, each of shape (1, ...).
    path
        Where to write the file as well, complete or not at all.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    ExportError
        When a weight that is zero in `model` is not 0 in the file, or a pruned tensor is missing.
    """
    inputs = [sample.detach().float() for sample in calibration]
    if not inputs:
        raise InputError("`calibration` is empty. Give a few inputs of the model.")
    for sample in inputs:
        if sample.shape != inputs[0].shape or sample.shape[:1] != (1,):
            raise InputError(
                f"A calibration input has the shape {tuple(sample.shape)}. All inputs must have "
                "the same shape, and its first dimension must be 1."
            )
    plain = _plain_copy(model)
    float_bytes, int8_bytes = _convert(plain, inputs)

    # Reading pulls in the tensors of 256 KiB and more, which the quantizer stores after the
    # flatbuffer, where TensorFlow Lite Micro does not look.
    float_model = load_model(float_bytes, "the converted model")
    int8_model = load_model(int8_bytes, "the quantised model")
    _revive_dead_channels(float_model, int8_model)
    _name_and_check_weights(int8_model, plain)
    store_levels(float_model, int8_model, _levels(model))
    _shorten_names(int8_model, {f"{name}.weight".encode() for name in _layers(plain)})

    content = int8_model.to_bytes()
    if path is not None:
        write_files({Path(path): content})
    return content


# --- torch --------------------------------------------------------------------------------------


def _plain_copy(model: nn.Module) -> nn.Module:
    """A copy in eval mode without masks, its weights contiguous.

    litert-torch 0.10.0 must not see channels_last weights. It recognises constants it has met by
    their address; for weights in another order that is the address of a temporary copy, so now
    and then a convolution silently gets the weights of an earlier one of the same shape.
    """
    plain = copy.deepcopy(model).cpu().eval()
    for module in list(plain.modules()):
        if parametrize.is_parametrized(module, "weight"):
            # The copy shares the class that torch made for its original, whose property `weight`
            # removal deletes: give it one of its own.
            shared = type(module)
            module.__class__ = type(shared.__name__, shared.__bases__, dict(shared.__dict__))
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    for parameter in plain.parameters():
        parameter.requires_grad_(False)
        parameter.data = parameter.data.contiguous().clone()
    return plain


def _layers(model: nn.Module) -> dict[str, nn.Module]:
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
    }


def _outputs_first(layer: nn.Module) -> Tensor:
    weight: Tensor = layer.weight  # type: ignore[assignment]
    if isinstance(layer, nn.modules.conv._ConvTransposeNd):
        return weight.transpose(0, 1)
    return weight


def _levels(model: nn.Module) -> dict[str, npt.NDArray[np.int8]]:
    """The levels of all weights on a grid by name: (output channels, weights of a channel)."""
    levels = {}
    for name, layer in _layers(model).items():
        if grid_of(layer):
            values, _ = levels_of(layer)
            if isinstance(layer, nn.modules.conv._ConvTransposeNd):
                values = np.swapaxes(values, 0, 1)
            if values.ndim > 2:  # inputs last, as TensorFlow Lite stores them
                values = np.moveaxis(values, 1, -1)
            levels[f"{name}.weight"] = values.reshape(len(values), -1)
    return levels


# --- conversion ---------------------------------------------------------------------------------


def _convert(model: nn.Module, inputs: list[Tensor]) -> tuple[bytes, bytes]:
    """The float and the full-integer int8 model.

    The ranges of the activations are the extremes over all calibration inputs. The quantizer's
    own rule, a moving average, cuts off the rare large values: 15 dB instead of 38 dB of signal to
    noise for ResNet8.
    """
    import litert_torch
    from ai_edge_quantizer import quantizer, recipe

    if inputs[0].ndim == 4:
        model = litert_torch.to_channel_last_io(model, args=[0]).eval()
        inputs = [sample.permute(0, 2, 3, 1) for sample in inputs]
    inputs = [sample.contiguous() for sample in inputs]
    # both libraries report their progress on stdout
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        file = Path(folder) / "float.tflite"
        litert_torch.convert(model, (inputs[0],)).export(str(file))
        float_bytes = file.read_bytes()

        static = quantizer.Quantizer(float_bytes, recipe.static_wi8_ai8())
        ranges: dict[str, dict[str, Any]] = {}
        for sample in inputs:
            data = {"serving_default": [{"args_0": sample.numpy()}]}
            for tensor, values in static.calibrate(data, num_threads=1).items():
                merged = ranges.setdefault(tensor, dict(values))
                if values:
                    merged["min"] = np.minimum(merged["min"], values["min"])
                    merged["max"] = np.maximum(merged["max"], values["max"])
        return float_bytes, bytes(static.quantize(ranges).quantized_model)


def _weighted_operators(model: Model) -> list[Operator]:
    """The operators with inputs (activation, weights, bias), in order of execution."""
    return [op for op in model.subgraphs[0].operators if len(op.inputs) == 3 and op.inputs[2] >= 0]


def _channels_first(model: Model, tensor: ModelTensor) -> npt.NDArray[np.int8]:
    """The values of a constant int8 tensor, a view with the output channels first."""
    values = model.data(tensor).view(np.int8).reshape(shape_of(tensor))
    return np.moveaxis(values, tensor.quantization.quantizedDimension, 0)


def _revive_dead_channels(float_model: Model, int8_model: Model) -> None:
    """Give output channels whose weights are all zero a usable scale, and requantise their bias.

    The quantizer derives such a scale from a range of zero, about 1e-11, with which the bias
    overflows int32 and the channel, a constant, gets a wrong value. Any scale describes zeros:
    take the median of the other channels, or more where the bias would leave 24 bits.
    """
    float_graph, graph = float_model.subgraphs[0], int8_model.subgraphs[0]
    pairs = zip(_weighted_operators(float_model), _weighted_operators(int8_model), strict=True)
    for float_op, op in pairs:
        source, weight, bias = (graph.tensors[i] for i in op.inputs)
        if int8_model.data(weight).size == 0 or len(shape_of(weight)) < 2:
            continue  # not a layer: both factors are computed
        channels = _channels_first(int8_model, weight)
        dead = ~channels.reshape(len(channels), -1).any(axis=1)
        if not dead.any():
            continue
        float_bias = float_model.data(float_graph.tensors[float_op.inputs[2]]).view(np.float32)
        source_scale = np.float32(source.quantization.scale[0])
        wanted = float_bias[dead] / source_scale
        scale = np.array(weight.quantization.scale, np.float32)
        usual = np.float32(1e-3) if dead.all() else np.median(scale[~dead])
        scale[dead] = np.maximum(usual, np.abs(wanted) / 2**24)
        values = int8_model.data(bias).view(np.int32).copy()
        values[dead] = np.rint(wanted / scale[dead])
        int8_model.root.buffers[bias.buffer] = Buffer(values.tobytes())
        weight.quantization.scale = scale
        bias.quantization.scale = scale * source_scale


# --- proof --------------------------------------------------------------------------------------


def _constant_int8_tensors(model: Model) -> Iterator[tuple[ModelTensor, npt.NDArray[np.int8]]]:
    for tensor in model.subgraphs[0].tensors:
        is_weight = type_name(tensor) == "int8" and len(shape_of(tensor)) > 1
        if is_weight and model.data(tensor).size:
            yield tensor, _channels_first(model, tensor)


def _distance(values: npt.NDArray[np.int8], weight: npt.NDArray[np.float32]) -> float:
    """The largest difference in steps of int8 once each output channel is scaled to fit best.

    Folded batch normalisation scales whole channels, and may turn their sign: so does this.
    """
    q = values.reshape(len(values), -1).astype(np.float32)
    w = weight.reshape(len(weight), -1)
    norm = np.einsum("ij,ij->i", w, w)
    fit = np.einsum("ij,ij->i", q, w) / np.where(norm > 0, norm, 1)
    return float(np.abs(q - fit[:, None] * w).max())


def _name_and_check_weights(int8_model: Model, model: nn.Module) -> None:
    """Find each layer's weights in the file by their values; name them, and check every zero.

    The converter keeps neither names nor, in general, the order of the layers.
    """
    stored: dict[tuple[int, ...], list[tuple[ModelTensor, npt.NDArray[np.int8]]]] = {}
    for tensor, values in _constant_int8_tensors(int8_model):
        stored.setdefault((len(values), values.size), []).append((tensor, values))
    for name, layer in _layers(model).items():
        weight = _outputs_first(layer).numpy()
        zeros = weight == 0
        if weight.ndim > 2:  # inputs last, as TensorFlow Lite stores them
            weight, zeros = np.moveaxis(weight, 1, -1), np.moveaxis(zeros, 1, -1)
        candidates = stored.get((len(weight), weight.size), [])
        distances = [_distance(values, weight) for _, values in candidates]
        best = int(np.argmin(distances)) if distances else -1
        if best < 0 or distances[best] > 1:  # rounding is half a step, other weights are dozens
            if zeros.mean() > 0.01:
                raise ExportError(
                    f"{name}.weight is pruned to {zeros.mean():.1%}, but the converted model does "
                    "not have it. The converter changed it, for example by merging layers. Nothing "
                    "was written."
                )
            continue
        tensor, values = candidates.pop(best)
        is_zero = zeros.reshape(len(weight), -1)
        if lost := np.count_nonzero(values.reshape(len(weight), -1)[is_zero]):
            raise ExportError(
                f"{name}.weight: {lost} of its {zeros.sum()} zeros did not become 0 in int8. "
                "Nothing was written."
            )
        tensor.name = f"{name}.weight".encode()


def _shorten_names(model: Model, weights: set[bytes]) -> None:
    """Name biases after their weights, and number the rest; inputs and outputs keep their names.

    The converter's names are paths of modules: 10 kB in a ResNet8 of 78 kB.
    """
    graph = model.subgraphs[0]
    named = {*graph.inputs, *graph.outputs}
    named |= {i for i, tensor in enumerate(graph.tensors) if tensor.name in weights}
    for op in _weighted_operators(model):
        _, weight, bias = op.inputs
        if graph.tensors[weight].name in weights and bias not in named:
            graph.tensors[bias].name = graph.tensors[weight].name[: -len("weight")] + b"bias"
            named.add(bias)
    for i, tensor in enumerate(graph.tensors):
        if i not in named:
            tensor.name = f"tensor_{i}".encode()
