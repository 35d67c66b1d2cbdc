# SPDX-License-Identifier: Apache-2.0
"""Our formats in the operator of ours: packed, read back, refused by the stock interpreter, and run
with DECODE operators in its place."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from test_cli import MODEL, run
from tflite_cases import TINY, assert_equal_weights, operators, shared_buffer
from tflite_models import dense_layer, sparse

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.stand_in import with_decode_operators
from stridepack.tflite.types.blob import Blob

FORMATS = sp.formats()[1:]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", TINY)
def test_pack_and_unpack(name: str, format: str) -> None:
    model = TINY[name]()
    packed = pack_tflite(model, [Blob(format)])
    assert {payload.format for payload in packed.payloads.values()} == {format}
    assert "STRIDEPACK_DECODE" in operators(packed.data)
    assert "TFLM_DECODE" not in operators(packed.data)
    assert_equal_weights(packed.data, model)
    assert unpack_tflite(packed.data) == load_model(model, "model").to_bytes()


def test_the_encoded_tensor_is_the_blob() -> None:
    weights = sparse(64, 64)
    packed = pack_tflite(dense_layer(weights).to_bytes(), map(Blob, FORMATS))
    (payload,) = packed.payloads.values()
    blob = sp.Packed.from_bytes(payload.encoded)
    assert blob == sp.pack(weights.reshape(-1))
    assert payload.format == blob.format
    assert payload.ancillary == b""
    parsed = load_model(packed.data, "packed")
    operator = parsed.subgraphs[0].operators[0]
    code = parsed.root.operatorCodes[operator.opcodeIndex]
    assert (code.customCode, code.builtinCode) == (b"STRIDEPACK_DECODE", 32)  # 32: CUSTOM
    assert (len(operator.inputs), len(operator.outputs)) == (1, 1)
    assert list(parsed.subgraphs[0].tensors[operator.inputs[0]].shape) == [payload.nbytes]
    start = np.frombuffer(packed.data, np.uint8).__array_interface__["data"][0]
    data = parsed.data(parsed.subgraphs[0].tensors[1])
    assert (data.__array_interface__["data"][0] - start) % 16 == 0


def test_very_sparse_tensors_can_be_read_back() -> None:
    """They decode to far more than 64 times the file, as a bitmap never does."""
    weights = np.zeros((1000, 1000), np.int8)
    weights[::100, 7] = 5
    model = dense_layer(weights).to_bytes()
    packed = pack_tflite(model, map(Blob, FORMATS)).data
    assert 64 * len(packed) < weights.size
    assert_equal_weights(packed, model)


def test_transforms() -> None:
    """They are looked for in the shape of the tensor, although a blob has no shape."""
    weights = sparse(64, 64)
    weights[::3] = 0
    weights[:, ::4] = 0
    model = dense_layer(weights).to_bytes()
    plain = pack_tflite(model, [Blob("bitmap")])
    packed = pack_tflite(model, [Blob("bitmap", transforms=True)])
    (payload,) = packed.payloads.values()
    blob = sp.Packed.from_bytes(payload.encoded)
    assert blob.shape == (weights.size,)
    assert blob.transforms.words() == ["dead rows and columns"]
    assert len(packed.data) < len(plain.data)
    assert_equal_weights(packed.data, model)
    assert unpack_tflite(packed.data) == load_model(model, "model").to_bytes()


def test_data_of_two_shapes_get_no_transforms() -> None:
    """Each shape might get transforms of its own, and then they could not share a blob."""
    weights = sparse(64, 64)
    weights[::3] = 0
    model = shared_buffer(weights).to_bytes()
    for transforms in (True, False):
        packed = pack_tflite(model, [Blob("bitmap", transforms=transforms)])
        assert len({payload.encoded for payload in packed.payloads.values()}) == 1
        assert not sp.Packed.from_bytes(next(iter(packed.payloads.values())).encoded).transforms


def test_the_command_takes_transforms_unless_told_otherwise(tmp_path: Path) -> None:
    weights = sparse(64, 64)
    weights[::3] = 0
    (tmp_path / "m.tflite").write_bytes(dense_layer(weights).to_bytes())
    sizes = [
        sp.pack_file(
            tmp_path / "m.tflite",
            tmp_path / "p.tflite",
            decoder="stridepack",
            objective="size",
            transforms=transforms,
        ).model_nbytes
        for transforms in (True, False)
    ]
    assert sizes[0] is not None
    assert sizes[1] is not None
    assert sizes[0][1] < sizes[1][1]


def test_damaged_blobs() -> None:
    packed = pack_tflite(dense_layer(sparse(64, 64)).to_bytes(), [Blob("rle")])
    (payload,) = packed.payloads.values()
    at = packed.data.index(payload.encoded)
    for offset in (0, 5, 40, len(payload.encoded) - 1):
        data = bytearray(packed.data)
        data[at + offset] ^= 1
        for use in (parse_tflite, unpack_tflite):
            with pytest.raises(sp.ModelError, match="encoded tensor w: not a valid blob: "):
                use(bytes(data))


def test_a_blob_of_another_size() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    parsed = load_model(pack_tflite(model, [Blob("rle")]).data, "packed")
    decoded = parsed.subgraphs[0].operators[0].outputs[0]
    parsed.subgraphs[0].tensors[decoded].shape = [64, 65]
    with pytest.raises(sp.ModelError, match="its blob has 4096 elements, but the tensor has 4160"):
        parse_tflite(parsed.to_bytes())


def test_the_stock_interpreter_refuses_it() -> None:
    model = dense_layer(sparse(64, 64)).to_bytes()
    packed = pack_tflite(model, [Blob("rle")]).data
    with pytest.raises(sp.ModelError, match="interpreter failed"):
        compare_outputs(model, packed, n_inputs=1)


@pytest.mark.parametrize("name", TINY)
def test_it_runs_with_decode_in_its_place(name: str) -> None:
    model = TINY[name]()
    packed = pack_tflite(model, [Blob("rle")]).data
    stand_in = with_decode_operators(packed, "packed")
    assert operators(stand_in) == [
        {"STRIDEPACK_DECODE": "TFLM_DECODE"}.get(o, o) for o in operators(packed)
    ]
    assert compare_outputs(model, stand_in, n_inputs=2).equal
    assert with_decode_operators(model, "model") is model


def test_a_stand_in_has_the_weights_of_the_packed_file() -> None:
    """And not those of the model: else `verify` would compare the model with itself."""
    first, second = (dense_layer(sparse(64, 64, sparsity=s)).to_bytes() for s in (0.5, 0.9))
    packed = pack_tflite(second, [Blob("rle")]).data
    assert not compare_outputs(first, with_decode_operators(packed, "packed"), n_inputs=1).equal


def test_a_stand_in_with_a_zero_point() -> None:
    """PRUNE does not encode it, Huffman does."""
    build = dense_layer(sparse(64, 64))
    weight = next(t for t in build.graph.tensors if t.name == "w")
    weight.quantization.zeroPoint = [3]
    model = build.to_bytes()
    packed = pack_tflite(model, [Blob("rle")]).data
    assert "STRIDEPACK_DECODE" in operators(packed)
    assert_equal_weights(with_decode_operators(packed, "packed"), model)


@pytest.mark.parametrize(
    ("inputs", "outputs", "match"),
    [
        ([1, 1], None, "STRIDEPACK_DECODE #0 of subgraph 0 has 2 inputs and 1 output. It needs"),
        ([], None, "has 0 inputs and 1 output. It needs one of each"),
        (None, [], "has 1 input and 0 outputs. It needs one of each"),
        ([-1], None, "STRIDEPACK_DECODE #0 of subgraph 0 lacks an input"),
    ],
)
def test_damaged_operators(inputs: list[int], outputs: list[int], match: str) -> None:
    parsed = load_model(
        pack_tflite(dense_layer(sparse(64, 64)).to_bytes(), [Blob("rle")]).data, "packed"
    )
    operator = parsed.subgraphs[0].operators[0]
    operator.inputs = operator.inputs if inputs is None else inputs
    operator.outputs = operator.outputs if outputs is None else outputs
    data = parsed.to_bytes()
    for use in (parse_tflite, unpack_tflite, lambda d: with_decode_operators(d, "packed")):
        with pytest.raises(sp.ModelError, match=match):
            use(data)


def test_on_the_command_line(tmp_path: Path) -> None:
    packed, dense = tmp_path / "packed.tflite", tmp_path / "dense.tflite"
    options = ("--decoder", "stridepack", "--format", "hybrid", "--strides", "1-3")
    output = run("pack", MODEL, "-o", packed, *options)
    assert "hybrid" in output
    assert (
        "In the firmware: call `spk_tflm_register(resolver)`, and give the "
        "`MicroMutableOpResolver` room for 6 kinds of operators, which is 1 more than before. "
        "`stridepack runtime DIRECTORY --tflm --model OUTPUT` writes the code for it" in output
    )
    assert len(set(operators(packed.read_bytes()))) == 6
    output = run("verify", MODEL, packed)
    assert "weights: all 10 tensors are equal" in output
    assert "outputs: equal on 10 random inputs" in output
    assert "Its own DECODE operators took the places of those of stridepack" in output
    run("unpack", packed, "-o", dense)
    output = run("verify", MODEL, dense, "--inputs", 1)
    assert "outputs: equal" in output
    assert "took the places" not in output


@pytest.mark.parametrize(
    ("format", "date"),
    [
        ("auto", "31 October 2025"),
        ("tflm_huffman", "31 October 2025"),
        ("tflm_prune", "23 October 2025"),
    ],
)
def test_what_the_firmware_needs(tmp_path: Path, format: str, date: str) -> None:
    output = run("pack", MODEL, "-o", tmp_path / "x.tflite", "--format", format)
    assert (
        "In the firmware: call `resolver.AddDecode()`, and give the `MicroMutableOpResolver` room "
        "for 6 kinds of operators, which is 1 more than before. TensorFlow Lite Micro must be from "
        f"{date} or later. Earlier versions need `--decoder stridepack`." in output
    )


def test_nothing_packed_needs_nothing(tmp_path: Path) -> None:
    packed = tmp_path / "x.tflite"
    assert "In the firmware" not in run("pack", MODEL, "-o", packed, "--format", "dense")
    assert packed.read_bytes() == MODEL.read_bytes()


def test_runtime_writes_the_decoder_if_asked(tmp_path: Path) -> None:
    assert "tflm/spk_tflm.cc" in run("runtime", tmp_path / "with", "--tflm")
    run("runtime", tmp_path / "without")
    with_it, without = (
        {path.relative_to(root).as_posix() for path in root.rglob("*.*")}
        for root in (tmp_path / "with", tmp_path / "without")
    )
    assert with_it - without == {"tflm/spk_tflm.cc", "tflm/spk_tflm.h"}
    assert "include/spk.h" in without


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("-o", "x.spk", "--decoder", "stridepack"),
            "`--decoder stridepack` is for .tflite output only. Leave it out, or choose an output "
            "that ends in .tflite, not x.spk.",
        ),
        (
            ("-o", "x.tflite", "--decoder", "stridepack", "--format", "tflm_lut"),
            "The decoder of stridepack does not decode `--format tflm_lut`. Choose dense, psr,",
        ),
        (
            ("-o", "x.tflite", "--decoder", "stridepack", "--tile", "64"),
            "`--tile 64` does not work with .tflite output, because TensorFlow Lite Micro decodes "
            "whole tensors",
        ),
        (
            ("-o", "x.tflite", "--decoder", "stridepack", "--format", "rle", "--sizes", "4"),
            "`--sizes 4` is not an option of rle. It is an option of hybrid.",
        ),
    ],
)
def test_bad_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in run("pack", MODEL, *arguments, code=2)
    assert not list(tmp_path.iterdir())
