"""TensorFlow Lite models in: every int8 constant that an operator reads, decoded if need be."""

import math
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stridepack._next_steps import FLOAT_TFLITE
from stridepack.errors import ModelError
from stridepack.tensor import Int8Array, WeightTensor
from stridepack.tflite.decode import Encoded, decode, decoded_tensors, is_decode
from stridepack.tflite.model import Model, Tensor, as_text, load_model, shape_of, type_name
from stridepack.tflite.types.quantization import zero_point


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant tensor that operators read, directly or through DECODE.

    Attributes
    ----------
    subgraph, index : int
        Where it is. If encoded, `index` is that of the encoded tensor, which kept the place and
        the name.
    tensor : Tensor
        Its type, shape and quantisation. If encoded, those of the first decoded tensor.
    readers : list of int
        The operators that read it, by index; DECODE operators do not count.
    encoded : Encoded or None
        What DECODE makes it from.
    """

    subgraph: int
    index: int
    tensor: Tensor
    readers: list[int] = field(default_factory=list)
    encoded: Encoded | None = None

    @property
    def n_elements(self) -> int:
        """Number of elements, by its shape."""
        return math.prod(shape_of(self.tensor))


def read_tflite(path: str | os.PathLike[str]) -> list[WeightTensor]:
    """Read the int8 weights of a .tflite file.

    These are all int8 tensors with data that an operator of any subgraph reads, each once, in the
    order in which operators read them. Tensors that are encoded for DECODE operators are decoded,
    and have the same name, place and values as before packing.

    Names are those of the file. A tensor without one is called after its place,
    ``subgraph0/tensor17``. Of several with the same name the first keeps it, the others get
    ``#2``, ``#3`` and so on.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    list of WeightTensor
        At least one. Arrays are read-only views of the file, unless decoded.

    Raises
    ------
    ModelError
        When the file cannot be read, is damaged, has no int8 weights, or has some in an unknown
        encoding.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    file = os.fspath(path)
    if not Path(path).is_file():
        raise ModelError(f"{file}: there is no such file.")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{file}: the file cannot be read: {error.strerror}") from error
    return parse_tflite(data, file)


def parse_tflite(data: bytes, file: str = "model") -> list[WeightTensor]:
    """Read the int8 weights of the bytes of a .tflite file, as `read_tflite` does.

    Parameters
    ----------
    data : bytes
    file : str
        Name for messages.
    """
    model = load_model(data, file)
    constants = find_constants(model)
    weights = int8_weights(model, constants)
    if not weights:
        raise model.error(_what_was_found(constants))
    return [
        WeightTensor(
            name,
            read_values(model, weight),
            zero_point(weight.tensor),
            _origin(model, weight),
            _operators(model, weight),
        )
        for name, weight in weights.items()
    ]


def find_constants(model: Model) -> list[Constant]:
    """Constant tensors of any type in the order in which operators read them."""
    found: dict[tuple[int, int], Constant] = {}
    for s, subgraph in enumerate(model.subgraphs):
        decoded = decoded_tensors(model, s)
        for o, operator in enumerate(subgraph.operators):
            if is_decode(model, operator):
                continue
            for t in dict.fromkeys(operator.inputs):  # each once
                encoded = decoded.get(t)
                if t == -1 or (encoded is None and not _is_constant(model, subgraph.tensors[t])):
                    continue
                index = encoded.encoded if encoded else t
                constant = found.setdefault(
                    (s, index), Constant(s, index, subgraph.tensors[t], encoded=encoded)
                )
                if constant.encoded != encoded:
                    name = as_text(subgraph.tensors[index].name) or f"{index}"
                    raise model.error(
                        f"tensor {name} is read by a DECODE operator and by another operator as "
                        "well, which is not supported."
                    )
                constant.readers.append(o)
    return list(found.values())


def int8_weights(model: Model, constants: list[Constant]) -> dict[str, Constant]:
    """The int8 ones among the constants of a model, by unique names."""
    weights = [c for c in constants if type_name(c.tensor) == "int8"]
    return dict(zip(_unique_names(model, weights), weights, strict=True))


def read_values(model: Model, weight: Constant) -> Int8Array:
    """Values of an int8 constant, decoded if need be.

    Raises
    ------
    ModelError
        When its data do not fit its shape, or are sparse in TensorFlow Lite's own way.
    """
    subgraph = model.subgraphs[weight.subgraph]
    stored = subgraph.tensors[weight.index]
    if weight.encoded:
        return decode(model, subgraph, weight.tensor, weight.encoded)
    name = as_text(stored.name) or f"{weight.index} of subgraph {weight.subgraph}"
    if stored.sparsity is not None:
        raise model.error(
            f"tensor {name} is stored in TensorFlow Lite's sparse encoding, which is not "
            "supported. Convert the model again without Optimize.EXPERIMENTAL_SPARSITY."
        )
    shape = shape_of(stored)
    data = model.data(stored)
    if min(shape, default=1) < 0:
        raise model.error(
            f"tensor {name}: its shape {list(shape)} has a negative dimension. The file is damaged."
        )
    if math.prod(shape) != data.size:
        raise model.error(
            f"tensor {name}: its shape {list(shape)} needs {math.prod(shape)} bytes, but its "
            f"buffer {stored.buffer} has {data.size}. The file is damaged."
        )
    return data.view(np.int8).reshape(shape)


def _is_constant(model: Model, tensor: Tensor) -> bool:
    return model.data(tensor).size > 0


def _unique_names(model: Model, weights: list[Constant]) -> list[str]:
    given = [
        as_text(model.subgraphs[w.subgraph].tensors[w.index].name)
        or f"subgraph{w.subgraph}/tensor{w.index}"
        for w in weights
    ]
    taken = set(given)
    last_number: dict[str, int] = {}
    unique = []
    for name in given:
        number = last_number.get(name, 0) + 1
        while number > 1 and f"{name}#{number}" in taken:
            number += 1
        last_number[name] = number
        unique.append(name if number == 1 else f"{name}#{number}")
    return unique


def _origin(model: Model, weight: Constant) -> str:
    """Such as: CONV_2D #3, subgraph 0, tensor 17, buffer 21."""
    subgraph = model.subgraphs[weight.subgraph]
    readers = [f"{model.operator_name(subgraph.operators[o])} #{o}" for o in weight.readers[:3]]
    if len(weight.readers) > len(readers):
        readers.append(f"{len(weight.readers) - len(readers)} more")
    buffer = subgraph.tensors[weight.index].buffer
    return (
        f"{' and '.join(readers)}, subgraph {weight.subgraph}, tensor {weight.index}, "
        f"buffer {buffer}"
    )


def _operators(model: Model, weight: Constant) -> tuple[str, ...]:
    """Kinds of the operators that read it, once each."""
    operators = model.subgraphs[weight.subgraph].operators
    return tuple(dict.fromkeys(model.operator_name(operators[o]) for o in weight.readers))


def _what_was_found(constants: list[Constant]) -> str:
    types = Counter(type_name(constant.tensor) for constant in constants)
    if not types:
        return "it has no int8 weights, because no operator reads a constant tensor."
    found = " and ".join(f"{n} {name}" for name, n in types.most_common())
    return (
        f"it has no int8 weights. Its operators read {found} constant "
        f"tensor{'' if len(constants) == 1 else 's'}. {FLOAT_TFLITE}"
    )
