# SPDX-License-Identifier: Apache-2.0
"""Graphs that converters seldom write: subgraphs that decode, variables, signatures."""

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import operators, pack, weight
from tflite_micro import runtime
from tflite_models import ModelBuilder, decode_graph, dense_layer, schema, sparse

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types import decode_type


def layer(build: ModelBuilder, x: int, name: str, seed: int) -> int:
    """A fully connected layer. Returns its output; weights of the same name are shared."""
    known = (t for t, tensor in enumerate(build.graph.tensors) if tensor.name == name)
    w = next(known, None)
    w = build.constant(name, sparse(48, 48, seed=seed)) if w is None else w
    y = build.tensor(None, [1, 48], scale=[0.06], zero_point=[1])
    build.fully_connected([x, w, -1], [y])
    return y


def around_an_if() -> ModelBuilder:
    """A kernel that is read before an IF and after it; both branches have one of their own."""
    build = ModelBuilder()
    condition = build.tensor("condition", [1], "bool", scale=())
    x = build.tensor("x", [1, 48], scale=[0.06], zero_point=[1])
    before = layer(build, x, "w", 1)
    after = build.tensor(None, [1, 48], scale=[0.06], zero_point=[1])
    build.operator("IF", [condition, before], [after], schema.IfOptionsT(1, 2))
    build.ends([condition, x], [layer(build, after, "w", 1)])
    for seed in (2, 3):
        build.add_subgraph()
        p = build.tensor("p", [1, 48], scale=[0.06], zero_point=[1])
        build.ends([p], [layer(build, p, f"v{seed}", seed)])
    return build


def outputs(model: bytes, *, decompression: int = 0) -> list[npt.NDArray[np.int8]]:
    """Of `around_an_if`, for both branches."""
    found = []
    interpreter = runtime.Interpreter.from_bytes(
        model, arena_size=2**20, alt_decompression_memory_size=decompression
    )
    for branch in (False, True):
        interpreter.set_input(np.array([branch]), 0)
        interpreter.set_input(sparse(1, 48, sparsity=0, seed=4), 1)
        interpreter.invoke()
        found.append(np.array(interpreter.get_output(0)))
    return found


@pytest.mark.parametrize("decompression", [0, 48 * 48, 2**14])
def test_a_subgraph_decodes_in_between(decompression: int) -> None:
    """All DECODE operators write into the same memory, those of a branch as well."""
    model = around_an_if().to_bytes()
    packed = pack(model)
    assert operators(packed).count("TFLM_DECODE") == 4
    dense, decoded = outputs(model), outputs(packed, decompression=decompression)
    np.testing.assert_array_equal(dense, decoded)
    assert unpack_tflite(packed) == load_model(model, "model").to_bytes()


def test_a_subgraph_that_is_called_where_a_decoded_tensor_is_in_use() -> None:
    """Here another packer shares a DECODE across an IF, so that its branches cannot have one."""
    model = around_an_if().to_bytes()
    parsed = load_model(pack(model), "packed")
    main = parsed.subgraphs[0]
    first, layer_before, call, _, layer_after = main.operators
    layer_after.inputs[1] = first.outputs[0]
    main.operators = [first, layer_before, call, layer_after]
    for dense, graph in zip(
        load_model(model, "model").subgraphs[1:], parsed.subgraphs[1:], strict=True
    ):
        buffer = graph.tensors[1].buffer
        graph.tensors, graph.operators = dense.tensors, dense.operators
        for operator in graph.operators:
            operator.opcodeIndex = layer_before.opcodeIndex
        parsed.root.buffers[buffer] = load_model(model, "model").root.buffers[buffer]
    packed = pack_tflite(parsed.to_bytes())
    assert not packed.payloads
    assert packed.notes["v2"].startswith("another tensor that is decoded already is in use")
    np.testing.assert_array_equal(outputs(model), outputs(packed.data, decompression=2**14))


def test_a_variable_tensor_stays_as_it_is() -> None:
    """TensorFlow Lite Micro ignores its data, and sets it to the zero point."""
    build = dense_layer(sparse(64, 64))
    weight(build).isVariable = True
    model = build.to_bytes()
    packed = pack_tflite(model)
    assert packed.data is model
    assert packed.notes["w"].startswith("it is a variable tensor")


def test_a_tensor_with_data_that_an_operator_writes_stays_as_it_is() -> None:
    build = dense_layer(sparse(64, 64))
    other = build.tensor("other", [64, 64])
    options = schema.ReshapeOptionsT(newShape=[64, 64])
    build.operator("RESHAPE", [1], [other], options)
    build.operator("RESHAPE", [other], [1], options)
    model = build.to_bytes()
    packed = pack_tflite(model)
    assert packed.notes["w"] == "RESHAPE #2 writes it"
    assert compare_outputs(model, packed.data, n_inputs=2).equal


def test_signatures_follow_the_outputs_of_a_decode() -> None:
    header = decode_type("tflm_prune").header()
    build = decode_graph(b"\xe0", header, np.array([1, 2, 3], np.int8), [8])
    output = schema.TensorMapT("y", build.graph.outputs[0])
    build.model.signatureDefs = [schema.SignatureDefT([], [output], "serve", 0)]
    graph = load_model(unpack_tflite(build.to_bytes()), "unpacked")
    (signature,) = graph.root.signatureDefs
    assert [o.tensorIndex for o in signature.outputs] == graph.subgraphs[0].outputs == [0]


def test_an_output_that_is_decoded_is_in_use_to_the_end() -> None:
    header = decode_type("tflm_prune").header()
    build = decode_graph(b"\xff\x00" * 256, header, np.ones(2048, np.int8), [4096])
    decoded = build.graph.outputs[0]
    x = build.tensor("x", [1, 48], scale=[0.06], zero_point=[1])
    model = build.ends([x], [decoded, layer(build, x, "v", 1)]).to_bytes()
    packed = pack_tflite(model)
    assert packed.notes["v"].startswith("another tensor that is decoded already is in use")


def test_a_field_of_a_later_schema_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be read all the same."""
    build = dense_layer(sparse(64, 64))

    def start(builder: flatbuffers.Builder) -> None:
        builder.StartObject(20)
        builder.PrependInt32Slot(19, 7, 0)

    with monkeypatch.context() as patch:
        patch.setattr(schema, "TensorStart", start)
        model = build.to_bytes()
    assert [tensor.name for tensor in parse_tflite(model)] == ["w"]
    with pytest.raises(sp.ModelError, match="table Tensor with a field that the installed"):
        pack_tflite(model)
