# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite models in: all constants with weights that operators read, decoded if need be."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stridepack.errors import ModelError, reason
from stridepack.tensor import Int8Array, WeightTensor
from stridepack.tflite.decode import Encoded, decode, decoded_tensors, is_decode, payload_of
from stridepack.tflite.model import (
    ELEMENT_BITS,
    Model,
    Tensor,
    as_text,
    load_model,
    shape_of,
    stored_shape,
    type_name,
)
from stridepack.tflite.types.quantization import is_quantised, why_scales_do_not_fit, zero_point
from stridepack.tflite.unsupported import is_compiled, what_was_found, why_refused


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
        """Number of elements as they are stored, by its shape."""
        return math.prod(stored_shape(self.tensor))


def read_tflite(path: str | os.PathLike[str]) -> list[WeightTensor]:
    """Read the weights of a .tflite file: int8, uint8, int4 and smaller.

    These are all such tensors with data that an operator of any subgraph reads, each once, in the
    order in which operators read them. Tensors that are encoded for DECODE operators are decoded,
    and have the same name, place and values as before packing. Those in TensorFlow Lite's sparse
    encoding are made dense. `WeightTensor.dtype` says what the values are.

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
        raise ModelError(f"{file}: the file cannot be read: {reason(error)}.") from error
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
    weights = named_weights(model, constants)
    if not weights:
        raise model.error(what_was_found(model, [constant.tensor for constant in constants]))
    return [
        WeightTensor(
            name,
            read_values(model, weight),
            zero_point(weight.tensor),
            _origin(model, weight),
            _operators(model, weight),
            dtype=type_name(weight.tensor),
        )
        for name, weight in weights.items()
    ]


def stored_nbytes(data: bytes, file: str = "model") -> dict[str, tuple[str, int]]:
    """Name of the encoding, and bytes, of each weight tensor of a .tflite file, by name.

    Raises
    ------
    ModelError
        As `parse_tflite` does.
    """
    model = load_model(data, file)
    found: dict[str, tuple[str, int]] = {}
    for name, weight in named_weights(model, find_constants(model)).items():
        graph = model.subgraphs[weight.subgraph]
        if weight.encoded is None:
            found[name] = "dense", model.data(graph.tensors[weight.index]).size
        else:
            payload = payload_of(model, graph, weight.encoded)
            found[name] = payload.format, payload.nbytes
    return found


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


def named_weights(model: Model, constants: list[Constant]) -> dict[str, Constant]:
    """The constants of a model that can be packed, by unique names.

    Those are of a type in ELEMENT_BITS. A uint8 constant without a quantisation is no weight, and
    what an NPU reads is in a form of its own.

    Raises
    ------
    ModelError
        For a model of a kind that is not supported.
    """
    if why := why_refused(model):
        raise model.error(why)
    weights = [c for c in constants if _is_weight(model, c)]
    return dict(zip(_unique_names(model, weights), weights, strict=True))


def read_values(model: Model, weight: Constant) -> Int8Array:
    """Values of a constant with weights as they are stored, decoded if need be.

    Returns
    -------
    ndarray of int8
        Of `stored_shape`: elements of another type are bytes here.

    Raises
    ------
    ModelError
        When its data or scales do not fit its shape.
    """
    subgraph = model.subgraphs[weight.subgraph]
    stored = subgraph.tensors[weight.index]
    name = as_text(stored.name) or f"{weight.index} of subgraph {weight.subgraph}"
    if why := why_scales_do_not_fit(weight.tensor):
        raise model.error(f"tensor {name}: {why} The file is damaged.")
    if weight.encoded:
        return decode(model, subgraph, weight.tensor, weight.encoded)
    given = shape_of(stored)
    shape = stored_shape(stored)
    data = model.data(stored)
    if min(given, default=1) < 0:
        raise model.error(
            f"tensor {name}: its shape {list(given)} has a negative dimension. The file is damaged."
        )
    if math.prod(shape) != data.size:
        raise model.error(
            f"tensor {name}: its shape {list(given)} needs {math.prod(shape)} bytes, but its "
            f"buffer {stored.buffer} has {data.size}. The file is damaged."
        )
    return data.view(np.int8).reshape(shape)


def _is_weight(model: Model, constant: Constant) -> bool:
    name = type_name(constant.tensor)
    operators = model.subgraphs[constant.subgraph].operators
    return (
        name in ELEMENT_BITS
        and (name != "uint8" or is_quantised(constant.tensor))
        and not all(is_compiled(model, operators[o]) for o in constant.readers)
    )


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
