# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow Lite Micro does not run, or runs wrongly, although stridepack can pack it.

Nothing here is about packing: it is true of the dense model as well. `pack` says it, so that nobody
looks for the cause in the packed file, and `verify` does not run such models.

Source: the Prepare and Eval functions of TensorFlow Lite Micro's kernels, and of CMSIS-NN's.
"""

from collections.abc import Iterator, Sequence

from stridepack._words import counted
from stridepack.tflite.model import ELEMENT_BITS, Model, Operator, SubGraph, type_name
from stridepack.tflite.unsupported import compiled_for

# For each operator, which of its inputs are the data and the weights.
_OPERANDS: dict[str, tuple[int, Sequence[int]]] = {
    "BATCH_MATMUL": (0, (1,)),
    "CONV_2D": (0, (1,)),
    "DEPTHWISE_CONV_2D": (0, (1,)),
    "FULLY_CONNECTED": (0, (1,)),
    "SVDF": (0, (1,)),
    "TRANSPOSE_CONV": (2, (1,)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (0, range(1, 9)),
}

# Kernels that read every bias as int64 where their data are int16, whatever its type.
_INT64_BIASES: dict[str, Sequence[int]] = {
    "DEPTHWISE_CONV_2D": (2,),
    "TRANSPOSE_CONV": (3,),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": range(12, 16),
}


def limits(model: Model) -> list[str]:
    """Sentences on what TensorFlow Lite Micro does not run of a model; none where it runs it."""
    sentences = []
    if compiled := compiled_for(model):
        sentences.append(f"{compiled} Those weights stay as they are.")
    of_kind: dict[str, list[str]] = {}
    for name, kind in _layers(model):
        of_kind.setdefault(kind, []).append(name)
    if hybrid := of_kind.get("hybrid"):
        sentences.append(
            "TensorFlow Lite Micro does not run this model, packed or not. It is hybrid: "
            f"{_readers(hybrid)} float32 data with integer weights (dynamic range quantisation). "
            "Quantise the model to full int8, with a representative dataset."
        )
    for kind in ("uint8", "uint4", "int2"):
        if layers := of_kind.get(kind):
            sentences.append(
                f"TensorFlow Lite Micro does not run this model, packed or not: {_readers(layers)} "
                f"{kind} weights, which its kernels do not compute. Quantise the model to int8."
            )
    if misread := list(_misread(model)):
        sentences.append(
            "TensorFlow Lite Micro computes something undefined with this model, packed or not: "
            f"{_readers(misread)} a bias of int32, and for int16 data the kernel takes it for "
            "int64 and reads past its end. Convert the model again with 64-bit biases, which is "
            "the default of TensorFlow's converter."
        )
    return sentences


def is_refused(model: Model) -> bool:
    """Whether TensorFlow Lite Micro does not run a model, packed or not."""
    return any(True for _ in _layers(model))


def _layers(model: Model) -> Iterator[tuple[str, str]]:
    """Operators with integer weights that the kernels refuse, and of which kind they are."""
    for graph in model.subgraphs:
        for o, operator in enumerate(graph.operators):
            name = model.operator_name(operator)
            if name not in _OPERANDS:
                continue
            data, weights = _OPERANDS[name]
            types = {t for i in weights if (t := _type_of(model, graph, operator, i))}
            integers = types & ELEMENT_BITS.keys()
            if integers and _type_of(model, graph, operator, data) == "float32":
                yield f"{name} #{o}", "hybrid"
            else:
                for kind in sorted(integers - {"int8", "int4"}):
                    yield f"{name} #{o}", kind


def _misread(model: Model) -> Iterator[str]:
    for graph in model.subgraphs:
        for o, operator in enumerate(graph.operators):
            name = model.operator_name(operator)
            if name not in _INT64_BIASES:
                continue
            if _type_of(model, graph, operator, _OPERANDS[name][0]) == "int16" and any(
                _type_of(model, graph, operator, i) == "int32" for i in _INT64_BIASES[name]
            ):
                yield f"{name} #{o}"


def _type_of(model: Model, graph: SubGraph, operator: Operator, i: int) -> str:
    """Type of an input of an operator; empty where it has none."""
    index = operator.inputs[i] if i < len(operator.inputs) else -1
    return "" if index == -1 else type_name(graph.tensors[index])


def _readers(layers: Sequence[str]) -> str:
    """Such as "CONV_2D #3 reads", or "CONV_2D #3 and 2 more operators read"."""
    if len(layers) == 1:
        return f"{layers[0]} reads"
    return f"{layers[0]} and {counted(len(layers) - 1, 'more operator')} read"
