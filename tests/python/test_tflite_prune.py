# SPDX-License-Identifier: Apache-2.0
"""PRUNE, as TensorFlow Lite Micro decodes it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import (
    assert_equal_weights,
    operators,
    run,
    two_weights_in_one_operator,
    values,
)
from tflite_micro.tensorflow.lite.micro.compression import (
    compressor,
    decode_insert,
    model_editor,
)
from tflite_models import ModelBuilder, decode_graph, dense_layer, schema, sparse

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types import decode_type

PRUNE_HEADER = decode_type("tflm_prune").header()


PER_CHANNEL = np.arange(-40, 40, 20)

DECODED: dict[str, tuple[str, list[int], dict[str, Any]]] = {
    **{name: (name, [3, 5, 7], {"scale": []}) for name in ("int16", "int32", "int64", "float32")},
    "bool": ("bool", [9], {"scale": []}),
    "int8": ("int8", [2, 3, 5], {"scale": []}),
    "int8, one zero point": ("int8", [2, 3, 5], {"zero_point": [-7]}),
    "int8, scalar": ("int8", [], {"scale": []}),
    "int8, scalar with a zero point": ("int8", [], {"zero_point": [-7]}),
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
    "custom": (
        set_header(0, 200),
        r"encoded tensor w: its DECODE type is 200, and only 0 \(tflm_lut\), 1 \(tflm_huffman\), 2",
    ),
    "header version": (
        set_header(1, 2),
        "its header has version 2 and tflm_prune has version 1, but",
    ),
    "PRUNE version": (
        set_header(4, 0),
        "its header has version 1 and tflm_prune has version 0, but",
    ),
    "short header": (cut(2, 15), "its header has 15 bytes, but 16 are needed"),
    "no bitmap": (cut(1, 0), "encoded tensor w: its data are missing"),
    "short bitmap": (cut(1, 12), r"its shape \[10, 10\] needs 100 bits, but its bitmap has 96"),
    "short values": (cut(2, 35), "its bitmap has 20 ones, but there are only 19 values"),
    "negative shape": (set_fields(2, shape=[-10, -10]), r"shape \[-10, -10\] has no elements"),
    "empty shape": (set_fields(2, shape=[0, *[2**30] * 3]), r"shape \[0, .*\] has no elements"),
    "inputs": (
        set_decode(inputs=[0]),
        "#0 of subgraph 0 has 1 input and 1 output. It needs two inputs for",
    ),
    "no output": (
        set_decode(inputs=[], outputs=[]),
        "has 0 inputs and 0 outputs. It needs two inputs for each output",
    ),
    "absent input": (
        set_decode(inputs=[0, -1]),
        "#0 of subgraph 0 lacks an input, or it writes a tensor that is written already",
    ),
    "same output": (
        set_decode(inputs=[0, 1, 0, 1], outputs=[2, 2]),
        "#0 of subgraph 0 lacks an input, or it writes a tensor that is written already",
    ),
    "axis": (
        set_quantization(quantizedDimension=1),
        "it is quantised along axis 1, which tflm_prune does not decode",
    ),
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
        (
            set_fields(2, type=schema.TensorType.UINT8),
            "tflm_prune does not decode elements of type uint8",
        ),
        (
            lambda build: vars(build.graph.tensors[2]).update(
                type=schema.TensorType.BOOL,
                quantization=schema.QuantizationParametersT(scale=[1], zeroPoint=[4]),
            ),
            "tflm_prune decodes bool only with zero point 0, not 4",
        ),
        (
            lambda build: build.graph.operators[1].inputs.append(0),
            "tensor 0 of subgraph 0 belongs to an operator that decodes it and is used in another",
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
    with pytest.raises(
        sp.ModelError, match="tensor w is read by a DECODE operator and by another operator"
    ):
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


@pytest.mark.parametrize("zero_points", [[3], [0] * 63 + [9], [*range(-32, 32)], [200]])
def test_packs_any_zero_point(zero_points: list[int]) -> None:
    """What is not stored is the zero point of its channel, as the kernel has it."""
    values = sparse(64, 64)
    zeros = np.array(zero_points)[:, np.newaxis].astype(np.int8)
    values = np.where(values == 0, zeros, values).astype(np.int8)
    scales = {"scale": [1.0] * 64} if len(zero_points) > 1 else {}
    model = dense_layer(values, zero_point=zero_points, **scales).to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_prune")])
    assert packed.payloads["w"].nbytes < 4096 / 8 + 0.2 * 4096
    assert_equal_weights(packed.data, model)
    assert compare_outputs(model, packed.data, n_inputs=3).equal


def test_encodes_a_scalar() -> None:
    """Seed 40 of fuzz_tflite: one zero point is no axis to broadcast along."""
    build = ModelBuilder()
    scalar = build.constant("s", np.int8(5).reshape(()), zero_point=[3])
    y = build.tensor("y", [])
    build.operator("ADD", [scalar, scalar], [y])
    model = build.ends([], [y]).to_bytes()
    assert_equal_weights(pack_tflite(model, [decode_type("tflm_prune")]).data, model)
