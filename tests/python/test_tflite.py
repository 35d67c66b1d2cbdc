"""TensorFlow Lite models in and out, and in the stock TensorFlow Lite Micro interpreter."""

import copy
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.compression import (
    compressor,
    decode_insert,
    model_editor,
)
from tflite_models import ModelBuilder, conv_layer, decode_graph, dense_layer, schema, sparse

import stridepack as sp
from stridepack._tflite_decode import PRUNE_HEADER
from stridepack._tflite_model import MAX_TABLES, load_model
from stridepack.emit.tflite import pack_tflite, unpack_tflite
from stridepack.interpreter import compare_outputs
from stridepack.io.tflite import parse_tflite, read_tflite

MODELS = Path(__file__).parents[3] / "shared" / "data" / "models"


def real_model(name: str) -> bytes:
    path = MODELS / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def bitmaps(model: bytes) -> dict[str, sp.Packed]:
    """Every weight of a model as a bitmap."""
    return {t.name: sp.Packed.encode(t.values, "bitmap") for t in parse_tflite(model)}


def pack(model: bytes) -> bytes:
    """Pack a model of which at least one weight gets smaller."""
    packed, _ = pack_tflite(model, bitmaps(model))
    assert len(packed) < len(model)
    return packed


def operators(model: bytes) -> list[str]:
    parsed = load_model(model, "model")
    return [parsed.operator_name(o) for graph in parsed.subgraphs for o in graph.operators]


def values(model: bytes) -> dict[str, npt.NDArray[np.int8]]:
    return {tensor.name: tensor.values for tensor in parse_tflite(model)}


def assert_equal_weights(a: bytes, b: bytes) -> None:
    first, second = values(a), values(b)
    assert list(first) == list(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def two_subgraphs() -> ModelBuilder:
    """A main graph, and one that nothing calls, with a weight of the same name."""
    build = dense_layer(sparse(64, 64))
    build.add_subgraph()
    x = build.tensor("x", [1, 64], zero_point=[-3])
    w = build.constant("w", sparse(64, 64, seed=1))
    y = build.tensor("y", [1, 64], scale=[2.0])
    build.fully_connected([x, w, -1], [y])
    return build.ends([x], [y])


def shared_buffer() -> ModelBuilder:
    """Two tensors of different shape with the same data."""
    build = dense_layer(sparse(64, 64))
    w = build.graph.tensors[1]
    flat = build.tensor("w_flat", [4096], buffer=w.buffer)
    x = build.tensor("x2", [4096])
    y = build.tensor("y2", [4096], scale=[0.1])
    build.operator("ADD", [x, flat], [y], schema.AddOptionsT(), 2)
    return build.ends([0, x], [*build.graph.outputs, y])


def two_weights_in_one_operator() -> ModelBuilder:
    build = ModelBuilder()
    a = build.constant("a", sparse(40, 100, seed=1))
    b = build.constant("b", sparse(40, 100, seed=2))
    y = build.tensor("y", [40, 100], scale=[0.1])
    build.operator("ADD", [a, b], [y], schema.AddOptionsT(), 2)
    return build.ends([], [y])


def one_weight_read_twice() -> ModelBuilder:
    build = ModelBuilder()
    w = build.constant("w", sparse(40, 100))
    y = build.tensor("y", [40, 100], scale=[0.1])
    build.operator("ADD", [w, w], [y], schema.AddOptionsT(), 2)
    return build.ends([], [y])


def builtin_operator_with_custom_name() -> ModelBuilder:
    build = dense_layer(sparse(64, 64))
    build.model.operatorCodes[0].customCode = b"TFLM_DECODE"
    return build


TINY: dict[str, Callable[[], bytes]] = {
    "fully connected": lambda: dense_layer(sparse(64, 64)).to_bytes(),
    "two readers": lambda: dense_layer(sparse(64, 64), n_readers=2).to_bytes(),
    "conv, one scale for each channel": lambda: conv_layer(sparse(32, 3, 3, 16)).to_bytes(),
    "depthwise": lambda: conv_layer(
        sparse(1, 3, 3, 512, sparsity=0.95), kind="DEPTHWISE_CONV_2D"
    ).to_bytes(),
    "two subgraphs": lambda: two_subgraphs().to_bytes(),
    "shared buffer": lambda: shared_buffer().to_bytes(),
    "two weights in one operator": lambda: two_weights_in_one_operator().to_bytes(),
    "one weight read twice": lambda: one_weight_read_twice().to_bytes(),
    "builtin operator with custom name": lambda: builtin_operator_with_custom_name().to_bytes(),
    "all zero": lambda: dense_layer(np.zeros((64, 64), np.int8)).to_bytes(),
    "odd size": lambda: dense_layer(sparse(37, 61)).to_bytes(),
}


# Reading


def test_reads_what_was_written() -> None:
    weights = sparse(32, 3, 3, 16)
    (tensor,) = parse_tflite(conv_layer(weights).to_bytes())
    assert (tensor.name, tensor.zero_point) == ("conv/w", 0)
    assert tensor.origin == "CONV_2D #0, subgraph 0, tensor 1, buffer 1"
    np.testing.assert_array_equal(tensor.values, weights)


def test_reads_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(dense_layer(sparse(8, 8)).to_bytes())
    assert [t.name for t in read_tflite(path)] == ["w"]
    with pytest.raises(sp.ModelError, match=r"nothing\.tflite: no such file"):
        read_tflite(str(tmp_path / "nothing.tflite"))
    with pytest.raises(sp.ModelError, match="no such file"):
        read_tflite(tmp_path)


def test_origin_names_all_readers() -> None:
    (tensor,) = parse_tflite(dense_layer(sparse(8, 8), n_readers=5).to_bytes())
    readers = " and ".join(f"FULLY_CONNECTED #{i}" for i in range(3))
    assert tensor.origin.startswith(f"{readers} and 2 more, subgraph 0")
    (tensor,) = parse_tflite(one_weight_read_twice().to_bytes())
    assert tensor.origin.startswith("ADD #0, subgraph 0")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a#2", "a#3"]),
        (["a", "a", "a#2"], ["a", "a#3", "a#2"]),
        (["a#2", "a", "a", "a"], ["a#2", "a", "a#3", "a#4"]),
        ([None, "", "x"], ["subgraph0/tensor1", "subgraph0/tensor2", "x"]),
        ([None, "subgraph0/tensor1"], ["subgraph0/tensor1", "subgraph0/tensor1#2"]),
        ([b"\xff", b"\xff"], ["\\xff", "\\xff#2"]),
    ],
)
def test_names_are_unique(given: list[Any], expected: list[str]) -> None:
    build = ModelBuilder()
    y = build.tensor("y", [8])
    for i, name in enumerate(given):
        build.constant(name, np.full(8, i, np.int8))
    build.operator("ADD_N", list(range(1, 1 + len(given))), [y])
    tensors = parse_tflite(build.ends([], [y]).to_bytes())
    assert [t.name for t in tensors] == expected
    assert [t.values[0] for t in tensors] == list(range(len(given)))


