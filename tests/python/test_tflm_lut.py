# SPDX-License-Identifier: Apache-2.0
"""Look-up tables as TensorFlow Lite Micro decodes them, its own tool's among them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import assert_equal_weights, operators, pack, run, values
from tflite_micro.tensorflow.lite.micro.compression import (
    decode_insert,
    lut,
    model_editor,
    spec,
)
from tflite_models import ModelBuilder, conv_layer, dense_layer

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types import decode_type

LUT = decode_type("tflm_lut")


def few_values(shape: tuple[int, ...], n_values: int, seed: int = 0) -> npt.NDArray[np.int8]:
    rng = np.random.default_rng(seed)
    some = rng.choice(np.arange(-128, 128), n_values, replace=False).astype(np.int8)
    return rng.choice(some, shape)


@pytest.mark.parametrize("n_values", [1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 64, 65, 100, 128])
def test_one_table(n_values: int) -> None:
    model = dense_layer(few_values((80, 83), n_values)).to_bytes()
    packed = pack(model, "tflm_lut")
    assert_equal_weights(packed, model)
    assert unpack_tflite(packed) == load_model(model, "model").to_bytes()
    assert compare_outputs(model, packed, n_inputs=1).equal


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize("n_values", [2, 4, 7, 12, 30])
def test_a_table_for_each_channel(kind: str, n_values: int) -> None:
    """The channels have no value in common, so that one table would be too long."""
    n, size = 8, 401
    channels = [few_values((size,), n_values, seed) for seed in range(n)]
    weights = np.stack(channels).reshape(n, 1, 1, size)
    if kind == "DEPTHWISE_CONV_2D":
        weights = np.ascontiguousarray(weights.reshape(n, size).T).reshape(1, 1, size, n)
    build = conv_layer(weights, kind="CONV_2D")
    if kind == "DEPTHWISE_CONV_2D":  # channels last; only the weights matter here
        build.graph.operators.clear()
        build.operator("ABS", [1], [build.tensor("z", weights.shape)])
        w = build.graph.tensors[1].quantization
        w.scale, w.zeroPoint, w.quantizedDimension = np.ones(n, np.float32), np.zeros(n, int), 3
        build.ends([], [build.graph.operators[0].outputs[0]])
    model = build.to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_lut")])
    (payload,) = packed.payloads.values()
    axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
    assert payload.ancillary[5] >> 4 == axis
    assert payload.ancillary[6] == n_values
    assert_equal_weights(packed.data, model)
    if kind == "CONV_2D":
        assert compare_outputs(model, packed.data, n_inputs=1).equal
    parsed = load_model(packed.data, "packed")
    (decode, *_) = parsed.subgraphs[0].operators
    parsed.subgraphs[0].operators = [decode]
    parsed.subgraphs[0].inputs, parsed.subgraphs[0].outputs = [], list(decode.outputs)
    np.testing.assert_array_equal(run(parsed.to_bytes()), weights)


def test_channels_with_the_same_values_have_one_table() -> None:
    model = conv_layer(few_values((32, 3, 3, 16), 4)).to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_lut")])
    (payload,) = packed.payloads.values()
    assert payload.ancillary[5:7] == bytes([0xF2, 0])
    assert len(payload.ancillary) == 16 + 4
    assert compare_outputs(model, packed.data, n_inputs=2).equal


def test_too_many_values() -> None:
    model = dense_layer(few_values((64, 64), 129)).to_bytes()
    packed = pack_tflite(model, [decode_type("tflm_lut")])
    assert packed.data is model
    assert packed.notes == {"w": "it has more than 128 different values"}
    axis = pack_tflite(
        dense_layer(few_values((64, 64), 4), axis=1).to_bytes(), [decode_type("tflm_lut")]
    )
    assert axis.notes == {"w": "it is quantised along axis 1, which tflm_lut does not decode"}


@pytest.mark.parametrize("per_channel", [False, True])
def test_unpacks_what_the_wheel_packed(per_channel: bool) -> None:
    if per_channel:
        model = conv_layer(few_values((16, 3, 3, 8), 5)).to_bytes()
    else:
        model = dense_layer(few_values((64, 64), 11)).to_bytes()
    editable = model_editor.read(model)
    tensor = editable.subgraphs[0].tensors[1]
    mode = spec.PerChannel(axis=0) if per_channel else spec.PerTensor()
    method = spec.LookUpTableCompression(index_bitwidth=4, mode=mode)
    result = lut.LutCompressor().compress(tensor, method)
    decode_insert.insert_decode_operators(editable, {(0, 1): result})
    packed = bytes(editable.build())
    assert_equal_weights(packed, model)
    assert operators(unpack_tflite(packed)) == operators(model)
    assert len(pack(model, "tflm_lut")) <= len(packed)


def lut_graph(dtype: str, header: bytes, indices: bytes, table: npt.NDArray[Any]) -> ModelBuilder:
    """A model whose output is 40 decoded elements."""
    build = ModelBuilder()
    encoded = build.constant("w", np.frombuffer(indices, np.uint8), scale=[])
    data = np.frombuffer(header + table.tobytes(), np.uint8)
    ancillary = build.constant(None, data, scale=[])
    scale = [0.5] if dtype.startswith("int") else []
    decoded = build.tensor("decoded", [4, 10], dtype, scale=scale)
    build.operator("TFLM_DECODE", [encoded, ancillary], [decoded])
    return build.ends([], [decoded])


@pytest.mark.parametrize("width", range(1, 8))
@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "float32"])
def test_decodes_as_the_interpreter_does(dtype: str, width: int) -> None:
    rng = np.random.default_rng(width)
    table = (np.arange(1 << width) % 2 if dtype == "bool" else np.arange(1 << width)).astype(dtype)
    build = lut_graph(dtype, LUT.header(width, 0), rng.bytes(40), table)
    expected = run(build.to_bytes())
    restored = load_model(unpack_tflite(build.to_bytes()), "dense")
    assert restored.data(restored.subgraphs[0].tensors[0]).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("header", "indices", "match"),
    [
        (LUT.header(0, 0), bytes(40), "encoded tensor w: its indices have 0 bits"),
        (
            LUT.header(4, 0),
            bytes(19),
            "its 40 indices of 4 bits need 160 bits, but there are only 152",
        ),
        (LUT.header(4, 0), b"\xff" * 20, "an index points to value 15, but its tables have only 8"),
        (LUT.header(3, 0), b"\xff" * 20, None),
    ],
)
def test_refuses_to_decode(header: bytes, indices: bytes, match: str | None) -> None:
    build = lut_graph("int8", header, indices, np.arange(8, dtype=np.int8))
    build.operator("ABS", [2], [build.tensor("y", [4, 10])])
    model = build.to_bytes()
    if match is None:
        assert values(model)["w"].tolist() == [[7] * 10] * 4
        return
    for use in (parse_tflite, unpack_tflite):
        with pytest.raises(sp.ModelError, match=match):
            use(model)


def test_refuses_tables_that_do_not_fit() -> None:
    four = {"scale": np.ones(4, np.float32)}
    for parameters, change, match in (
        (1, {"scale": np.ones(3, np.float32)}, r"its 3 scales do not fit its shape \[4, 10\]"),
        (
            1,
            {"quantizedDimension": 1},
            "it is quantised along axis 1, which tflm_lut does not decode",
        ),
        (0xF1, four, "says that there is one table, but each of its 4 channels has a table"),
        (1, four, "an index points to value 13, but its tables have only 8"),
    ):
        table = np.arange(8, dtype=np.int8)
        build = lut_graph("int8", LUT.header(parameters, 4), b"\xff" * 5, table)
        build.graph.tensors[2].quantization.__dict__.update(change)
        with pytest.raises(sp.ModelError, match=match):
            unpack_tflite(build.to_bytes())
