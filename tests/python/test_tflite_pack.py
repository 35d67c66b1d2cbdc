# SPDX-License-Identifier: Apache-2.0
"""Packing and unpacking .tflite files: exact weights, and everything else as it was."""

import copy
import io
import re
import zipfile
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import (
    TINY,
    assert_equal_weights,
    layer_read_by,
    operators,
    pack,
    shared_buffer,
    two_subgraphs,
    two_weights_in_one_operator,
)
from tflite_models import ModelBuilder, conv_layer, dense_layer, schema, sparse

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import PackedModel, pack_tflite, unpack_tflite
from stridepack.tflite.types import decode_type, decode_types


@pytest.mark.parametrize("types", [(), ("tflm_huffman",), ("tflm_prune",)])
@pytest.mark.parametrize("name", TINY)
def test_pack_and_unpack(name: str, types: tuple[str, ...]) -> None:
    model = TINY[name]()
    packed = pack(model, *types)
    assert "TFLM_DECODE" in operators(packed)
    assert_equal_weights(packed, model)
    # Not one byte is lost: what comes back is what reading and writing alone would make.
    assert unpack_tflite(packed) == load_model(model, "model").to_bytes()
    result = compare_outputs(model, packed, n_inputs=3)
    assert result.equal, result


def test_readers_share_a_decode() -> None:
    packed = pack(dense_layer(sparse(64, 64), n_readers=2).to_bytes())
    assert operators(packed) == ["TFLM_DECODE", *["FULLY_CONNECTED"] * 2]
    packed = pack(two_weights_in_one_operator().to_bytes())
    assert operators(packed) == ["TFLM_DECODE", "ADD"]


def test_shared_data_are_stored_once() -> None:
    model = shared_buffer().to_bytes()
    parsed = load_model(pack(model), "packed")
    tensors = parsed.subgraphs[0].tensors
    encoded = [t for t in tensors if t.name in (b"w", b"w_flat")]
    assert encoded[0].buffer == encoded[1].buffer
    assert len(parsed.root.buffers) == len(load_model(model, "model").root.buffers) + 1


def test_buffers_are_aligned() -> None:
    packed = pack(conv_layer(sparse(33, 3, 3, 17)).to_bytes())
    start = np.frombuffer(packed, np.uint8).__array_interface__["data"][0]
    buffers = [b.data for b in load_model(packed, "packed").root.buffers if b.data.size]
    assert len(buffers) == 2
    assert all((b.__array_interface__["data"][0] - start) % 16 == 0 for b in buffers)


def test_the_same_whatever_the_order() -> None:
    model = two_subgraphs().to_bytes()
    assert pack_tflite(model) == pack_tflite(model, map(decode_type, reversed(decode_types())))


def test_the_smallest_type_wins() -> None:
    """Each tensor gets its own: few non-zeros, a skewed distribution, few values."""
    rng = np.random.default_rng(0)
    weights = {
        "tflm_prune": sparse(64, 64, sparsity=0.97),
        "tflm_huffman": rng.normal(0, 20, (64, 64)).clip(-127, 127).astype(np.int8),
        "tflm_lut": rng.choice(np.arange(-64, 64, 8, np.int8), (64, 64)),
    }
    build = ModelBuilder()
    for name, values in weights.items():
        w = build.constant(name, values)
        build.operator("ABS", [w], [build.tensor(None, [64, 64])])
    model = build.ends([], [1]).to_bytes()
    packed = pack_tflite(model)
    assert {name: payload.format for name, payload in packed.payloads.items()} == {
        name: name for name in weights
    }
    for name, payload in packed.payloads.items():
        for other in decode_types():
            forced = pack_tflite(model, [decode_type(other)]).payloads.get(name)
            assert forced is None or forced.nbytes >= payload.nbytes
    assert_equal_weights(packed.data, model)


