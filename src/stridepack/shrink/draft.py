# SPDX-License-Identifier: Apache-2.0
"""A model under work: layers are put on coarser grids, and taken back."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stridepack.shrink.layers import BIAS_TYPES, Layer, find_layers
from stridepack.tflite.constants import find_constants, named_weights
from stridepack.tflite.model import Buffer, Tensor, load_model, type_name

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rounded:
    """A layer on a coarser grid.

    Attributes
    ----------
    levels : ndarray of int8, (rows, columns)
        What is stored.
    scales : ndarray of float64
        One for each row: a weight is its level times this. Where the tensor has one scale, all
        are equal.
    bias : ndarray of float64
        Real biases, one for each row.
    """

    levels: npt.NDArray[np.int8]
    scales: Float64
    bias: Float64


class Draft:
    """A copy of a model whose layers can be replaced.

    Parameters
    ----------
    model : bytes
        The .tflite file.
    file : str
        Its name, for messages.
    """

    def __init__(self, model: bytes, file: str) -> None:
        self._model = load_model(model, file)
        self.layers, self.obstacles = find_layers(self._model)
        self._changed: set[int] = set()
        weights = named_weights(self._model, find_constants(self._model))
        self._entries = {name: weight.tensor for name, weight in weights.items()}

    def put(self, layer: Layer, rounded: Rounded) -> None:
        """Replace weights, scales and bias of a layer.

        A bias is stored in units of the scale of the input times that of the weights, so it is
        quantised again for the new scales.
        """
        scales = rounded.scales.astype(np.float32)
        unit = scales.astype(np.float64) * layer.source_scale
        self._put(layer, layer.from_rows(rounded.levels), scales, np.rint(rounded.bias / unit))
        self._changed.add(layer.position)

    def take_back(self, layer: Layer) -> None:
        """Make a layer what it was."""
        scales = layer.scales.astype(np.float32)
        self._put(layer, layer.values, scales, layer.bias_values)
        self._changed.discard(layer.position)

    def _put(
        self,
        layer: Layer,
        values: npt.NDArray[np.int8],
        scales: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float64] | npt.NDArray[np.int64],
    ) -> None:
        graph = self._model.subgraphs[layer.subgraph]
        buffers = self._model.root.buffers
        weight = self._entries[layer.name]
        buffers[weight.buffer] = Buffer(values.tobytes())
        weight.quantization.scale = scales if layer.per_channel else scales[:1]
        if layer.bias == -1:
            return
        tensor = graph.tensors[layer.bias]
        dtype = BIAS_TYPES[type_name(tensor)]
        limits = np.iinfo(dtype)
        clipped = np.clip(bias, limits.min, limits.max).astype(dtype)
        buffers[tensor.buffer] = Buffer(clipped.tobytes())
        old = None if tensor.quantization is None else tensor.quantization.scale
        if old is not None and len(old):
            units = (scales.astype(np.float64) * layer.source_scale).astype(np.float32)
            tensor.quantization.scale = units if len(old) > 1 else units[:1]

    def entry(self, name: str) -> Tensor:
        """The entry of an int8 tensor in the model: shape and quantisation."""
        return self._entries[name]

    def is_unchanged_before(self, layer: Layer) -> bool:
        """Whether everything that runs before a layer is as in the original model."""
        return not any(position < layer.position for position in self._changed)

    def to_bytes(self) -> bytes:
        """The .tflite file."""
        return self._model.to_bytes()

    def cut_before(self, layer: Layer) -> bytes | None:
        """The part of the model whose output is the input of a layer.

        None: that is an input of the model. Only for layers of the main subgraph.
        """
        graph, root = self._model.subgraphs[0], self._model.root
        writers = [i for i, o in enumerate(graph.operators) if layer.source in o.outputs]
        if not writers:
            return None
        whole = (graph.operators, graph.outputs, root.signatureDefs)
        graph.operators = graph.operators[: writers[-1] + 1]
        graph.outputs = [layer.source]
        root.signatureDefs = None
        try:
            return self._model.to_bytes()
        finally:
            graph.operators, graph.outputs, root.signatureDefs = whole
