# SPDX-License-Identifier: Apache-2.0
"""Reading .tflite files: what is found, what is refused, and that no bytes do harm."""

import copy
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import (
    assert_equal_weights,
    changed,
    graph,
    one_weight_read_twice,
    operator,
    pack,
    root,
    shared_buffer,
    two_subgraphs,
    two_weights_in_one_operator,
    values,
    weight,
)
from tflite_models import ModelBuilder, conv_layer, decode_graph, dense_layer, schema, sparse

import stridepack as sp
from stridepack.tflite.census import MAX_TABLES
from stridepack.tflite.constants import parse_tflite, read_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types import decode_type, decode_types


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
    with pytest.raises(sp.ModelError, match=r"nothing\.tflite: there is no such file"):
        read_tflite(str(tmp_path / "nothing.tflite"))
    with pytest.raises(sp.ModelError, match="there is no such file"):
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
    with pytest.raises(
        sp.ModelError, match=r"truncated\. It has only (\d+) bytes, but buffer 1 would"
    ):
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


REFUSED = {
    "empty": (
        lambda: b"",
        r"this is not a TensorFlow Lite model\. Its bytes 4 to 7 are b'' and not",
    ),
    "text": (lambda: b"hello, world", "bytes 4 to 7 are b'o, w' and not b'TFL3'"),
    "only a header": (lambda: b"\x10\0\0\0TFL3", "truncated or damaged. An offset .* its 8 bytes"),
    "float": (float_only, r"no int8 weights\. .* 2 float32 constant tensors\. Quantise the model"),
    "int16": (
        changed(weight, type=schema.TensorType.INT16),
        "1 int16 and 1 int32 constant tensors",
    ),
    "int4": (
        changed(weight, type=schema.TensorType.INT4),
        r"tensor w: its shape \[64, 64\] needs 2048 bytes, but its buffer 1 has 4096",
    ),
    "no operators": (changed(graph, operators=[]), "because no operator reads a constant"),
    "no subgraph": (changed(root, subgraphs=[]), "because no operator reads a constant"),
    "shape": (
        changed(weight, shape=[64, 63]),
        r"tensor w: its shape \[64, 63\] needs 4032 bytes, but its buffer 1 has 4096",
    ),
    "negative shape": (
        changed(weight, shape=[-64, -64]),
        r"tensor w: its shape \[-64, -64\] has a negative dimension",
    ),
    "many dimensions": (
        changed(weight, shape=[2**31 - 1] * 1000),
        r"tensor 1 \('w'\) of subgraph 0 has more than 8 dimensions",
    ),
    "sparse": (
        changed(weight, sparsity=schema.SparsityParametersT()),
        r"tensor 1 \('w'\) of subgraph 0: its sparse encoding is damaged\. It has 0 levels",
    ),
    "another file": (
        changed(weight, externalBuffer=1),
        r"tensor 1 \('w'\) of subgraph 0 keeps its data in another file",
    ),
    "buffer": (
        changed(weight, buffer=9),
        r"tensor 1 \('w'\) of subgraph 0 refers to buffer 9, but there are only 3",
    ),
    "buffer 0": (
        changed(lambda build: build.model.buffers[0], data=np.ones(4, np.uint8)),
        "Its buffer 0 is missing, or it is not empty",
    ),
    "no buffers": (changed(root, buffers=[]), "Its buffer 0 is missing, or it is not empty"),
    "operator code": (
        changed(operator, opcodeIndex=7),
        "operator 0 of subgraph 0 refers to operator code 7, but there is only 1",
    ),
    "operator input": (
        changed(operator, inputs=[-2]),
        "operator 0 of subgraph 0 refers to tensor -2, but there are only 4",
    ),
    "operator output": (changed(operator, outputs=[-1]), "subgraph 0 refers to tensor -1"),
    "graph input": (changed(graph, inputs=[99]), "subgraph 0 refers to tensor 99"),
    "metadata": (
        changed(root, metadata=[schema.MetadataT("m", 77)]),
        "metadata 'm' refers to buffer 77",
    ),
    "compressed": (
        changed(root, metadata=[schema.MetadataT("COMPRESSION_METADATA", 0)]),
        "compressed in an earlier way .* Give the model from before it was compressed",
    ),
    "options of a later schema": (
        changed(operator, builtinOptionsType=250),
        "BuiltinOptions of type 250, which the installed tflite-micro does not know",
    ),
}


def test_says_one_constant_tensor() -> None:
    build = dense_layer(np.ones((8, 8), np.float32), scale=[])
    for tensor in build.graph.tensors:
        tensor.type = schema.TensorType.FLOAT32
    build.graph.operators[0].inputs = build.graph.operators[0].inputs[:2]
    with pytest.raises(sp.ModelError, match=r"read 1 float32 constant tensor\. Quantise"):
        parse_tflite(build.to_bytes())


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
import stridepack.tflite.constants, stridepack.tflite.pack, stridepack.tflite.interpreter
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# Hostile bytes


def attempt(data: bytes) -> bool:
    """Do all that can be done with a file: only ModelError may come of it. Whether one could."""
    done = 0
    for use in (lambda: pack_tflite(data), lambda: unpack_tflite(data)):
        try:
            use()
            done += 1
        except sp.ModelError:
            pass
    return done > 0


@pytest.mark.parametrize("types", [(), *((name,) for name in decode_types())])
def test_truncated_anywhere(types: tuple[str, ...]) -> None:
    model = conv_layer(sparse(16, 3, 3, 32)).to_bytes()
    model = pack(model, *types) if types else model
    for n in (*range(200), *range(256, len(model) - 64, 64)):
        assert not attempt(model[:n]), n


@pytest.mark.parametrize("types", [(), *((name,) for name in decode_types())])
def test_random_damage(types: tuple[str, ...]) -> None:
    # Few weights, so that most of the file is structure.
    model = dense_layer(sparse(32, 32, sparsity=0.97).clip(-1, 1)).to_bytes()
    if types:
        model = pack(model, *types)
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
    """900 tensors of 80,000 elements from one bitmap."""
    build = decode_graph(
        bytes(10_000), decode_type("tflm_prune").header(), np.zeros(0, np.int8), [80_000]
    )
    encoded, ancillary, decoded = build.graph.tensors
    build.graph.tensors = [ancillary] + [once(encoded)] * 900 + [once(decoded)] * 900
    decode = build.graph.operators[0]
    decode.inputs = [i for t in range(900) for i in (1 + t, 0)]
    decode.outputs = list(range(901, 1801))
    build.graph.outputs = []
    build.operator("ADD_N", decode.outputs, [])
    return build.to_bytes()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (many_operators, f"more than {MAX_TABLES} tensors, operators and their parts"),
        (many_long_names, "damaged. It describes more than"),
        (many_buffers_outside, "damaged. It describes more than"),
        (many_decoded, "its tensors take at least .* when they are unpacked"),
    ],
)
def test_small_files_that_describe_large_models(make: Callable[[], bytes], match: str) -> None:
    model = make()
    assert len(model) < 2_000_000
    start = time.process_time()
    with pytest.raises(sp.ModelError, match=match):
        parse_tflite(model)
    assert time.process_time() - start < 15