@pytest.mark.parametrize(
    ("zero_point", "expected"), [([], 0), ([0] * 8, 0), ([7], 7), ([0, 0, -3, 5, 0, 0, 0, 0], -3)]
)
def test_zero_point(zero_point: list[int], expected: int) -> None:
    model = dense_layer(sparse(8, 8), scale=[0.1] * 8, zero_point=zero_point).to_bytes()
    assert parse_tflite(model)[0].zero_point == expected


def test_reads_each_tensor_once_in_the_order_of_use() -> None:
    assert list(values(two_subgraphs().to_bytes())) == ["w", "w#2"]
    assert list(values(shared_buffer().to_bytes())) == ["w", "w_flat"]
    build = two_weights_in_one_operator()
    build.graph.operators[0].inputs = [1, 0]
    build.operator("ABS", [0], [build.tensor("z", [40, 100])])
    assert list(values(build.to_bytes())) == ["b", "a"]


def test_constants_that_no_operator_reads_are_no_weights() -> None:
    build = dense_layer(sparse(8, 8))
    build.constant("unused", sparse(8, 8))
    assert list(values(build.to_bytes())) == ["w"]


def test_reads_deprecated_operator_codes() -> None:
    build = conv_layer(sparse(8, 3, 3, 4))
    build.model.operatorCodes[0].builtinCode = 0
    assert parse_tflite(build.to_bytes())[0].origin.startswith("CONV_2D")


def test_reads_buffers_outside_the_flatbuffer() -> None:
    build = dense_layer(sparse(64, 64))
    inside, outside = build.to_bytes(), copy.deepcopy(build).to_bytes(outside=[1])
    assert outside != inside
    assert_equal_weights(inside, outside)
    with pytest.raises(sp.ModelError, match=r"buffer 1 is outside .* but the file has"):
        parse_tflite(outside[:-1])


def test_arrays_cannot_be_changed() -> None:
    (tensor,) = parse_tflite(dense_layer(sparse(8, 8)).to_bytes())
    with pytest.raises(ValueError, match="read-only"):
        tensor.values[0] = 1


def float_only() -> bytes:
    build = dense_layer(np.ones((8, 8), np.float32), scale=[])
    for tensor in build.graph.tensors:
        tensor.type = schema.TensorType.FLOAT32
    return build.to_bytes()


def changed(part: Callable[[ModelBuilder], Any], **fields: Any) -> Callable[[], bytes]:
    """A fully connected layer of which fields of one part are set."""

    def make() -> bytes:
        build = dense_layer(sparse(64, 64))
        vars(part(build)).update(fields)
        return build.to_bytes()

    return make


def weight(build: ModelBuilder) -> Any:
    return build.graph.tensors[1]