def rich_model() -> ModelBuilder:
    """A model with something in each field that is easily lost."""
    build = two_subgraphs()
    model = build.model
    codes = model.operatorCodes
    codes.append(schema.OperatorCodeT(9, None, 7, 9))  # FULLY_CONNECTED again, another version
    model.subgraphs[1].operators[0].opcodeIndex = len(codes) - 1
    codes.append(schema.OperatorCodeT(127, None, 2, schema.BuiltinOperator.STABLEHLO_COMPOSITE))
    model.metadata = [
        schema.MetadataT("min_runtime_version", build.buffer(b"1.14.0".ljust(16, b"\0"))),
        schema.MetadataT("twice", build.buffer(b"a")),
        schema.MetadataT("twice", build.buffer(b"b")),
    ]
    ends = [schema.TensorMapT("in", 0)], [schema.TensorMapT("out", 3)]
    model.signatureDefs = [schema.SignatureDefT(*ends, "serving_default", 0)]
    model.buffers.append(schema.BufferT())  # nothing refers to it
    state = schema.TensorT(shape=[4], type=schema.TensorType.INT8, name="state", isVariable=True)
    state.shapeSignature = [-1]
    build.graph.tensors.append(state)
    w = build.graph.tensors[1]
    w.quantization.min, w.quantization.max = np.float32([-1]), np.float32([1])
    operator = build.graph.operators[0]
    operator.builtinOptions2Type = schema.BuiltinOptions2.StableHLOCompositeOptions
    operator.builtinOptions2 = schema.StableHLOCompositeOptionsT("name", 1)
    operator.mutatingVariableInputs = np.array([False, True, False])
    operator.customOptions = np.arange(5, dtype=np.uint8)
    return build


def fields(item: Any) -> Any:
    """A table as nested lists and dicts."""
    if isinstance(item, list):
        return [fields(i) for i in item]
    if isinstance(item, np.ndarray):
        return item.tolist()
    return {k: fields(v) for k, v in vars(item).items()} if hasattr(item, "__dict__") else item


def test_packing_keeps_the_rest() -> None:
    model = rich_model().to_bytes()
    before = fields(schema.ModelT.InitFromPackedBuf(model))
    packed = pack(model)
    after = fields(schema.ModelT.InitFromPackedBuf(packed))
    for field in ("version", "description", "metadata", "signatureDefs"):
        assert after[field] == before[field], field
    n = len(before["operatorCodes"])
    assert after["operatorCodes"][:n] == before["operatorCodes"]
    assert len(after["operatorCodes"]) == n + 1
    for s in (0, 1):
        old, new = before["subgraphs"][s], after["subgraphs"][s]
        assert (new["inputs"], new["outputs"], new["name"]) == (
            old["inputs"],
            old["outputs"],
            old["name"],
        )
        for t, tensor in enumerate(old["tensors"]):
            if tensor["name"] != b"w":
                assert new["tensors"][t] == tensor
        (decode, reader), (only,) = new["operators"], old["operators"]
        (decoded,) = decode["outputs"]
        assert reader == {**only, "inputs": [0, decoded, only["inputs"][2]]}
        w = old["tensors"][1]
        assert new["tensors"][decoded] == {**w, "name": None, "buffer": 0}
    assert unpack_tflite(packed) == load_model(model, "model").to_bytes()


def test_packing_pulls_data_into_the_flatbuffer() -> None:
    build = dense_layer(sparse(64, 64))
    build.operator("CUSTOM_THING", [0], [0])
    build.graph.operators[1].customOptions = np.arange(50, dtype=np.uint8)
    inside = copy.deepcopy(build).to_bytes()
    outside = build.to_bytes(outside=[1, 2])
    assert pack(outside) == pack(inside)
    assert unpack_tflite(pack(outside)) == load_model(inside, "inside").to_bytes()


def test_packing_pulls_large_custom_options_into_the_flatbuffer() -> None:
    options = bytes(range(200))
    build = dense_layer(sparse(64, 64))
    build.operator("CUSTOM_THING", [0], [0])
    build.graph.operators[1].largeCustomOptionsOffset = 2
    build.graph.operators[1].largeCustomOptionsSize = len(options)
    at = len(build.to_bytes())
    build.graph.operators[1].largeCustomOptionsOffset = at
    packed = schema.ModelT.InitFromPackedBuf(pack(build.to_bytes() + options))
    (operator,) = (o for o in packed.subgraphs[0].operators if o.customOptions is not None)
    assert bytes(operator.customOptions) == options
    assert operator.largeCustomOptionsOffset == operator.largeCustomOptionsSize == 0
    with pytest.raises(sp.ModelError, match=r"truncated\. .* the options of operator 1 would take"):
        parse_tflite(build.to_bytes())


