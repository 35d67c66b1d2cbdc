"""DECODE operators of type PRUNE: how TensorFlow Lite Micro stores a sparse tensor.

A DECODE operator stands before the operator that needs the tensor. For each tensor that it decodes
it has one output and two constant inputs:

    encoded     one bit for each element, most significant bit first; 1 = stored
    ancillary   16 bytes of header, then the stored elements
                byte 0  type, 2 = PRUNE      byte 1  version of the header, 1
                byte 4  version of PRUNE, 1  the others are 0

An element that is not stored is the zero point. With zero point 0, bits and elements are the two
streams of our bitmap format (docs/format.md, section 8).
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack._tflite_model import (
    Model,
    Operator,
    SubGraph,
    Tensor,
    as_text,
    shape_of,
    type_name,
)

OPERATOR_NAME = "TFLM_DECODE"
HEADER_NBYTES = 16
PRUNE_HEADER = bytes([2, 1, 0, 0, 1]).ljust(HEADER_NBYTES, b"\0")

_OTHER_TYPES = {0: "LUT", 1: "Huffman"}

# What PRUNE decodes, as TensorFlow Lite Micro's kernel moves it: type of tensor, type of element.
_ELEMENTS = {
    "bool": "i1",
    "int8": "i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "float32": "<i4",
}


class Encoded(NamedTuple):
    """Indices of the two tensors that a decoded tensor is made from."""

    encoded: int
    ancillary: int


def is_decode(model: Model, operator: Operator) -> bool:
    """Whether an operator is a DECODE, of any type."""
    return model.operator_name(operator) == OPERATOR_NAME


def decoded_tensors(model: Model, subgraph: int) -> dict[int, Encoded]:
    """Index of every tensor that a DECODE operator of a subgraph writes, and what it is made from.

    Raises
    ------
    ModelError
        For a DECODE operator of another type or version than PRUNE 1, or with other inputs.
    """
    graph = model.subgraphs[subgraph]
    found: dict[int, Encoded] = {}
    for o, operator in enumerate(graph.operators):
        if not is_decode(model, operator):
            continue
        if not operator.outputs or len(operator.inputs) != 2 * len(operator.outputs):
            raise model.error(
                f"{OPERATOR_NAME} #{o} of subgraph {subgraph} needs two inputs for each output; "
                f"it has {len(operator.inputs)} and {len(operator.outputs)}"
            )
        pairs = zip(operator.inputs[::2], operator.inputs[1::2], strict=True)
        for output, pair in zip(operator.outputs, pairs, strict=True):
            if -1 in pair or output in found:
                raise model.error(
                    f"{OPERATOR_NAME} #{o} of subgraph {subgraph} lacks an input, or writes a "
                    "tensor again"
                )
            found[output] = Encoded(*pair)
            _check_header(model, graph, found[output])
    return found


def decode_prune(model: Model, graph: SubGraph, tensor: Tensor, pair: Encoded) -> npt.NDArray[Any]:
    """Decode one tensor.

    Parameters
    ----------
    model : Model
    graph : SubGraph
    tensor : Tensor
        The output of the DECODE operator: type, shape, quantisation.
    pair : Encoded
        What it is made from, as `decoded_tensors` found it.

    Returns
    -------
    ndarray
        Integers of the tensor's element size (for float32: its bits), in the tensor's shape.

    Raises
    ------
    ModelError
        Where TensorFlow Lite Micro refuses to decode it or would read outside its inputs.
    """
    name = _name(graph, pair)
    bitmap, ancillary = (model.data(graph.tensors[t]) for t in pair)
    if type_name(tensor) not in _ELEMENTS:
        raise model.error(f"{name}: PRUNE does not decode {type_name(tensor)}")
    dtype = np.dtype(_ELEMENTS[type_name(tensor)])
    shape = shape_of(tensor)
    n = math.prod(shape)
    if min(shape, default=1) < 1 or n > 8 * bitmap.size:
        raise model.error(
            f"{name}: shape {list(shape)} needs {n} bits, the bitmap has {8 * bitmap.size}"
        )
    model.add_decoded(n * dtype.itemsize)
    stored = np.unpackbits(bitmap, count=n).view(np.bool_)
    n_stored = int(np.count_nonzero(stored))
    available = (ancillary.size - HEADER_NBYTES) // dtype.itemsize
    if n_stored > available:
        raise model.error(
            f"{name}: its bitmap has {n_stored} ones, but there are {available} values"
        )
    values = np.empty(shape, dtype)
    values[...] = _zero_points(model, tensor, shape, name)
    values.reshape(-1)[stored] = np.frombuffer(ancillary, dtype, n_stored, HEADER_NBYTES)
    return values


def unsupported_axis(tensor: Tensor) -> int | None:
    """The axis of quantisation, if it is one for which PRUNE refuses to decode the tensor."""
    quantization = tensor.quantization
    if not _is_quantised(tensor):
        return None
    axis = int(quantization.quantizedDimension)
    last = axis == len(shape_of(tensor)) - 1 and len(quantization.scale) > 1
    return None if axis == 0 or last else axis


def _is_quantised(tensor: Tensor) -> bool:
    """Whether TensorFlow Lite Micro sees a quantisation: it wants scales and zero points."""
    quantization = tensor.quantization
    return (
        quantization is not None
        and quantization.scale is not None
        and quantization.zeroPoint is not None
        and len(quantization.scale) > 0
        and len(quantization.zeroPoint) > 0
    )


def _zero_points(
    model: Model, tensor: Tensor, shape: tuple[int, ...], name: str
) -> npt.NDArray[np.int8]:
    """What the elements that are not stored decode to, in a shape that broadcasts to `shape`."""
    if not _is_quantised(tensor):
        return np.zeros((), np.int8)
    if (axis := unsupported_axis(tensor)) is not None:
        raise model.error(f"{name}: PRUNE does not decode quantisation axis {axis}")
    zero_points = np.asarray(tensor.quantization.zeroPoint)
    if not zero_points.any():
        return np.zeros((), np.int8)
    if type_name(tensor) != "int8":
        raise model.error(
            f"{name}: PRUNE decodes {type_name(tensor)} only with zero point 0, not "
            f"{zero_points[zero_points != 0][0]}"
        )
    channels = len(tensor.quantization.scale)
    axis = int(tensor.quantization.quantizedDimension)
    if channels > 1 and shape[axis : axis + 1] != (channels,):
        raise model.error(f"{name}: {channels} scales do not fit axis {axis} of {list(shape)}")
    if len(zero_points) != channels:  # then the first stands for all
        zero_points = zero_points[:1]
    if len(zero_points) > 1:
        zero_points = zero_points.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return zero_points.astype(np.int8)  # wraps, as in the kernel


def _name(graph: SubGraph, pair: Encoded) -> str:
    return f"encoded tensor {as_text(graph.tensors[pair.encoded].name) or pair.encoded}"


def _check_header(model: Model, graph: SubGraph, pair: Encoded) -> None:
    name = _name(graph, pair)
    bitmap, ancillary = (model.data(graph.tensors[t]) for t in pair)
    header = ancillary[:HEADER_NBYTES]
    if header.size < HEADER_NBYTES or bitmap.size == 0:
        raise model.error(f"{name}: has no data, or no header of {HEADER_NBYTES} bytes")
    kind, version, prune_version = int(header[0]), int(header[1]), int(header[4])
    if kind != PRUNE_HEADER[0]:
        kind_name = _OTHER_TYPES.get(kind, "unknown")
        raise model.error(
            f"{name}: DECODE type is {kind} ({kind_name}); only 2 (PRUNE) can be read"
        )
    if (version, prune_version) != (PRUNE_HEADER[1], PRUNE_HEADER[4]):
        raise model.error(
            f"{name}: versions of header and PRUNE are {version} and {prune_version}; only 1 and "
            "1 can be read"
        )
