"""Our formats in DECODE operators: packed, read back, and refused by the stock interpreter."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from test_cli import MODEL, run
from tflite_cases import TINY, assert_equal_weights, operators
from tflite_models import dense_layer, sparse

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types.blob import Blob

FORMATS = sp.formats()[1:]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", TINY)
def test_pack_and_unpack(name: str, format: str) -> None:
    model = TINY[name]()
    packed = pack_tflite(model, [Blob(format)])
    assert {payload.format for payload in packed.payloads.values()} == {format}
    assert "TFLM_DECODE" in operators(packed.data)
    assert_equal_weights(packed.data, model)
    assert unpack_tflite(packed.data) == load_model(model, "model").to_bytes()


def test_the_encoded_tensor_is_the_blob() -> None:
    weights = sparse(64, 64)
    packed = pack_tflite(dense_layer(weights).to_bytes(), map(Blob, FORMATS))
    (payload,) = packed.payloads.values()
    blob = sp.Packed.from_bytes(payload.encoded)
    assert blob == sp.pack(weights.reshape(-1))
    assert payload.format == blob.format
    assert payload.ancillary == bytes([211, 1, 0, 0, 1]).ljust(16, b"\0")
    parsed = load_model(packed.data, "packed")
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


def test_on_the_command_line(tmp_path: Path) -> None:
    packed, dense = tmp_path / "packed.tflite", tmp_path / "dense.tflite"
    options = ("--decoder", "stridepack", "--format", "hybrid", "--strides", "1-3")
    assert "hybrid" in run("pack", MODEL, "-o", packed, *options)
    output = run("verify", MODEL, packed)
    assert "weights: all 10 tensors are equal" in output
    assert "outputs: not compared" in output
    assert f"{packed} uses DECODE type 211, which TensorFlow Lite Micro does not have" in output
    run("unpack", packed, "-o", dense)
    assert "outputs: equal" in run("verify", MODEL, dense, "--inputs", 1)


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