def test_attached_files_stay_attached() -> None:
    file = io.BytesIO()
    file.write(dense_layer(sparse(64, 64)).to_bytes())
    with zipfile.ZipFile(file, "a") as archive:  # as TensorFlow Lite's metadata writer does
        archive.writestr("labels.txt", "cat\ndog\n")
        archive.writestr("näme.txt", "x" * 100, zipfile.ZIP_DEFLATED)
    model = file.getvalue()
    packed = pack(model)
    assert len(packed) < len(model)
    assert "TFLM_DECODE" in operators(packed)
    unpacked = unpack_tflite(packed)
    assert unpacked == load_model(model, "model").to_bytes()
    for data in (packed, unpacked):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.namelist() == ["labels.txt", "näme.txt"]
            assert archive.testzip() is None
            assert archive.read("labels.txt") == b"cat\ndog\n"


def test_a_damaged_archive_behind_a_model_does_no_harm() -> None:
    flatbuffer = dense_layer(sparse(64, 64)).to_bytes()
    file = io.BytesIO()
    file.write(flatbuffer)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("näme.txt", "x")
    model = file.getvalue()
    for at in range(len(flatbuffer), len(model)):
        for value in (0x00, 0x7F, 0xFF):
            damaged = bytearray(model)
            damaged[at] = value
            attached = load_model(bytes(damaged), "model").attached
            assert attached in (b"", damaged[len(flatbuffer) :])


def test_packing_gives_operators_their_valid_code() -> None:
    build = conv_layer(sparse(32, 3, 3, 16))
    build.model.operatorCodes[0].builtinCode = 0
    (conv, decode) = schema.ModelT.InitFromPackedBuf(pack(build.to_bytes())).operatorCodes
    assert (conv.builtinCode, conv.deprecatedBuiltinCode) == (3, 3)
    assert (decode.builtinCode, decode.deprecatedBuiltinCode) == (32, 32)
    assert decode.customCode == b"TFLM_DECODE"


def weight_is_output() -> ModelBuilder:
    build = dense_layer(sparse(64, 64))
    return build.ends([0], [1, 3])


def shared_with_metadata() -> ModelBuilder:
    build = dense_layer(sparse(64, 64))
    build.model.metadata = [schema.MetadataT("copy", 1)]
    return build


def shared_with_unread_tensor() -> ModelBuilder:
    build = dense_layer(sparse(64, 64))
    build.tensor("unread", [4096], buffer=1)
    return build


STAYS_DENSE = {
    "zero point": (  # PRUNE leaves out what is 3, and here 0 is frequent
        lambda: dense_layer(sparse(64, 64), zero_point=[3]),
        r"it takes 4,\d+ bytes dense and would take 4,\d+ packed",
    ),
    "axis": (
        lambda: dense_layer(sparse(64, 64), axis=1),
        "it is quantised along axis 1, which tflm_prune does not decode",
    ),
    "small": (
        lambda: dense_layer(sparse(8, 8)),
        r"it takes \d+ bytes dense and would take \d+ packed",
    ),
    "small gain": (
        lambda: dense_layer(sparse(16, 16)),
        r"the file takes 1,008 bytes and would take 1,\d+ packed",
    ),
    "dense": (
        lambda: dense_layer(sparse(64, 64, sparsity=0.1)),
        r"it takes 4,\d+ bytes dense and would take 4,\d+ packed",
    ),
    "LSTM": (
        lambda: layer_read_by("UNIDIRECTIONAL_SEQUENCE_LSTM"),
        "UNIDIRECTIONAL_SEQUENCE_LSTM #1 needs it while the interpreter starts, before anything is",
    ),
    "SVDF": (lambda: layer_read_by("SVDF"), "SVDF #1 needs it while the interpreter starts"),
    "control flow": (lambda: layer_read_by("WHILE"), "WHILE #1 passes it on to another subgraph"),
    "custom operator": (
        lambda: layer_read_by("MINE"),
        "the custom operator MINE #1 reads it and may need a constant",
    ),
    "output": (weight_is_output, "^it is an input or output of subgraph 0$"),
    "metadata": (shared_with_metadata, r"^it shares its data \(buffer 1\) with something"),
    "unread tensor": (
        shared_with_unread_tensor,
        r"^it shares its data \(buffer 1\) with something",
    ),
}


