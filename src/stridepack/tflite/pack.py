# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite models out: packed with DECODE operators, and dense again.

The unmodified TensorFlow Lite Micro interpreter runs what `pack_tflite` makes of its own types.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from stridepack._threads import in_threads
from stridepack.errors import StridepackError
from stridepack.plan.rules import why_dense
from stridepack.tensor import Int8Array, equal_values
from stridepack.tflite.arena.goal import RamGoal, RamUse
from stridepack.tflite.constants import Constant, find_constants, named_weights, read_values
from stridepack.tflite.decode import in_use, payload_of
from stridepack.tflite.encodings import Tensors, find_candidates
from stridepack.tflite.graph import Encoding, buffer_users, insert_decode, remove_decode
from stridepack.tflite.limits import is_refused, limits
from stridepack.tflite.model import Model, load_model, type_name
from stridepack.tflite.operators import why_constant
from stridepack.tflite.types import (
    DecodeType,
    Payload,
    UndecodableError,
    UnencodableError,
    decode_type,
    decode_types,
)
from stridepack.tflite.unsupported import compiled_for, what_was_found
from stridepack.tflite.within import choose_within

# Why a tensor of another type than int8 stays dense.
NOT_DECODED = "it has {} elements, which the DECODE operator of TensorFlow Lite Micro cannot write"


@dataclass(frozen=True)
class PackedModel:
    """What `pack_tflite` made of a model.

    Attributes
    ----------
    data : bytes
        The file.
    payloads : dict of str to Payload
        By name, how each tensor is encoded that is not dense.
    notes : dict of str to str
        By name, why each other tensor is dense, or as it was.
    already : dict of str to Payload
        By name, how each tensor is encoded that was packed before. It stays as it is.
    ram : RamUse or None
        What it takes, where anything was asked of it and there was a choice.
    densified : tuple of str
        Names of the tensors that were in TensorFlow Lite's sparse encoding.
    limits : tuple of str
        Sentences on what TensorFlow Lite Micro does not run of the model, packed or not.
    is_refused : bool
        Whether it does not run the model at all.
    """

    data: bytes
    payloads: dict[str, Payload]
    notes: dict[str, str]
    already: dict[str, Payload] = field(default_factory=dict)
    ram: RamUse | None = None
    densified: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    is_refused: bool = False


def pack_tflite(
    model: bytes,
    types: Iterable[DecodeType] | None = None,
    *,
    min_size: int = 0,
    reference_kernels: bool = False,
    file: str = "model",
    ram: RamGoal | None = None,
    on_done: Callable[[int], None] | None = None,
) -> PackedModel:
    """Encode weights of a .tflite file so that TensorFlow Lite Micro decodes them as it runs.

    Every tensor is encoded in every type. What may be kept is decoded again and compared. The type
    that takes the fewest bytes is kept if that makes the file smaller, with everything counted that
    it takes: operators, tensors, header, tables. The rest of the model is kept. Data outside the
    flatbuffer move into it, where TensorFlow Lite Micro can find them; buffers are aligned to 16
    bytes. Files attached to the model (labels, say) stay attached.

    Parameters
    ----------
    model : bytes
        The file.
    types : iterable of DecodeType, optional
        What to choose from. Default: all that the unmodified TensorFlow Lite Micro decodes.
    min_size : int
        Tensors of fewer elements stay dense.
    reference_kernels : bool
        Whether the firmware uses TensorFlow Lite Micro's own kernels and not CMSIS-NN's, so that
        weights are packed which only the latter need while the interpreter starts.
    file : str
        Name for messages.
    ram : RamGoal, optional
        What is asked of the tensor arena. Default: nothing, and the arena is not looked at.
    on_done : callable, optional
        Called with the number of elements whenever a tensor has been encoded.

    Returns
    -------
    PackedModel
        With `model` itself where nothing gets smaller, or the dense model where tensors are in
        TensorFlow Lite's sparse encoding. The same bytes for the same arguments.

    Raises
    ------
    BudgetError
        When what is asked of the arena cannot be kept.
    InputError
        For an option of a format outside its limits.
    ModelError
        For a file that `read_tflite` refuses, or that cannot be changed without breaking it.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    chosen_from = [*map(decode_type, decode_types())] if types is None else list(types)
    parsed = load_model(model, file)
    weights = named_weights(parsed, find_constants(parsed))
    already = {
        name: payload_of(parsed, parsed.subgraphs[weight.subgraph], weight.encoded)
        for name, weight in weights.items()
        if weight.encoded
    }
    about = (tuple(parsed.densified), tuple(limits(parsed)), is_refused(parsed))
    dense = model
    if parsed.densified:
        _refuse_offline_plan(parsed)
        dense = parsed.to_bytes()
    if not chosen_from:
        if ram is None:
            return PackedModel(dense, {}, {}, already, None, *about)
        weights = {}

    taken = in_use(parsed)
    users = buffer_users(parsed)

    def encode(item: tuple[str, Constant]) -> dict[str, Payload] | str:
        name, weight = item
        if (obstacle := _obstacle(parsed, weight, min_size, reference_kernels)) is not None:
            return obstacle
        if taken[weight.subgraph] & {*weight.readers}:
            return "another tensor that is decoded already is in use where it would be decoded"
        is_shared = users[parsed.subgraphs[weight.subgraph].tensors[weight.index].buffer] > 1
        types = [decode.for_shared() for decode in chosen_from] if is_shared else chosen_from
        return _encode(parsed, name, weight, types)

    tried = in_threads(
        encode,
        list(weights.items()),
        lambda item: item[1].n_elements,
        on_done,
    )
    notes: dict[str, str] = {}
    groups: dict[int, Tensors] = defaultdict(dict)  # by buffer
    for (name, weight), result in zip(weights.items(), tried, strict=True):
        if isinstance(result, str):
            notes[name] = result
        elif result:
            buffer = parsed.subgraphs[weight.subgraph].tensors[weight.index].buffer
            groups[buffer][name] = (weight, result)

    for buffer, group in list(groups.items()):
        if len(group) < users[buffer]:
            why = f"it shares its data (buffer {buffer}) with something that stays dense"
            notes |= dict.fromkeys(groups.pop(buffer), why)
    candidates = find_candidates(parsed, groups.values(), notes)

    def build(encodings: list[Encoding]) -> bytes:
        packed = load_model(model, file)
        insert_decode(packed, encodings)
        return packed.to_bytes()

    if candidates:
        _refuse_offline_plan(parsed)
    if ram is not None:
        within = choose_within(dense, parsed, candidates, ram, build)
        data, ways, why, use = within.data, within.chosen, within.why_not, within.ram
    else:
        use, ways = None, dict.fromkeys(range(len(candidates)), 0)
        data = build([e for c in candidates for e in c.ways[0][1]]) if candidates else None
        if data is not None and len(data) >= len(dense):
            why = f"the file takes {len(dense):,} bytes and would take {len(data):,} packed"
            data, ways = None, {}
    payloads: dict[str, Payload] = {}
    for i, candidate in enumerate(candidates):
        if i in ways:
            encodings = candidate.ways[ways[i]][1]
            payloads |= {n: e.payload for n, e in zip(candidate.names, encodings, strict=True)}
        else:
            notes |= dict.fromkeys(candidate.names, why)
    return PackedModel(dense if data is None else data, payloads, notes, already, use, *about)


def unpack_tflite(model: bytes, *, file: str = "model") -> bytes:
    """Make a .tflite file dense again: without DECODE operators.

    Undoes `pack_tflite`: tensors, their places, and what operators read are as before. Also unpacks
    files that others made, with tensors of any type that they decode.

    Parameters
    ----------
    model : bytes
        The file.
    file : str
        Name for messages.

    Returns
    -------
    bytes
        The dense file; `model` itself where it has no DECODE operator.

    Raises
    ------
    ModelError
        For a DECODE operator of an unknown type, a damaged file, or one compiled for an NPU.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    parsed = load_model(model, file)
    if not remove_decode(parsed):
        if compiled_for(parsed) and not named_weights(parsed, find_constants(parsed)):
            raise parsed.error(what_was_found(parsed, []))  # a copy would look like dense weights
        return model
    _refuse_offline_plan(parsed)
    return parsed.to_bytes()


