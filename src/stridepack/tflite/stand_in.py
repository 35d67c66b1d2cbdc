# SPDX-License-Identifier: Apache-2.0
"""A model with operators of ours, for an interpreter that does not have them.

The interpreter of the package tflite-micro takes a custom operator only as C++ that was compiled
against its own sources. So that it can run such a model all the same, DECODE operators take the
places of ours. They write the same values to the same tensors at the same time; only what they
decode these from is another encoding.
"""

from stridepack.tflite.decode import DECODE, decode, decoded_tensors, is_own, n_own_operators
from stridepack.tflite.graph import bytes_tensor, operator_code
from stridepack.tflite.model import Buffer, Model, load_model, type_name
from stridepack.tflite.types import UnencodableError
from stridepack.tflite.types.huffman import Huffman
from stridepack.tflite.types.prune import Prune


def why_no_stand_in(model: Model) -> list[str]:
    """A sentence on why DECODE operators cannot take the places of ours; none if they can."""
    elements = (
        type_name(graph.tensors[t])
        for graph in model.subgraphs
        for operator in graph.operators
        if is_own(model, operator)
        for t in operator.outputs
    )
    other = next((element for element in elements if element != "int8"), None)
    if other is None:
        return []
    return [
        f"The operator of stridepack writes {other} elements, which no operator of the interpreter "
        "on this machine can do in its place."
    ]


def with_decode_operators(model: bytes, file: str) -> bytes:
    """The model with a DECODE operator in place of each operator of ours.

    Parameters
    ----------
    model : bytes
        The file.
    file : str
        Name for messages.

    Returns
    -------
    bytes
        `model` itself where it has no operator of ours.

    Raises
    ------
    ModelError
        For a file that cannot be read, or with a damaged operator.
    """
    parsed = load_model(model, file)
    if not n_own_operators(parsed):
        return model
    code = operator_code(parsed, DECODE)
    buffers = parsed.root.buffers
    for s, graph in enumerate(parsed.subgraphs):
        pairs = decoded_tensors(parsed, s)
        for operator in graph.operators:
            if not is_own(parsed, operator):
                continue
            (output,) = operator.outputs
            tensor = graph.tensors[output]
            values = decode(parsed, graph, tensor, pairs[output])
            try:
                payload = Prune().encode(values, tensor)
            except UnencodableError:
                payload = Huffman().encode(values, tensor)  # encodes all values and quantisations
            operator.opcodeIndex = code
            operator.inputs = []
            name = graph.tensors[pairs[output].encoded].name
            for content, name_of_it in ((payload.encoded, name), (payload.ancillary, None)):
                operator.inputs.append(len(graph.tensors))
                graph.tensors.append(bytes_tensor(len(content), len(buffers), name_of_it))
                buffers.append(Buffer(content))
    return parsed.to_bytes()