@pytest.mark.parametrize("what", STAYS_DENSE)
def test_stays_dense(what: str) -> None:
    make, reason = STAYS_DENSE[what]
    model = make().to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_prune")])
    assert packed.data is model
    assert list(packed.notes) == ["w"]
    assert re.search(reason, packed.notes["w"]), packed.notes


@pytest.mark.parametrize("what", ["zero point", "axis"])
def test_huffman_does_not_care_about_quantisation(what: str) -> None:
    make, _ = STAYS_DENSE[what]
    model = make().to_bytes()
    packed = pack(model)
    assert_equal_weights(packed, model)
    assert compare_outputs(model, packed, n_inputs=3).equal


def test_one_of_two_that_share_data_stays_dense() -> None:
    """Then both do: the dense data must stay in the file anyway."""
    build = shared_buffer()
    build.graph.tensors[1].quantization.quantizedDimension = 1
    model = build.to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_prune")])
    assert packed.data is model
    assert packed.notes == {
        "w": "it is quantised along axis 1, which tflm_prune does not decode",
        "w_flat": "it shares its data (buffer 1) with something that stays dense",
    }


def test_tensors_that_share_data_need_the_same_encoding() -> None:
    """A look-up table for each channel fits only one of them."""
    build = shared_buffer()
    weights = np.arange(64, dtype=np.int8)[:, np.newaxis] * 2 + np.arange(64) % 2
    build.model.buffers[1].data = weights.astype(np.uint8).reshape(-1)
    quantization = build.graph.tensors[1].quantization
    quantization.scale, quantization.zeroPoint = np.ones(64, np.float32), np.zeros(64, np.int64)
    model = build.to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_lut")])
    assert packed.data is model
    assert set(packed.notes.values()) == {"it shares its data with a tensor of other scales"}


def test_small_tensors_stay_dense() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    assert "w" in pack_tflite(model, min_size=4096).payloads
    packed = pack_tflite(model, min_size=4097)
    assert packed.data is model
    assert packed.notes == {"w": "it has fewer than 4,097 elements"}


def test_no_types() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    assert pack_tflite(model, []) == PackedModel(model, {}, {})
    with pytest.raises(
        sp.InputError, match=r"no DECODE type 'rle'\. Choose tflm_lut, tflm_huffman or"
    ):
        decode_type("rle")


def test_packing_again_changes_nothing() -> None:
    packed = pack(two_subgraphs().to_bytes())
    again = pack_tflite(packed)
    assert again.data is packed
    assert again.notes == dict.fromkeys(["w", "w#2"], "it is encoded in the model already")
    assert again.already == pack_tflite(two_subgraphs().to_bytes()).payloads


def test_packing_more_of_a_packed_model() -> None:
    build = two_subgraphs()
    build.operator("ABS", [build.constant("large", sparse(100, 100))], [0])
    model = build.to_bytes()
    first = pack_tflite(model, [decode_type("tflm_huffman")], min_size=5000)
    assert list(first.payloads) == ["large"]
    both = pack_tflite(first.data)
    assert list(both.notes) == ["large"]
    assert len(both.data) < len(first.data)
    assert operators(both.data) == [
        *("TFLM_DECODE", "FULLY_CONNECTED") * 2,
        *("TFLM_DECODE", "ABS"),
    ]
    assert_equal_weights(both.data, model)
    assert unpack_tflite(both.data) == load_model(model, "model").to_bytes()


def test_refuses_an_offline_memory_plan() -> None:
    build = dense_layer(sparse(64, 64))
    build.model.metadata = [schema.MetadataT("OfflineMemoryAllocation", build.buffer(bytes(28)))]
    model = build.to_bytes()
    with pytest.raises(
        sp.ModelError,
        match=r"has an offline memory plan .* Pack the model first and plan its memory afterwards",
    ):
        pack_tflite(model)


def test_nothing_to_unpack() -> None:
    """A model in which packing gained nothing unpacks to itself."""
    model = dense_layer(sparse(8, 8)).to_bytes()
    assert unpack_tflite(pack_tflite(model, min_size=1000).data) is model
