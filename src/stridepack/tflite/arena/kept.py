# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow Lite Micro keeps in its arena for as long as the model is there.

Structures for every tensor and operator, and what kernels compute once. Sizes are those of the
wheel's interpreter on a 64-bit host; a device with 32-bit pointers needs about half as much. What
DECODE adds is exact. What the kernels of other operators keep was fitted to the interpreter, and
is used only for models that it cannot run.
"""

from stridepack.tflite.arena.lifetimes import tensor_nbytes
from stridepack.tflite.arena.planner import aligned
from stridepack.tflite.model import Model, Operator, SubGraph, Tensor, shape_of
from stridepack.tflite.types import Payload
from stridepack.tflite.types.quantization import n_channels, zero_point

_POINTER = 8
TENSOR = 24  # TfLiteEvalTensor
OPERATOR = 64  # NodeAndRegistration

# The states of the decoders by type. Our own operator keeps none.
_STATES = {"tflm_huffman": 64, "tflm_lut": 80, "tflm_prune": 80}

# Of the interpreter itself, and of the operators' parameters and data. Channels come on top.
_INTERPRETER = 740
_KERNELS = {
    "ADD": 140,
    "AVERAGE_POOL_2D": 96,
    "CONV_2D": 92,
    "DEPTHWISE_CONV_2D": 128,
    "FULLY_CONNECTED": 108,
    "LEAKY_RELU": 10,
    "MEAN": 136,
    "MUL": 80,
    "PAD": 36,
    "QUANTIZE": 10,
    "RESHAPE": 88,
    "SOFTMAX": 40,
    "STRIDED_SLICE": 84,
    "SUB": 130,
    "SVDF": 100,
    "TRANSPOSE_CONV": 152,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 740,
}
_OTHER_KERNEL = 80


def decoder_state_nbytes(payload: Payload, tensor: Tensor) -> int:
    """Bytes that the decoder of one tensor keeps."""
    state = _STATES.get(payload.format, 0)
    if payload.format == "tflm_prune" and n_channels(tensor) > 1 and zero_point(tensor):
        state += aligned(4 * n_channels(tensor))
    return state


def decode_operator_nbytes(n_outputs: int) -> int:
    """Bytes that a DECODE operator keeps, apart from tensors and the states of its decoders."""
    return OPERATOR + aligned(_POINTER * n_outputs)


def decompression_nbytes() -> int:
    """Bytes of the arena that `SetDecompressionMemory` takes, for one region."""
    return aligned(_POINTER)


def estimated_nbytes(model: Model) -> int:
    """About what the interpreter keeps for a model."""
    total = _INTERPRETER
    for graph in model.subgraphs:
        total += TENSOR * len(graph.tensors) + OPERATOR * len(graph.operators)
        for operator in graph.operators:
            name = model.operator_name(operator)
            total += _KERNELS.get(name, _OTHER_KERNEL) + 8 * _multipliers(name, graph, operator)
        total += sum(aligned(tensor_nbytes(model, t)) for t in graph.tensors if t.isVariable)
    return aligned(total)


def _multipliers(name: str, graph: SubGraph, operator: Operator) -> int:
    """How many channels have a multiplier and a shift of their own."""
    weights = graph.tensors[operator.inputs[1]] if len(operator.inputs) > 1 else None
    if weights is None or not shape_of(weights):
        return 0
    if name in ("CONV_2D", "TRANSPOSE_CONV"):
        return shape_of(weights)[0]
    if name == "DEPTHWISE_CONV_2D":
        return shape_of(weights)[-1]
    return n_channels(weights) if name == "FULLY_CONNECTED" and n_channels(weights) > 1 else 0
