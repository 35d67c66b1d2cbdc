# SPDX-License-Identifier: Apache-2.0
"""Models of every kind that people have: packed, or answered by name with a next step."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from click.testing import CliRunner
from tflite_cases import MODELS, operators
from tflite_models import TYPES, ModelBuilder, conv_layer, dense_layer, schema, sparse

import stridepack as sp
from stridepack.cli import cli
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.limits import limits
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types.blob import Blob

CASES = Path(__file__).parents[3] / "shared" / "cases"

OTHER_TYPES = ("int4", "uint8")


def case(name: str) -> Path:
    path = CASES / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path


def int4_layer(n_out: int = 64, n_in: int = 96) -> ModelBuilder:
    """A fully connected layer with int4 weights."""
    weights = np.clip(sparse(n_out, n_in, sparsity=0.8), -7, 7)
    build = dense_layer(weights)
    build.graph.tensors[1] = build.graph.tensors[build.int4("w", weights)]
    build.graph.tensors.pop()
    return build


def uint8_layer() -> ModelBuilder:
    """A fully connected layer as TensorFlow wrote it until 2019: all uint8."""
    build = dense_layer(sparse(64, 96, sparsity=0.8), zero_point=[128])
    weights = build.model.buffers[1]
    weights.data = weights.data + np.uint8(128)
    for tensor in build.graph.tensors:
        if tensor.type == TYPES["int8"]:
            tensor.type = TYPES["uint8"]
    return build


LAYERS = {"int4": int4_layer, "uint8": uint8_layer}


@pytest.mark.parametrize("dtype", OTHER_TYPES)
def test_elements_of_another_type_are_packed_as_bytes(dtype: str, tmp_path: Path) -> None:
    """One answer in .spk and .c: the bytes of the model, packed."""
    model = tmp_path / "model.tflite"
    model.write_bytes(LAYERS[dtype]().to_bytes())
    stored = load_model(model.read_bytes(), "model").root.buffers
    (tensor,) = sp.read_weights(model)
    assert (tensor.dtype, tensor.values.dtype) == (dtype, np.int8)
    assert tensor.values.tobytes() in [buffer.data.tobytes() for buffer in stored]
    assert tensor.values.shape == ((64 * 96 // 2,) if dtype == "int4" else (64, 96))
    results = [sp.pack_file(model, tmp_path / f"w{suffix}") for suffix in (".spk", ".c")]
    for result in results:
        assert [(s.format, s.nbytes) for s in result.tensors] == [
            (s.format, s.nbytes) for s in results[0].tensors
        ]
        assert result.tensors[0].format != "dense"
        assert result.tensors[0].nbytes < 0.7 * tensor.size
        assert result.remarks[0].startswith(f"1 tensor has {dtype} elements. Their bytes are")
    assert sp.read_bundle(tmp_path / "w.spk")["w"].unpack().tobytes() == tensor.values.tobytes()
    assert sp.verify_files(model, tmp_path / "w.spk").ok


@pytest.mark.parametrize("dtype", OTHER_TYPES)
def test_tflite_micro_does_not_decode_other_types(dtype: str, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(LAYERS[dtype]().to_bytes())
    result = sp.pack_file(model, tmp_path / "packed.tflite")
    assert (tmp_path / "packed.tflite").read_bytes() == model.read_bytes()
    (stored,) = result.tensors
    assert (stored.format, stored.nbytes) == ("dense", stored.tensor.size)
    assert stored.note == (
        f"it has {dtype} elements, which the DECODE operator of TensorFlow Lite Micro cannot write"
    )
    assert result.remarks[0].startswith(f"A .spk or .c file holds {dtype} tensors packed")


@pytest.mark.parametrize("make", [int4_layer, lambda: int4_layer(37, 61), uint8_layer])
def test_the_decoder_of_stridepack_decodes_other_types(make: Callable[[], ModelBuilder]) -> None:
    model = make().to_bytes()
    packed = pack_tflite(model, [Blob("huffman")])
    assert list(packed.payloads) == ["w"]
    assert len(packed.data) < len(model)
    (before,), (after,) = parse_tflite(model), parse_tflite(packed.data)
    assert after.dtype == before.dtype != "int8"
    assert after.values.tobytes() == before.values.tobytes()
    assert unpack_tflite(packed.data) == load_model(model, "model").to_bytes()


def test_int4_models_run_as_before() -> None:
    """Of a model with weights of both types, those of int8 are packed."""
    build = int4_layer()
    w = build.constant("w8", sparse(64, 64, seed=5))
    y = build.tensor("y", [1, 64], scale=[2.0], zero_point=[5])
    build.fully_connected([build.graph.outputs[0], w, -1], [y])
    model = build.ends([0], [y]).to_bytes()
    packed = pack_tflite(model)
    assert list(packed.payloads) == ["w8"]
    assert limits(load_model(model, "model")) == []
    assert compare_outputs(model, packed.data, n_inputs=3).equal


@pytest.mark.parametrize("dtype", ["uint8", "int4"])
def test_shrink_leaves_other_types_alone(dtype: str) -> None:
    from stridepack.shrink.layers import find_layers

    layers, obstacles = find_layers(load_model(LAYERS[dtype]().to_bytes(), "model"))
    assert not layers
    assert obstacles == {"w": f"its elements are {dtype}, not int8"}


def test_bytes_without_a_scale_are_no_weights() -> None:
    build = dense_layer(sparse(64, 64))
    table = build.constant("table", np.arange(4096, dtype=np.uint8), scale=[])
    build.operator("GATHER", [table, 0], [build.tensor("picked", [4096], "uint8", scale=[])])
    assert [tensor.name for tensor in parse_tflite(build.to_bytes())] == ["w"]


def test_inspect_names_other_types(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(int4_layer().to_bytes())
    shown = CliRunner().invoke(cli, ["inspect", str(model)])
    assert shown.exit_code == 0
    assert "w (int4)" in shown.output


# What TensorFlow Lite Micro does not run


def of_types(build: ModelBuilder, **types: str) -> ModelBuilder:
    """The model with tensors of other types, by name."""
    for tensor in build.graph.tensors:
        name = tensor.name if isinstance(tensor.name, str) else ""
        if name in types:
            tensor.type = TYPES[types[name]]
    return build


def hybrid(kind: str) -> ModelBuilder:
    if kind == "FULLY_CONNECTED":
        return of_types(dense_layer(sparse(64, 64)), x="float32", y0="float32", bias="float32")
    weights = sparse(1, 3, 3, 512) if kind == "DEPTHWISE_CONV_2D" else sparse(32, 3, 3, 16)
    return of_types(conv_layer(weights, kind=kind), x="float32", y="float32")


HYBRID = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")


@pytest.mark.parametrize("kind", HYBRID)
def test_hybrid_models_are_packed_with_a_warning(kind: str, tmp_path: Path) -> None:
    model, packed = tmp_path / "model.tflite", tmp_path / "packed.tflite"
    model.write_bytes(hybrid(kind).to_bytes())
    with pytest.raises(sp.ModelError):  # what the warning says is true
        compare_outputs(model.read_bytes(), model.read_bytes(), n_inputs=1)
    result = sp.pack_file(model, packed)
    (warning,) = result.warnings
    assert "does not run this model, packed or not. It is hybrid" in warning
    assert f"{kind} #0 reads float32 data with integer weights" in warning
    assert "Quantise the model to full int8" in warning
    shown = CliRunner().invoke(cli, ["pack", str(model), "-o", str(packed)])
    assert "warning: TensorFlow Lite Micro does not run this model" in shown.output
    # Nothing says how to run it in firmware.
    assert result.firmware is None
    assert "In the firmware" not in shown.output
    verified = sp.verify_files(model, packed)
    assert verified.ok
    assert verified.outputs is None
    assert "It is hybrid" in verified.not_run
    assert sp.pack_file(model, tmp_path / "w.spk").warnings == []


def test_uint8_models_do_not_run() -> None:
    model = uint8_layer().to_bytes()
    with pytest.raises(sp.ModelError):
        compare_outputs(model, model, n_inputs=1)
    (warning,) = limits(load_model(model, "model"))
    assert "FULLY_CONNECTED #0 reads uint8 weights" in warning


def transposed_conv(bias: str) -> ModelBuilder:
    """16-bit data, 8-bit weights, and a bias of a type."""
    build = ModelBuilder()
    shape = build.constant("shape", np.array([1, 2, 6, 16], np.int32), scale=[])
    w = build.constant("w", sparse(16, 1, 3, 64), scale=[0.05])
    x = build.tensor("x", [1, 2, 2, 64], "int16")
    b = build.constant("b", np.arange(16).astype(bias), scale=[0.0025])
    y = build.tensor("y", [1, 2, 6, 16], "int16", scale=[0.5])
    options = schema.TransposeConvOptionsT(strideW=2, strideH=1, padding=1)
    build.operator("TRANSPOSE_CONV", [shape, w, x, b], [y], options, 3)
    return build.ends([x], [y])


def test_a_bias_that_is_read_past_its_end(tmp_path: Path) -> None:
    model, packed = tmp_path / "model.tflite", tmp_path / "packed.tflite"
    model.write_bytes(transposed_conv("int32").to_bytes())
    (warning,) = sp.pack_file(model, packed).warnings
    assert "TRANSPOSE_CONV #0 reads a bias of int32" in warning
    assert "Convert the model again with 64-bit biases" in warning
    verified = sp.verify_files(model, packed)
    assert verified.ok  # the packing is not to blame
    assert "reads past its end" in verified.not_run
    good = transposed_conv("int64").to_bytes()
    assert limits(load_model(good, "good")) == []
    assert compare_outputs(good, pack_tflite(good).data, n_inputs=3).equal


def depthwise_16x8(bias: str) -> ModelBuilder:
    build = conv_layer(sparse(1, 3, 3, 512), kind="DEPTHWISE_CONV_2D")
    build.graph.operators[0].inputs.append(
        build.constant("b", np.arange(512).astype(bias), scale=[0.0025])
    )
    for tensor in build.graph.tensors:
        tensor.quantization.zeroPoint = np.zeros_like(tensor.quantization.zeroPoint)
    return of_types(build, x="int16", y="int16")


@pytest.mark.parametrize(("bias", "n"), [("int32", 1), ("int64", 0)])
def test_depthwise_convolutions_read_biases_as_int64_too(bias: str, n: int) -> None:
    assert len(limits(load_model(depthwise_16x8(bias).to_bytes(), "model"))) == n


def test_other_kernels_read_both_biases() -> None:
    build = of_types(dense_layer(sparse(64, 64)), x="int16", y0="int16")
    assert limits(load_model(build.to_bytes(), "model")) == []


def test_real_models_run() -> None:
    models = sorted(MODELS.glob("*.tflite"))
    if not models:
        pytest.skip(f"{MODELS} is not there")
    for path in models:
        assert limits(load_model(path.read_bytes(), path.name)) == []


# What stridepack does not pack


@pytest.mark.parametrize(
    ("name", "npu"),
    [("ethos-u", "Ethos-U"), ("edgetpu-custom-op", "Edge TPU"), ("NeutronGraph", "Neutron")],
)
def test_models_compiled_for_an_npu(name: str, npu: str, tmp_path: Path) -> None:
    build = ModelBuilder()
    x, y = build.tensor("x", [1, 64]), build.tensor("y", [1, 64])
    code = build.constant("commands", np.arange(4096, dtype=np.uint8), scale=[1.0])
    build.operator(name, [code, x], [y])
    compiled = build.ends([x], [y]).to_bytes()
    for read in (parse_tflite, unpack_tflite):
        with pytest.raises(sp.ModelError, match="already compiled for an NPU") as error:
            read(compiled)
    assert npu in str(error.value)
    assert "Quantise" not in str(error.value)
    assert "Give the .tflite file that the compiler was given" in str(error.value)
    # Layers that are left for the processor are packed; the rest stays.
    z = build.tensor("z", [1, 64], scale=[2.0])
    build.fully_connected([y, build.constant("w", sparse(64, 64)), -1], [z])
    model, packed = tmp_path / "model.tflite", tmp_path / "packed.tflite"
    model.write_bytes(build.ends([x], [z]).to_bytes())
    result = sp.pack_file(model, packed, objective="size")
    assert [stored.tensor.name for stored in result.tensors] == ["w"]
    assert operators(packed.read_bytes()) == [name, "TFLM_DECODE", "FULLY_CONNECTED"]
    assert "already compiled for an NPU" in result.warnings[0]
    assert sp.verify_files(model, packed).ok


def test_blockwise_quantisation() -> None:
    build = dense_layer(sparse(64, 64))
    quantization = build.graph.tensors[1].quantization
    quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
    quantization.details = schema.BlockwiseQuantizationT(scales=0, zeroPoints=-1, blockSize=32)
    with pytest.raises(sp.ModelError, match=r"tensor 1 \('w'\) of subgraph 0") as error:
        parse_tflite(build.to_bytes())
    assert "quantised in blocks of 32 elements (blockwise quantisation)" in str(error.value)
    assert "Quantise it again with one scale for each channel" in str(error.value)


MALFORMED = {
    "scales": ({"scale": [1] * 63, "zero_point": [0] * 63}, r"63 scales do not fit axis 0 of \["),
    "more scales": ({"scale": [1] * 65, "zero_point": [0] * 65}, "65 scales do not fit axis 0"),
    "axis": ({"scale": [1] * 64, "zero_point": [0] * 64, "axis": 2}, "64 scales do not fit axis 2"),
    "zero points": ({"scale": [1] * 64, "zero_point": [0] * 9}, "64 scales and 9 zero points"),
}


@pytest.mark.parametrize("suffix", [".tflite", ".spk", ".c"])
@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_scales(what: str, suffix: str, tmp_path: Path) -> None:
    quantization, match = MALFORMED[what]
    model = tmp_path / "model.tflite"
    model.write_bytes(dense_layer(sparse(64, 64), **quantization).to_bytes())
    with pytest.raises(sp.ModelError, match=match) as error:
        sp.pack_file(model, tmp_path / f"out{suffix}", min_size=0)
    assert "tensor w" in str(error.value)
    assert not (tmp_path / f"out{suffix}").exists()


# Recurrent layers


def lstm(n: int = 64) -> ModelBuilder:
    """x of 3 steps -> UNIDIRECTIONAL_SEQUENCE_LSTM, 8-bit data and weights, 16-bit cell state."""
    build = ModelBuilder()
    x = build.tensor("x", [1, 3, n], zero_point=[-3])
    weights = [build.constant(f"w{i}", sparse(n, n, seed=i), scale=[0.01]) for i in range(8)]
    biases = [
        build.constant(f"b{i}", np.arange(n, dtype=np.int32), scale=[0.0005]) for i in range(4)
    ]
    hidden = build.tensor("hidden", [1, n], scale=[1 / 128])
    cell = build.tensor("cell", [1, n], "int16", scale=[2.0**-12])
    for state in (hidden, cell):
        build.graph.tensors[state].isVariable = True
    y = build.tensor("y", [1, 3, n], scale=[1 / 128])
    none = [-1] * 4
    inputs = [x, *weights, *none[:3], *biases, *none[:2], hidden, cell, *none]
    options = schema.UnidirectionalSequenceLSTMOptionsT(
        fusedActivationFunction=schema.ActivationFunctionType.TANH, cellClip=10.0
    )
    build.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], options)
    return build.ends([x], [y])


def test_lstm_weights_are_packed_for_reference_kernels(tmp_path: Path) -> None:
    model, packed = tmp_path / "model.tflite", tmp_path / "packed.tflite"
    model.write_bytes(lstm().to_bytes())
    result = sp.pack_file(model, packed)
    assert all(stored.format == "dense" for stored in result.tensors)
    assert "CMSIS-NN" in result.tensors[0].note
    assert "8 of these tensors can be packed: --reference-kernels" in result.remarks[0]
    result = sp.pack_file(model, packed, reference_kernels=True, objective="size")
    assert all(stored.format != "dense" for stored in result.tensors)
    assert operators(packed.read_bytes()) == ["TFLM_DECODE", "UNIDIRECTIONAL_SEQUENCE_LSTM"]
    verified = sp.verify_files(model, packed)
    assert verified.ok
    assert verified.outputs is not None
    assert verified.outputs.equal


@pytest.mark.parametrize(("bias", "n"), [("int32", 1), ("int64", 0)])
def test_lstms_of_16_bits_read_biases_as_int64_too(bias: str, n: int) -> None:
    types = {"x": "int16", "hidden": "int16", "y": "int16"}
    build = of_types(lstm(), **types, **{f"b{i}": bias for i in range(4)})
    assert len(limits(load_model(build.to_bytes(), "model"))) == n


def test_the_shared_lstm(tmp_path: Path) -> None:
    model, packed = case("lstm_i8"), tmp_path / "packed.tflite"
    result = sp.pack_file(model, packed, reference_kernels=True, objective="size")
    assert sum(stored.format != "dense" for stored in result.tensors) == 4
    verified = sp.verify_files(model, packed)
    assert verified.ok
    assert verified.outputs is not None


def test_reference_kernels_is_for_tflite_only(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(dense_layer(sparse(64, 64)).to_bytes())
    with pytest.raises(sp.InputError, match=r"`reference_kernels=True` is for \.tflite output"):
        sp.pack_file(model, tmp_path / "w.spk", reference_kernels=True)


# The shared cases


@pytest.mark.parametrize("name", ["fc_zp3", "int4_fc", "pruned_dr", "pruned_sparse_i8", "mha_i8"])
def test_packed_everywhere(name: str, tmp_path: Path) -> None:
    model = case(name)
    for suffix in (".spk", ".tflite"):
        assert sp.pack_file(model, tmp_path / f"w{suffix}").tensors
        assert sp.verify_files(model, tmp_path / f"w{suffix}").ok
    sp.pack_file(model, tmp_path / "w.c")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("blockwise", "blockwise quantisation"),
        ("pruned_sparse_f32", "sparse encoding, so the model is pruned"),
        ("scales_do_not_divide", "8 scales do not fit axis 0"),
    ],
)
def test_answered(name: str, match: str, tmp_path: Path) -> None:
    for suffix in (".spk", ".c", ".tflite"):
        with pytest.raises(sp.ModelError, match=match):
            sp.pack_file(case(name), tmp_path / f"w{suffix}", min_size=0)


def test_undefined_results_are_recognised(tmp_path: Path) -> None:
    model, packed = case("tc16x8_int32bias"), tmp_path / "packed.tflite"
    assert "TRANSPOSE_CONV #0" in sp.pack_file(model, packed, min_size=0).warnings[0]
    assert sp.verify_files(model, packed).ok