def _encode(
    model: Model, name: str, weight: Constant, types: Sequence[DecodeType]
) -> dict[str, Payload] | str:
    """Payloads of a tensor in all types that can encode it; if none can, why."""
    values = read_values(model, weight)
    element = type_name(weight.tensor)
    payloads: dict[str, Payload] = {}
    reasons = []
    if not any(element in decode.elements for decode in types):
        return NOT_DECODED.format(element)
    for decode in types:
        try:
            _add_payload(payloads, decode, name, values, weight)
        except (UnencodableError, UndecodableError) as error:
            reasons.append(str(error))
    return payloads or "; ".join(reasons)


def _add_payload(
    payloads: dict[str, Payload],
    decode: DecodeType,
    name: str,
    values: Int8Array,
    weight: Constant,
) -> None:
    """Encode a tensor in one type, decode it again, and keep the payload if it is of use.

    Raises UnencodableError, or UndecodableError because of its scales, which the values do not
    show.
    """
    payload = decode.encode(values, weight.tensor)
    # All blobs take the same RAM, so only the smallest is of use.
    blob = next((p for p in payloads.values() if not p.ancillary), None)
    if blob and not payload.ancillary:
        if blob.nbytes <= payload.nbytes:
            return
        del payloads[blob.format], blob
    contents = (np.frombuffer(b, np.uint8) for b in (payload.encoded, payload.ancillary))
    if not equal_values(decode.decode(weight.tensor, *contents), values):
        raise StridepackError(
            f"Tensor {name!r} was not the same after packing with {decode.name} and unpacking. "
            "This is a defect of stridepack, and nothing was written. Please report it together "
            "with the model file."
        )
    payloads[payload.format] = payload


def _obstacle(model: Model, weight: Constant, min_size: int, reference_kernels: bool) -> str | None:
    """Why a tensor cannot be encoded with DECODE operators, or need not be."""
    if weight.encoded:
        return "it is encoded in the model already"
    if why := why_dense(weight.n_elements, min_size):
        return why
    if weight.n_elements == 0:
        return "it is empty"
    graph = model.subgraphs[weight.subgraph]
    if weight.index in (*graph.inputs, *graph.outputs):
        return f"it is an input or output of subgraph {weight.subgraph}"
    if weight.tensor.isVariable:
        return "it is a variable tensor, which TensorFlow Lite Micro keeps in its arena"
    for o, operator in enumerate(graph.operators):
        if weight.index in operator.outputs:
            return f"{model.operator_name(operator)} #{o} writes it"
    for reader in weight.readers:
        if why := why_constant(
            model, graph.operators[reader], reader, reference_kernels=reference_kernels
        ):
            return why
    return None


def _refuse_offline_plan(model: Model) -> None:
    """A memory plan made offline lists all tensors; the interpreter refuses one that does not."""
    for entry in model.root.metadata or ():
        if entry.name == b"OfflineMemoryAllocation":
            raise model.error(
                "the model has an offline memory plan (metadata 'OfflineMemoryAllocation'). "
                "Packing changes the tensors that this plan lists. Pack the model first and plan "
                "its memory afterwards."
            )
