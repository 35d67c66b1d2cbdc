"""TensorFlow Lite models out: packed with DECODE operators of type PRUNE, and dense again.

The unmodified TensorFlow Lite Micro interpreter runs what `pack_tflite` makes.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from stridepack._tflite_decode import PRUNE_HEADER, unsupported_axis
from stridepack._tflite_graph import (
    Encoding,
    buffer_users,
    insert_decode,
    nbytes_in_file,
    remove_decode,
)
from stridepack._tflite_model import Model, load_model
from stridepack.errors import InputError
from stridepack.io.tflite import Constant, find_constants, int8_weights, read_values, zero_point
from stridepack.packed import Packed

# Operators that need their weights before a DECODE has run, or after another one has. The kernels
# of TensorFlow Lite Micro, and CMSIS-NN's, were searched for what they do in Prepare.
_NEEDS_CONSTANTS = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "on Arm its kernel adds up weights before anything runs",
    "SVDF": "on Arm its kernel adds up weights before anything runs",
    "IF": "it hands its inputs on to other subgraphs",
    "WHILE": "it hands its inputs on to other subgraphs",
}


def pack_tflite(
    model: bytes, packed: Mapping[str, Packed], *, file: str = "model"
) -> tuple[bytes, dict[str, str]]:
    """Encode weights of a .tflite file so that TensorFlow Lite Micro decodes them as it runs.

    A tensor is encoded if that makes the file smaller, with everything counted that it takes:
    operators, tensors, header. The rest of the model is kept. Data outside the flatbuffer move into
    it, where TensorFlow Lite Micro can find them; buffers are aligned to 16 bytes; files attached
    to the model (labels, say) are left out.

    Parameters
    ----------
    model : bytes
        The file.
    packed : mapping of str to Packed
        By the names of `read_tflite`. A tensor stays dense if its format is "dense" or its name is
        left out. Of the other formats only "bitmap", with one tile, can be used here.
    file : str
        Name for messages.

    Returns
    -------
    file : bytes
        `model` itself where nothing gets smaller. The same bytes for the same arguments.
    notes : dict of str to str
        By name, why a tensor stayed dense although its format is not "dense".

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
    candidates: dict[int, dict[str, Encoding]] = defaultdict(dict)  # by buffer
    for name, weight in weights.items():
        if name not in packed:
            continue
        blob = packed[name]
        if not np.array_equal(blob.unpack(), read_values(parsed, weight)):
            raise InputError(f"{file}: tensor {name!r} has other values than its packed form")
        if blob.format == "dense":
            continue
        if obstacle := _obstacle(parsed, weight, blob):
            notes[name] = obstacle
        else:
            buffer = parsed.subgraphs[weight.subgraph].tensors[weight.index].buffer
            candidates[buffer][name] = _encoding(weight, blob)

    chosen: dict[str, Encoding] = {}
    users = buffer_users(parsed)
    for buffer, group in candidates.items():
        if len(group) < users[buffer]:
            why = f"shares its data (buffer {buffer}) with something that stays dense"
            notes |= dict.fromkeys(group, why)
            continue
        encoded, dense = nbytes_in_file(parsed, list(group.values()))
        if encoded < dense:
            chosen |= group
        else:
            notes |= dict.fromkeys(group, f"would take {encoded} bytes encoded, {dense} dense")
    if not chosen:
        return model, notes
    _refuse_offline_plan(parsed)
    insert_decode(parsed, chosen.values())
    result = parsed.to_bytes()
    if len(result) >= len(model):
        why = f"the file would take {len(result)} bytes, it takes {len(model)}"
        return model, notes | dict.fromkeys(chosen, why)
    return result, notes


def unpack_tflite(model: bytes, *, file: str = "model") -> bytes:
    """Make a .tflite file dense again: without DECODE operators of type PRUNE.

    Undoes `pack_tflite`: tensors, their places, and what operators read are as before. Also unpacks
    files that others made, with tensors of any type that PRUNE has.

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
    remove_decode(parsed)
    _refuse_offline_plan(parsed)
    return parsed.to_bytes()


def _encoding(weight: Constant, blob: Packed) -> Encoding:
    """The two streams of a bitmap blob are what the two tensors hold."""
    payload = blob.to_bytes()[blob.nbytes - blob.payload_nbytes :]
    bitmap_nbytes = blob.streams["bitmap"]
    values = -(-bitmap_nbytes // 4) * 4  # streams start at multiples of 4
    return Encoding(
        weight.subgraph,
        weight.index,
        weight.readers,
        payload[:bitmap_nbytes],
        PRUNE_HEADER + payload[values : values + blob.streams["values"]],
    )


def _obstacle(model: Model, weight: Constant, blob: Packed) -> str | None:
    """Why a tensor cannot be encoded with DECODE operators, if so."""
    if blob.format != "bitmap":
        return f"TensorFlow Lite Micro has no decoder for {blob.format}, only for bitmap"
    if blob.n_tiles != 1:
        return f"TensorFlow Lite Micro decodes whole tensors, not {blob.n_tiles} tiles"
    if weight.encoded:
        return "is encoded in the model already"
    if value := zero_point(weight):
        return f"its zero point is {value}; a bitmap marks what is not 0"
    if (axis := unsupported_axis(weight.tensor)) is not None:
        return f"TensorFlow Lite Micro does not decode tensors with quantisation axis {axis}"
    graph = model.subgraphs[weight.subgraph]
    if weight.index in (*graph.inputs, *graph.outputs):
        return f"is an input or output of subgraph {weight.subgraph}"
    for reader in weight.readers:
        operator = graph.operators[reader]
        name = model.operator_name(operator)
        if name in _NEEDS_CONSTANTS:
            return f"{name} #{reader} reads it, and {_NEEDS_CONSTANTS[name]}"
        if model.is_custom(operator):
            return f"{name} #{reader} reads it, a custom operator that may need it constant"
    return None


def _refuse_offline_plan(model: Model) -> None:
    """A memory plan made offline lists all tensors; the interpreter refuses one that does not."""
    for entry in model.root.metadata or ():
        if entry.name == b"OfflineMemoryAllocation":
            raise model.error(
                "has an offline memory plan (metadata 'OfflineMemoryAllocation'), which numbers "
                "its tensors: plan memory after packing"
            )