def operator(build: ModelBuilder) -> Any:
    return build.graph.operators[0]


def graph(build: ModelBuilder) -> Any:
    return build.graph


def root(build: ModelBuilder) -> Any:
    return build.model


REFUSED = {
    "empty": (lambda: b"", r"not a TensorFlow Lite model: bytes 4 to 7 are b''"),
    "text": (lambda: b"hello, world", "bytes 4 to 7 are b'o, w', not b'TFL3'"),
    "only a header": (lambda: b"\x10\0\0\0TFL3", "truncated or corrupt: .* its 8 bytes"),
    "float": (float_only, "its operators read 2 float32 constant tensors; quantise the model"),
    "uint8": (changed(weight, type=schema.TensorType.UINT8), "1 uint8 and 1 int32 constant"),
    "int4": (changed(weight, type=schema.TensorType.INT4), "1 int4 and 1 int32 constant"),
    "no operators": (changed(graph, operators=[]), "none of its operators reads a constant"),
    "no subgraph": (changed(root, subgraphs=[]), "none of its operators reads a constant"),
    "shape": (
        changed(weight, shape=[64, 63]),
        r"tensor w: shape \[64, 63\] needs 4032 bytes, its buffer 1 has 4096",
    ),
    "negative shape": (changed(weight, shape=[-64, -64]), r"tensor w: shape \[-64, -64\]"),
    "many dimensions": (
        changed(weight, shape=[2**31 - 1] * 1000),
        r"tensor 1 \('w'\) of subgraph 0 has more than 8 dimensions",
    ),
    "sparse": (
        changed(weight, sparsity=schema.SparsityParametersT()),
        "tensor w: is stored in TensorFlow Lite's sparse encoding",
    ),
    "another file": (changed(weight, externalBuffer=1), "has its data in another file"),
    "buffer": (
        changed(weight, buffer=9),
        r"tensor 1 \('w'\) of subgraph 0 refers to buffer 9; there are 3",
    ),
    "buffer 0": (
        changed(lambda build: build.model.buffers[0], data=np.ones(4, np.uint8)),
        "no buffer 0, or it is not empty",
    ),
    "no buffers": (changed(root, buffers=[]), "no buffer 0, or it is not empty"),
    "operator code": (
        changed(operator, opcodeIndex=7),
        "operator 0 of subgraph 0 refers to operator code 7; there are 1",
    ),
    "operator input": (
        changed(operator, inputs=[-2]),
        "operator 0 of subgraph 0 refers to tensor -2; there are 4",
    ),
    "operator output": (changed(operator, outputs=[-1]), "subgraph 0 refers to tensor -1"),
    "graph input": (changed(graph, inputs=[99]), "subgraph 0 refers to tensor 99"),
    "metadata": (
        changed(root, metadata=[schema.MetadataT("m", 77)]),
        "metadata 'm' refers to buffer 77",
    ),
    "options of a later schema": (
        changed(operator, builtinOptionsType=250),
        "BuiltinOptions of type 250, which the installed tflite-micro does not know",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses(what: str) -> None:
    make, match = REFUSED[what]
    with pytest.raises(sp.ModelError, match=match) as error:
        parse_tflite(make(), "f.tflite")
    assert str(error.value).startswith("f.tflite: ")


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dense_layer(sparse(8, 8)).to_bytes()
    monkeypatch.setitem(sys.modules, "tflite_micro.tensorflow.lite.micro.python", None)
    for use in (parse_tflite, unpack_tflite, lambda m: compare_outputs(m, m)):
        with pytest.raises(sp.MissingDependencyError, match=r"pip install 'stridepack\[tflite\]'"):
            use(model)


def test_the_package_imports_without_it() -> None:
    code = """
import sys
sys.modules |= dict.fromkeys(["tflite_micro", "flatbuffers"])
import stridepack.io.tflite, stridepack.emit.tflite, stridepack.interpreter
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# Hostile bytes


def attempt(data: bytes) -> bool:
    """Do all that can be done with a file: only ModelError may come of it. Whether one could."""
    done = 0
    for use in (lambda: pack_tflite(data, bitmaps(data)), lambda: unpack_tflite(data)):
        try:
            use()
            done += 1
        except sp.ModelError:
            pass
    return done > 0


@pytest.mark.parametrize("packed", [False, True])
def test_truncated_anywhere(packed: bool) -> None:
    model = conv_layer(sparse(16, 3, 3, 16)).to_bytes()
    model = pack(model) if packed else model
    for n in (*range(200), *range(256, len(model) - 64, 64)):
        assert not attempt(model[:n]), n


@pytest.mark.parametrize("packed", [False, True])
def test_random_damage(packed: bool) -> None:
    # Few weights, so that most of the file is structure.
    model = dense_layer(sparse(24, 24, sparsity=0.97)).to_bytes()
    if packed:
        model = pack(model)
    rng = np.random.default_rng(0)
    n_accepted = 0
    for _ in range(800):
        data = bytearray(model)
        for at in rng.integers(0, len(data), rng.integers(1, 5)):
            data[at] = rng.choice([0, 1, 2, 127, 128, 255, rng.integers(256)])
        n_accepted += attempt(bytes(data))
    assert 100 < n_accepted < 700


def once(table: Any) -> Any:
    """Make a table that is written once, however often it is used."""
    write = table.Pack
    offsets: list[int] = []

    def write_once(builder: Any) -> int:
        if not offsets:
            offsets.append(write(builder))
        return offsets[0]

    table.Pack = write_once
    return table


def many_operators() -> bytes:
    build = dense_layer(sparse(64, 64))
    build.graph.operators = [once(build.graph.operators[0])] * 150_000
    return build.to_bytes()


def many_long_names() -> bytes:
    build = dense_layer(sparse(64, 64))
    name = b"n" * 500_000
    build.graph.tensors += [once(schema.TensorT(shape=[1], name=name))] * 20_000
    return build.to_bytes()


def many_buffers_outside() -> bytes:
    build = dense_layer(sparse(64, 64))
    build.model.buffers += [once(schema.BufferT(offset=8, size=4096))] * 20_000
    return build.to_bytes()


def many_decoded() -> bytes:
    """600 tensors of 80,000 elements from one bitmap."""
    build = decode_graph(bytes(10_000), PRUNE_HEADER, np.zeros(0, np.int8), [80_000])
    encoded, ancillary, decoded = build.graph.tensors
    build.graph.tensors = [ancillary] + [once(encoded)] * 600 + [once(decoded)] * 600
    decode = build.graph.operators[0]
    decode.inputs = [i for t in range(600) for i in (1 + t, 0)]
    decode.outputs = list(range(601, 1201))
    build.graph.outputs = []
    build.operator("ADD_N", decode.outputs, [])
    return build.to_bytes()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (many_operators, f"more than {MAX_TABLES} tensors, operators and their parts"),
        (many_long_names, "corrupt: describes more than"),
        (many_buffers_outside, "corrupt: describes more than"),
        (many_decoded, "corrupt: decodes to more than 64 times its size"),
    ],
)
def test_small_files_that_describe_large_models(make: Callable[[], bytes], match: str) -> None:
    model = make()
    assert len(model) < 2_000_000
    start = time.perf_counter()
    with pytest.raises(sp.ModelError, match=match):
        parse_tflite(model)
    assert time.perf_counter() - start < 15


# Packing and unpacking


@pytest.mark.parametrize("name", TINY)
def test_pack_and_unpack(name: str) -> None:
    model = TINY[name]()
    packed = pack(model)
    assert "TFLM_DECODE" in operators(packed)
    assert_equal_weights(packed, model)
    # Not one byte is lost: what comes back is what reading and writing alone would make.
    assert unpack_tflite(packed) == load_model(model, "model").to_bytes()
    result = compare_outputs(model, packed, n_inputs=3)
    assert result.equal, result


def test_every_reader_has_a_decode_of_its_own() -> None:
    packed = pack(dense_layer(sparse(64, 64), n_readers=2).to_bytes())
    assert operators(packed) == ["TFLM_DECODE", "FULLY_CONNECTED"] * 2
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
    packed = bitmaps(model)
    backwards = dict(reversed(packed.items()))
    assert pack_tflite(model, packed) == pack_tflite(model, backwards)


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
    with pytest.raises(sp.ModelError, match="truncated: the options of operator 1 is outside"):
        parse_tflite(build.to_bytes())


def test_packing_gives_operators_their_valid_code() -> None:
    build = conv_layer(sparse(32, 3, 3, 16))
    build.model.operatorCodes[0].builtinCode = 0
    (conv, decode) = schema.ModelT.InitFromPackedBuf(pack(build.to_bytes())).operatorCodes
    assert (conv.builtinCode, conv.deprecatedBuiltinCode) == (3, 3)
    assert (decode.builtinCode, decode.deprecatedBuiltinCode) == (32, 32)
    assert decode.customCode == b"TFLM_DECODE"


def layer_read_by(name: str) -> ModelBuilder:
    build = dense_layer(sparse(64, 64))
    build.operator(name, [1], [build.tensor(None, [64, 64])])
    return build


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
    "zero point": (lambda: dense_layer(sparse(64, 64), zero_point=[3]), "its zero point is 3"),
    "zero point of a channel": (
        lambda: dense_layer(sparse(64, 64), scale=[1] * 64, zero_point=[0] * 63 + [9]),
        "its zero point is 9",
    ),
    "axis": (lambda: dense_layer(sparse(64, 64), axis=1), "quantisation axis 1"),
    "small": (lambda: dense_layer(sparse(8, 8)), r"would take \d+ bytes encoded, \d+ dense"),
    "small gain": (
        lambda: dense_layer(sparse(16, 16)),
        r"the file would take \d+ bytes, it takes 1008",
    ),
    "dense": (
        lambda: dense_layer(sparse(64, 64, sparsity=0.1)),
        r"would take 4\d\d\d bytes encoded, 4\d\d\d dense",
    ),
    "LSTM": (
        lambda: layer_read_by("UNIDIRECTIONAL_SEQUENCE_LSTM"),
        "UNIDIRECTIONAL_SEQUENCE_LSTM #1 reads it, and on Arm its kernel adds up",
    ),
    "SVDF": (lambda: layer_read_by("SVDF"), "SVDF #1 reads it, and on Arm"),
    "control flow": (lambda: layer_read_by("WHILE"), "WHILE #1 reads it, and it hands its inputs"),
    "custom operator": (lambda: layer_read_by("MINE"), "MINE #1 reads it, a custom operator"),
    "output": (weight_is_output, "is an input or output of subgraph 0"),
    "metadata": (shared_with_metadata, r"shares its data \(buffer 1\) with something"),
    "unread tensor": (shared_with_unread_tensor, r"shares its data \(buffer 1\) with something"),
}


@pytest.mark.parametrize("what", STAYS_DENSE)
def test_stays_dense(what: str) -> None:
    make, reason = STAYS_DENSE[what]
    model = make().to_bytes()
    packed, notes = pack_tflite(model, bitmaps(model))
    assert packed is model
    assert list(notes) == ["w"]
    assert re.search(reason, notes["w"]), notes


def test_one_of_two_that_share_data_stays_dense() -> None:
    """Then both do: the dense data must stay in the file anyway."""
    model = shared_buffer().to_bytes()
    packed = bitmaps(model)
    assert pack_tflite(model, {"w": packed["w"]}) == (
        model,
        {"w": "shares its data (buffer 1) with something that stays dense"},
    )


def test_other_formats_stay_dense() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    w = values(model)["w"]
    blobs = {
        "rle": (sp.pack(w, "rle"), "has no decoder for rle, only for bitmap"),
        "tiles": (sp.pack(w, "bitmap", tile=1000), "decodes whole tensors, not 5 tiles"),
    }
    for blob, reason in blobs.values():
        packed, notes = pack_tflite(model, {"w": blob})
        assert packed is model
        assert reason in notes["w"]
    assert pack_tflite(model, {"w": sp.pack(w, "dense")}) == (model, {})
    assert pack_tflite(model, {}) == (model, {})


def test_packing_again_changes_nothing() -> None:
    packed = pack(two_subgraphs().to_bytes())
    again, notes = pack_tflite(packed, bitmaps(packed))
    assert again is packed
    assert notes == dict.fromkeys(["w", "w#2"], "is encoded in the model already")


def test_packing_more_of_a_packed_model() -> None:
    model = two_subgraphs().to_bytes()
    blobs = bitmaps(model)
    first, _ = pack_tflite(model, {"w#2": blobs["w#2"]})
    both, notes = pack_tflite(first, blobs)
    assert list(notes) == ["w#2"]
    assert len(both) < len(first)
    assert operators(both) == ["TFLM_DECODE", "FULLY_CONNECTED"] * 2
    assert_equal_weights(both, model)
    assert unpack_tflite(both) == load_model(model, "model").to_bytes()


def test_refuses_wrong_packed_tensors() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    with pytest.raises(sp.InputError, match=r"m\.tflite: has no int8 weight tensor named 'v'"):
        pack_tflite(model, {"v": sp.pack(sparse(64, 64))}, file="m.tflite")
    for wrong in (sparse(64, 64, seed=1), sparse(64, 64).reshape(32, 128)):
        with pytest.raises(sp.InputError, match="tensor 'w' has other values"):
            pack_tflite(model, {"w": sp.pack(wrong)})


def test_refuses_an_offline_memory_plan() -> None:
    build = dense_layer(sparse(64, 64))
    build.model.metadata = [schema.MetadataT("OfflineMemoryAllocation", build.buffer(bytes(28)))]
    model = build.to_bytes()
    with pytest.raises(sp.ModelError, match=r"has an offline memory plan .* after packing"):
        pack_tflite(model, bitmaps(model))


def test_nothing_to_unpack() -> None:
    with pytest.raises(sp.ModelError, match="nothing to unpack: it has no TFLM_DECODE operator"):
        unpack_tflite(dense_layer(sparse(8, 8)).to_bytes())


# PRUNE, as TensorFlow Lite Micro decodes it


def run(model: bytes) -> npt.NDArray[Any]:
    """First output of a model without inputs."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=2**20)
    interpreter.invoke()
    return np.asarray(interpreter.get_output(0))


PER_CHANNEL = np.arange(-40, 40, 20)

DECODED: dict[str, tuple[str, list[int], dict[str, Any]]] = {
    **{name: (name, [3, 5, 7], {"scale": []}) for name in ("int16", "int32", "int64", "float32")},
    "bool": ("bool", [9], {"scale": []}),
    "int8": ("int8", [2, 3, 5], {"scale": []}),
    "int8, one zero point": ("int8", [2, 3, 5], {"zero_point": [-7]}),
    "int8, scalar": ("int8", [], {"scale": []}),
    "int8, axis 0": ("int8", [4, 3, 5], {"scale": [1] * 4, "zero_point": PER_CHANNEL}),
    "int8, last axis": (
        "int8",
        [3, 5, 4],
        {"scale": [1] * 4, "zero_point": PER_CHANNEL, "axis": 2},
    ),
    "int8, one for all channels": ("int8", [4, 3], {"scale": [1] * 4, "zero_point": [9]}),
    "int8, first for all channels": ("int8", [4, 3], {"scale": [1] * 4, "zero_point": [9, 8]}),
    "int8, no zero point": ("int8", [4, 3], {"scale": [1] * 4, "zero_point": []}),
    "int16, quantised": ("int16", [4, 3], {"scale": [1] * 4, "zero_point": [0] * 4}),
}


@pytest.mark.parametrize("name", DECODED)
def test_decodes_as_the_interpreter_does(name: str) -> None:
    dtype, shape, quantization = DECODED[name]
    n = int(np.prod(shape))
    stored = np.arange(n) % 3 == 0
    content = np.arange(1, 1 + np.count_nonzero(stored)).astype(dtype)
    build = decode_graph(
        np.packbits(stored).tobytes(), PRUNE_HEADER, content, shape, **quantization
    )
    model = build.to_bytes()
    (graph,) = load_model(unpack_tflite(model), "dense").subgraphs
    restored = load_model(unpack_tflite(model), "dense")
    (tensor,) = graph.tensors
    assert tensor.name == b"w"
    expected = run(model)
    assert restored.data(restored.subgraphs[0].tensors[0]).tobytes() == expected.tobytes()


def decoder(change: Callable[[ModelBuilder], None]) -> Callable[[], bytes]:
    """A model that decodes 100 elements of which 20 are stored, changed."""

    def make() -> bytes:
        bitmap = np.packbits(np.arange(100) % 5 == 0).tobytes()
        build = decode_graph(bitmap, PRUNE_HEADER, np.ones(20, np.int8), [10, 10], axis=0)
        build.operator("ABS", [2], [build.tensor("y", [10, 10])])
        change(build)
        return build.to_bytes()

    return make


def set_header(byte: int, value: int) -> Callable[[ModelBuilder], None]:
    def change(build: ModelBuilder) -> None:
        data = build.model.buffers[2].data.copy()
        data[byte] = value
        build.model.buffers[2].data = data

    return change


def cut(buffer: int, nbytes: int) -> Callable[[ModelBuilder], None]:
    def change(build: ModelBuilder) -> None:
        build.model.buffers[buffer].data = build.model.buffers[buffer].data[:nbytes]

    return change


def set_fields(tensor: int, **fields: Any) -> Callable[[ModelBuilder], None]:
    return lambda build: vars(build.graph.tensors[tensor]).update(fields)


def set_quantization(**fields: Any) -> Callable[[ModelBuilder], None]:
    return lambda build: vars(build.graph.tensors[2].quantization).update(fields)


def set_decode(**fields: Any) -> Callable[[ModelBuilder], None]:
    return lambda build: vars(build.graph.operators[0]).update(fields)


UNDECODABLE = {
    "LUT": (set_header(0, 0), r"encoded tensor w: DECODE type is 0 \(LUT\); only 2 \(PRUNE\)"),
    "Huffman": (set_header(0, 1), r"DECODE type is 1 \(Huffman\)"),
    "custom": (set_header(0, 200), r"DECODE type is 200 \(unknown\)"),
    "header version": (set_header(1, 2), "versions of header and PRUNE are 2 and 1"),
    "PRUNE version": (set_header(4, 0), "versions of header and PRUNE are 1 and 0"),
    "short header": (cut(2, 15), "has no data, or no header of 16 bytes"),
    "no bitmap": (cut(1, 0), "has no data, or no header of 16 bytes"),
    "short bitmap": (cut(1, 12), r"shape \[10, 10\] needs 100 bits, the bitmap has 96"),
    "short values": (cut(2, 35), "its bitmap has 20 ones, but there are 19 values"),
    "negative shape": (set_fields(2, shape=[-10, -10]), r"shape \[-10, -10\] needs 100 bits"),
    "empty shape": (set_fields(2, shape=[0, *[2**30] * 3]), "needs 0 bits, the bitmap has"),
    "inputs": (set_decode(inputs=[0]), "needs two inputs for each output; it has 1 and 1"),
    "no output": (set_decode(inputs=[], outputs=[]), "needs two inputs for each output"),
    "absent input": (set_decode(inputs=[0, -1]), "lacks an input, or writes a tensor again"),
    "same output": (
        set_decode(inputs=[0, 1, 0, 1], outputs=[2, 2]),
        "lacks an input, or writes a tensor again",
    ),
    "axis": (set_quantization(quantizedDimension=1), "PRUNE does not decode quantisation axis 1"),
    "channels": (
        set_quantization(scale=np.ones(3, np.float32), zeroPoint=np.arange(3)),
        r"3 scales do not fit axis 0 of \[10, 10\]",
    ),
}


@pytest.mark.parametrize("what", UNDECODABLE)
def test_refuses_to_decode(what: str) -> None:
    change, match = UNDECODABLE[what]
    model = decoder(change)()
    for use in (parse_tflite, unpack_tflite):
        with pytest.raises(sp.ModelError, match=match):
            use(model)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (set_fields(2, type=schema.TensorType.UINT8), "PRUNE does not decode uint8"),
        (
            lambda build: vars(build.graph.tensors[2]).update(
                type=schema.TensorType.BOOL,
                quantization=schema.QuantizationParametersT(scale=[1], zeroPoint=[4]),
            ),
            "PRUNE decodes bool only with zero point 0, not 4",
        ),
        (
            lambda build: build.graph.operators[1].inputs.append(0),
            "tensor 0 of subgraph 0 belongs to a TFLM_DECODE operator and is used in another way",
        ),
        (lambda build: build.graph.outputs.append(1), "tensor 1 of subgraph 0 belongs to"),
        (
            lambda build: build.operator(
                "TFLM_DECODE", [0, 1], [build.tensor("other shape", [100])]
            ),
            r"tensor 0 \('w'\) of subgraph 0 is decoded in different ways",
        ),
    ],
)
def test_refuses_to_unpack(change: Callable[[ModelBuilder], Any], match: str) -> None:
    with pytest.raises(sp.ModelError, match=match):
        unpack_tflite(decoder(change)())


