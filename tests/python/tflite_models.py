# SPDX-License-Identifier: Apache-2.0
"""Tiny .tflite models, built field by field, for what real models seldom have."""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from arrays import random_array
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

Array = npt.NDArray[Any]

TYPES = {
    "bool": schema.TensorType.BOOL,
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "int4": schema.TensorType.INT4,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "uint8": schema.TensorType.UINT8,
}


class ModelBuilder:
    """A model under construction; `model` is open to changes that the methods do not provide."""

    def __init__(self) -> None:
        self.model = schema.ModelT(
            version=3,
            operatorCodes=[],
            subgraphs=[],
            buffers=[schema.BufferT()],
            description="made by a test",
        )
        self.add_subgraph()

    @property
    def graph(self) -> Any:
        """The subgraph that tensors and operators are added to: the last one."""
        return self.model.subgraphs[-1]

    def add_subgraph(self) -> None:
        self.model.subgraphs.append(
            schema.SubGraphT(tensors=[], operators=[], inputs=[], outputs=[], name="graph")
        )

    def buffer(self, data: bytes) -> int:
        self.model.buffers.append(schema.BufferT(data=np.frombuffer(data, np.uint8)))
        return len(self.model.buffers) - 1

    def tensor(
        self,
        name: str | None,
        shape: Sequence[int],
        dtype: str = "int8",
        data: Array | None = None,
        *,
        scale: Sequence[float] = (0.05,),
        zero_point: Sequence[int] = (0,),
        axis: int = 0,
        buffer: int = 0,
    ) -> int:
        """Add a tensor. Returns its index."""
        quantization = None
        if scale:
            quantization = schema.QuantizationParametersT(
                scale=np.array(scale, np.float32),
                zeroPoint=np.array(zero_point, np.int64),
                quantizedDimension=axis,
            )
        self.graph.tensors.append(
            schema.TensorT(
                shape=list(shape),
                type=TYPES[dtype],
                buffer=self.buffer(data.tobytes()) if data is not None else buffer,
                name=name,
                quantization=quantization,
                hasRank=True,
            )
        )
        return len(self.graph.tensors) - 1

    def int4(self, name: str, data: Array, **more: Any) -> int:
        """Add a constant of int4 elements, two in a byte, the first in its lower half."""
        nibbles = data.reshape(-1).astype(np.uint8) & 15
        nibbles = np.append(nibbles, np.zeros(nibbles.size % 2, np.uint8))
        return self.tensor(name, data.shape, "int4", nibbles[::2] | nibbles[1::2] << 4, **more)

    def constant(self, name: str | None, data: Array, **more: Any) -> int:
        """Add a tensor with data. Returns its index."""
        return self.tensor(name, data.shape, str(data.dtype), data, **more)

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Any = None,
        version: int = 1,
    ) -> None:
        """Add an operator: a builtin one, or a custom one if there is none of that name."""
        code = vars(schema.BuiltinOperator).get(name, schema.BuiltinOperator.CUSTOM)
        custom = None if name in vars(schema.BuiltinOperator) else name.encode()
        codes = self.model.operatorCodes
        codes.append(schema.OperatorCodeT(min(code, 127), custom, version, code))
        operator = schema.OperatorT(len(codes) - 1, list(inputs), list(outputs))
        if options is not None:
            operator.builtinOptions = options
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self.graph.operators.append(operator)

    def fully_connected(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self.operator("FULLY_CONNECTED", inputs, outputs, schema.FullyConnectedOptionsT(), 4)

    def ends(self, inputs: Sequence[int], outputs: Sequence[int]) -> "ModelBuilder":
        """Set inputs and outputs of the subgraph."""
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return self

    def to_bytes(self, *, outside: Sequence[int] = ()) -> bytes:
        """The file; `outside`: buffers to be put behind the flatbuffer."""
        contents = {i: bytes(self.model.buffers[i].data) for i in outside}
        placed: dict[int, int] = {}
        for i in outside:
            self.model.buffers[i] = schema.BufferT(offset=2, size=len(contents[i]))
        while True:  # the offsets must be known to be written, and written to be known
            for i, offset in placed.items():
                self.model.buffers[i].offset = offset
            builder = flatbuffers.Builder(1024)
            builder.Finish(self.model.Pack(builder), b"TFL3")
            data = bytes(builder.Output())
            now = {}
            for i in outside:
                data = data.ljust(-(-len(data) // 16) * 16, b"\0")
                now[i] = len(data)
                data += contents[i]
            if now == placed:
                return data
            placed = now


def sparse(*shape: int, sparsity: float = 0.9, seed: int = 0) -> npt.NDArray[np.int8]:
    """Pruned weights."""
    return random_array(int(np.prod(shape)), sparsity, seed).reshape(shape)


def dense_layer(weights: Array, *, n_readers: int = 1, **more: Any) -> ModelBuilder:
    """x -> one or more fully connected layers, each with its own output, all with one weight."""
    build = ModelBuilder()
    n_out, n_in = weights.shape
    x = build.tensor("x", [1, n_in], zero_point=[-3])
    w = build.constant("w", weights, **more)
    bias = build.constant("bias", np.arange(n_out, dtype=np.int32) * 10, scale=[0.0025])
    outputs = []
    for i in range(n_readers):
        outputs.append(build.tensor(f"y{i}", [1, n_out], scale=[2.0 + i], zero_point=[5]))
        build.fully_connected([x, w, bias], outputs[-1:])
    return build.ends([x], outputs)


def conv_layer(weights: Array, *, kind: str = "CONV_2D") -> ModelBuilder:
    """x -> a convolution with one scale for each output channel."""
    build = ModelBuilder()
    depthwise = kind == "DEPTHWISE_CONV_2D"
    axis = 3 if depthwise else 0
    n_out = weights.shape[axis]
    x = build.tensor("x", [1, 6, 6, weights.shape[3]], zero_point=[-3])
    w = build.constant(
        "conv/w",
        weights,
        scale=np.linspace(0.01, 0.1, n_out).tolist(),
        zero_point=[0] * n_out,
        axis=axis,
    )
    y = build.tensor("y", [1, 6, 6, n_out], scale=[1.5], zero_point=[5])
    if depthwise:
        options = schema.DepthwiseConv2DOptionsT(strideW=1, strideH=1, depthMultiplier=1)
        build.operator(kind, [x, w], [y], options, 3)
    else:
        options = schema.Conv2DOptionsT(strideW=1, strideH=1)
        build.operator(kind, [x, w, -1], [y], options, 3)  # -1: no bias
    return build.ends([x], [y])


def decode_graph(
    bitmap: bytes, header: bytes, values: Array, shape: Sequence[int], **quantization: Any
) -> ModelBuilder:
    """A model whose output is what a DECODE operator decodes."""
    build = ModelBuilder()
    encoded = build.constant("w", np.frombuffer(bitmap, np.uint8), scale=[])
    ancillary = build.constant(None, np.frombuffer(header + values.tobytes(), np.uint8), scale=[])
    decoded = build.tensor("w_decoded", shape, str(values.dtype), **quantization)
    build.operator("TFLM_DECODE", [encoded, ancillary], [decoded])
    return build.ends([], [decoded])
