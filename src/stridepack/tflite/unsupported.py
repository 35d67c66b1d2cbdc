# SPDX-License-Identifier: Apache-2.0
"""Models that stridepack cannot pack, each by its kind, with what to do about it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stridepack._next_steps import FLOAT_TFLITE
from stridepack.tflite.model import Model, Operator, Tensor, as_text, type_name
from stridepack.tflite.schema import load_schema

# Custom operators that hold what the compiler of a processor for neural networks made of a model.
_COMPILED = {
    "ethos-u": ("Arm's Ethos-U", "Vela"),
    "edgetpu-custom-op": ("Google's Edge TPU", "the Edge TPU compiler"),
    "NeutronGraph": ("NXP's eIQ Neutron", "the Neutron converter"),
}

# Metadata of models whose kernels decompress weights themselves, without DECODE operators.
_COMPRESSION = b"COMPRESSION_METADATA"


def is_compiled(model: Model, operator: Operator) -> bool:
    """Whether an operator holds code for an NPU. What it reads is in a form of that NPU's own."""
    return model.is_custom(operator) and model.operator_name(operator) in _COMPILED


def compiled_for(model: Model) -> str:
    """A sentence on what is compiled for an NPU already; empty where nothing is."""
    for graph in model.subgraphs:
        for operator in graph.operators:
            if is_compiled(model, operator):
                name = model.operator_name(operator)
                npu, compiler = _COMPILED[name]
                return (
                    f"The model is already compiled for an NPU, {npu}: its operator {name} holds "
                    f"weights in a form of {compiler}, which stridepack cannot pack."
                )
    return ""


def why_refused(model: Model) -> str:
    """Why no tensor of a model can be packed; empty where nothing speaks against it."""
    if any(entry.name == _COMPRESSION for entry in model.root.metadata or ()):
        return (
            f"the model is compressed in an earlier way of TensorFlow Lite Micro (metadata "
            f"{_COMPRESSION.decode()!r}), which is not read. Give the model from before it was "
            "compressed."
        )
    for s, graph in enumerate(model.subgraphs):
        for t, tensor in enumerate(graph.tensors):
            if (details := _blocks(tensor)) is not None:
                return (
                    f"tensor {t} ({as_text(tensor.name)!r}) of subgraph {s} is quantised in blocks "
                    f"of {details.blockSize} elements (blockwise quantisation), which is not "
                    "supported. TensorFlow Lite Micro does not run such a model either. Quantise "
                    "it again with one scale for each channel or each tensor."
                )
    return ""


def what_was_found(model: Model, tensors: Sequence[Tensor]) -> str:
    """Why there is nothing to pack in a model whose operators read these constant tensors."""
    if compiled := compiled_for(model):
        return (
            f"{compiled} It has no other weights. Give the .tflite file that the compiler was "
            "given, if you run that file on a processor. On the NPU, the compiler itself packs the "
            "weights."
        )
    types = Counter(type_name(tensor) for tensor in tensors)
    if not types:
        return "it has no int8 weights, because no operator reads a constant tensor."
    found = " and ".join(f"{n} {name}" for name, n in types.most_common())
    text = (
        f"it has no int8 weights. Its operators read {found} constant "
        f"tensor{'' if len(tensors) == 1 else 's'}. "
    )
    if n := len(model.densified):
        encoded = "1 of them is" if n == 1 else f"{n} of them are"
        return text + (
            f"{encoded} stored in TensorFlow Lite's sparse encoding, so the model is pruned. "
            "Convert it again with int8 quantisation (a representative dataset) and without "
            "Optimize.EXPERIMENTAL_SPARSITY. Pruned weights stay 0 then, and can be packed."
        )
    return text + FLOAT_TFLITE


def _blocks(tensor: Tensor) -> Any:
    """Details of a blockwise quantisation, or None."""
    quantization = tensor.quantization
    blockwise = load_schema().QuantizationDetails.BlockwiseQuantization
    if quantization is None or quantization.detailsType != blockwise:
        return None
    return quantization.details