def test_refuses_to_read_an_encoded_tensor_as_it_is() -> None:
    model = decoder(lambda build: build.operator("ABS", [0], [3]))()
    with pytest.raises(sp.ModelError, match="tensor w: is read both decoded and in another way"):
        parse_tflite(model)


def test_unpacks_what_the_wheel_packed() -> None:
    """Its editor makes another layout: names for all tensors, equal buffers merged."""
    model = two_weights_in_one_operator().to_bytes()
    editable = model_editor.read(model)
    results = {}
    for (_, w), index in zip(values(model).items(), (0, 1), strict=True):
        ancillary = PRUNE_HEADER + w[w != 0].tobytes()
        encoded = np.packbits(w != 0).tobytes()
        results[0, index] = compressor.CompressionResult(encoded, ancillary)
    decode_insert.insert_decode_operators(editable, results)
    packed = bytes(editable.build())
    assert_equal_weights(packed, model)
    unpacked = unpack_tflite(packed)
    assert_equal_weights(unpacked, model)
    assert operators(unpacked) == ["ADD"]
    assert compare_outputs(model, unpacked, n_inputs=1).equal


def test_unpacks_tensors_with_one_bitmap() -> None:
    """Different values may share a bitmap; dense, they need a buffer each."""
    build = ModelBuilder()
    stored = np.arange(100) % 5 == 0
    bitmap = build.buffer(np.packbits(stored).tobytes())
    decoded = []
    for i in range(3):
        data = PRUNE_HEADER + np.full(20, 1 + i // 2, np.int8).tobytes()
        encoded = build.tensor(f"w{i}", [13], "uint8", buffer=bitmap)
        ancillary = build.constant(None, np.frombuffer(data, np.uint8))
        decoded.append(build.tensor(None, [100]))
        build.operator("TFLM_DECODE", [encoded, ancillary], decoded[-1:])
    y = build.tensor("y", [100])
    build.operator("ADD_N", decoded, [y])
    packed = build.ends([], [y]).to_bytes()
    unpacked = unpack_tflite(packed)
    assert_equal_weights(packed, unpacked)
    assert [int(w.max()) for w in values(unpacked).values()] == [1, 1, 2]
    tensors = load_model(unpacked, "unpacked").subgraphs[0].tensors
    w0, w1, w2 = (tensors[3 * i].buffer for i in range(3))
    assert w0 == w1 != w2
    assert compare_outputs(packed, unpacked, n_inputs=1).equal


# The interpreter


def test_a_changed_weight_is_noticed() -> None:
    weights = sparse(64, 64)
    other = weights.copy()
    other[0, 0] = 100 if weights[0, 0] < 0 else -100
    result = compare_outputs(dense_layer(weights).to_bytes(), dense_layer(other).to_bytes())
    assert not result.equal
    assert result.max_difference >= 1
    assert result.n_inputs == 10


def test_inputs_depend_on_the_seed_only() -> None:
    a, b = (dense_layer(sparse(64, 64, sparsity=s)).to_bytes() for s in (0.5, 0.9))
    results = [compare_outputs(a, b, n_inputs=2, seed=s) for s in (1, 1, 2)]
    assert results[0] == results[1]
    assert results[0].max_difference != results[2].max_difference


def test_arena() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    (need, need_packed) = compare_outputs(model, pack(model), n_inputs=1).arena_nbytes
    assert need_packed - need >= 4096  # the decoded tensor
    again = compare_outputs(model, model, n_inputs=1, arena_size=need + 512)
    assert again.arena_nbytes == (need, need)
    with pytest.raises(sp.ModelError, match=r"failed: .*TFLM failed to allocate"):
        compare_outputs(model, model, n_inputs=1, arena_size=need - 16)


@pytest.mark.parametrize("dtype", ["float32", "int16", "int32", "bool"])
def test_inputs_of_other_types(dtype: str) -> None:
    build = ModelBuilder()
    x = build.tensor("x", [50], dtype, scale=[])
    y = build.tensor("y", [50], dtype, scale=[])
    build.operator("RESHAPE", [x], [y], schema.ReshapeOptionsT(newShape=[50]))
    model = build.ends([x], [y]).to_bytes()
    assert compare_outputs(model, model, n_inputs=2).equal


def test_difference_of_floats() -> None:
    def model(*values: float) -> bytes:
        build = ModelBuilder()
        c = build.constant("c", np.array(values, np.float32), scale=[])
        y = build.tensor("y", [2], "float32", scale=[])
        build.operator("RESHAPE", [c], [y], schema.ReshapeOptionsT(newShape=[2]))
        return build.ends([], [y]).to_bytes()

    nan = np.nan
    assert compare_outputs(model(nan, 1.5), model(nan, 4), n_inputs=1).max_difference == 2.5
    assert compare_outputs(model(0, 1.5), model(0, nan), n_inputs=1).max_difference == np.inf
    assert compare_outputs(model(nan, nan), model(nan, nan), n_inputs=1).equal
    assert not compare_outputs(model(0, 0.0), model(0, -0.0), n_inputs=1).equal


def test_errors_of_the_interpreter(capfd: pytest.CaptureFixture[str]) -> None:
    good = dense_layer(sparse(64, 64)).to_bytes()
    names = ("good", "bad")
    custom = layer_read_by("MINE").to_bytes()
    with pytest.raises(sp.ModelError, match=r"bad: the .* interpreter failed: .*CUSTOM"):
        compare_outputs(good, custom, names=names)
    with pytest.raises(
        sp.ModelError, match=r"good has the inputs int8\[1, 64\]; bad, int8\[1, 32\]"
    ):
        compare_outputs(good, dense_layer(sparse(64, 32)).to_bytes(), names=names)
    with pytest.raises(sp.ModelError, match=r"outputs int8\[1, 64\]; bad, int8\[1, 32\]"):
        compare_outputs(good, dense_layer(sparse(32, 64)).to_bytes(), names=names)
    with pytest.raises(sp.ModelError, match="bad: not a TensorFlow Lite model"):
        compare_outputs(good, b"", names=names)
    with pytest.raises(sp.ModelError, match="bad: has no output to compare"):
        compare_outputs(good, changed(graph, outputs=[])(), names=names)
    with pytest.raises(sp.InputError, match="got 0 and 0"):
        compare_outputs(good, good, n_inputs=0)
    assert capfd.readouterr() == ("", "")  # C++ writes to stderr


def test_a_crash_is_an_error() -> None:
    build = conv_layer(sparse(1, 3, 3, 512), kind="DEPTHWISE_CONV_2D")
    build.graph.operators[0].inputs.append(-1)  # its kernel follows the index
    model = build.to_bytes()
    with pytest.raises(sp.ModelError, match="interpreter crashed with signal 11"):
        compare_outputs(model, model)


# Real models


@pytest.mark.parametrize(
    ("name", "nbytes", "n_dense"),
    [
        ("kws_dscnn_sparse_l_80", 308_400, 9),
        ("kws_dscnn_dense_s", 67_104, 12),
        ("mobilenetv2_cifar10_sparse80", 1_669_632, 42),
        ("mlperf_tiny_vww_96_int8", 186_480, 20),
        ("mlperf_tiny_ad01_int8", 269_744, 7),
    ],
)
def test_real_model(name: str, nbytes: int, n_dense: int) -> None:
    model = real_model(name)
    packed, notes = pack_tflite(model, bitmaps(model))
    assert (len(packed), len(notes)) == (nbytes, n_dense)
    assert_equal_weights(packed, model)
    assert unpack_tflite(packed) == load_model(model, "model").to_bytes()
    result = compare_outputs(model, packed, n_inputs=3)
    assert result.equal, result


@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant", "str_ww_ref_model"])
def test_real_model_that_is_not_pruned(name: str) -> None:
    model = real_model(f"mlperf_tiny_{name}")
    packed, notes = pack_tflite(model, bitmaps(model))
    assert packed is model
    assert notes.keys() == values(model).keys()
