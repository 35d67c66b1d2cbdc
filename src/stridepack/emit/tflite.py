"""TensorFlow Lite models out: packed with DECODE operators of type PRUNE, and dense again.

The unmodified TensorFlow Lite Micro interpreter runs what `pack_tflite` makes. The layout follows
the wheel's `compression.decode_insert`: a DECODE for each operator that reads an encoded tensor,
right before it, since memory for decoded tensors may be reused from one DECODE to the next. The
encoded tensor keeps its place and name; new tensors, without names, follow the others.
"""

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stridepack._tflite_decode import (
    HEADER_NBYTES,
    OPERATOR_NAME,
    PRUNE_HEADER,
    decode_prune,
    decoded_tensors,
    is_decode,
    unsupported_axis,
)
from stridepack._tflite_model import (
    Buffer,
    Model,
    Operator,
    Tensor,
    as_text,
    load_model,
    load_schema,
    shape_of,
)
from stridepack.errors import InputError
from stridepack.io.tflite import Constant, find_constants, int8_weights, read_values, zero_point
from stridepack.packed import Packed

# Operators whose kernels need a constant tensor or keep it beyond the next DECODE: reference
# kernels and CMSIS-NN's were searched for what they read in Prepare.
_NEEDS_CONSTANT = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "Arm's kernel sums up the weights before any DECODE runs",
    "SVDF": "Arm's kernel sums up the weights before any DECODE runs",
    "IF": "it hands its inputs to other subgraphs",
    "WHILE": "it hands its inputs to other subgraphs",
    "CALL_ONCE": "it hands its inputs to other subgraphs",
}


def pack_tflite(
    model: bytes, packed: Mapping[str, Packed], *, file: str = "model"
) -> tuple[bytes, dict[str, str]]:
    """Replace weights of a .tflite file with bitmap encodings that its interpreter decodes.

    A tensor is encoded if that makes the file smaller, with everything counted that it takes:
    operators, tensors, header. The rest of the model is kept. Data outside the flatbuffer move into
    it, where TensorFlow Lite Micro can find them; buffers are aligned to 16 bytes; files attached
    to the model (labels, say) are left out.

    Parameters
    ----------
    model : bytes
        The file.
    packed : mapping of str to Packed
        By the names of `read_tflite`. Format "dense", and a name left out: the tensor stays as it
        is. Of the other formats only "bitmap" with one tile can be used here.
    file : str
        Name for messages.

    Returns
    -------
    file : bytes
        `model` itself where nothing gets smaller. The same bytes for the same arguments.
    notes : dict of str to str
        Why a tensor whose format is not "dense" stayed dense, by name.

    Raises
    ------
    InputError
        For a name that the model does not have, or values that are not those of the model.
    ModelError
        For a file that `read_tflite` refuses, or that cannot be changed without breaking it.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    parsed = load_model(model, file)
    weights = int8_weights(parsed, find_constants(parsed))
    if unknown := packed.keys() - weights.keys():
        raise InputError(f"{file}: has no int8 weight tensor named {min(unknown)!r}")
    notes: dict[str, str] = {}
    candidates: dict[int, dict[str, Constant]] = defaultdict(dict)  # by buffer
    for name, blob in packed.items():
        weight = weights[name]
        _check_values(parsed, name, weight, blob)
        if blob.format == "dense":
            continue
        if obstacle := _obstacle(parsed, weight, blob):
            notes[name] = obstacle
        else:
            candidates[_stored(parsed, weight).buffer][name] = weight
    chosen: dict[str, Constant] = {}
    users = _buffer_users(parsed)
    for buffer, group in candidates.items():
        if len(group) < users[buffer]:
            why = f"shares its data (buffer {buffer}) with something that stays dense"
            notes |= dict.fromkeys(group, why)
            continue
        encoded, dense = _nbytes_in_file(parsed, group, packed)
        if encoded < dense:
            chosen |= group
        else:
            notes |= dict.fromkeys(group, f"would take {encoded} bytes encoded, {dense} dense")
    if not chosen:
        return model, notes
    _refuse_offline_plan(parsed)
    _insert_decode(parsed, chosen, packed)
    result = parsed.to_bytes()
    if len(result) < len(model):
        return result, notes
    why = f"the file would take {len(result)} bytes, it takes {len(model)}"
    return model, notes | dict.fromkeys(chosen, why)


def unpack_tflite(model: bytes, *, file: str = "model") -> bytes:
    """Make a .tflite file dense again: without its DECODE operators of type PRUNE.

    Undoes `pack_tflite`: tensors, their places, the operators and what they read are as before.
    Also unpacks files that others made, with tensors of any type that PRUNE has.

    Parameters
    ----------
    model : bytes
        The file.
    file : str
        Name for messages.

    Returns
    -------
    bytes
        The dense file.

    Raises
    ------
    ModelError
        When there is no DECODE operator, one that is not PRUNE, or a damaged file.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    parsed = load_model(model, file)
    decoded = [decoded_tensors(parsed, s) for s in range(len(parsed.subgraphs))]
    if not any(decoded):
        raise parsed.error(f"nothing to unpack: it has no {OPERATOR_NAME} operator")
    _refuse_offline_plan(parsed)
    ancillary_buffers = {
        subgraph.tensors[pair.ancillary].buffer
        for subgraph, pairs in zip(parsed.subgraphs, decoded, strict=True)
        for pair in pairs.values()
    }
    restored = [t for s, pairs in enumerate(decoded) for t in _remove_decode(parsed, s, pairs)]
    codes = parsed.root.operatorCodes
    ...
    return parsed.to_bytes()
