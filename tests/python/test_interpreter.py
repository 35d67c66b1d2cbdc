# SPDX-License-Identifier: Apache-2.0
"""Two models in the stock interpreter; real models in and out."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import (
    assert_equal_weights,
    changed,
    graph,
    layer_read_by,
    pack,
    real_model,
    values,
)
from tflite_models import ModelBuilder, conv_layer, dense_layer, schema, sparse

import stridepack as sp
from stridepack.cli import cli
from stridepack.files.verify import verify_files
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.types import decode_type


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
        sp.ModelError, match=r"good has the inputs int8\[1, 64\], but bad has int8\[1, 32\]\."
    ):
        compare_outputs(good, dense_layer(sparse(64, 32)).to_bytes(), names=names)
    with pytest.raises(sp.ModelError, match=r"outputs int8\[1, 64\], but bad has int8\[1, 32\]\."):
        compare_outputs(good, dense_layer(sparse(32, 64)).to_bytes(), names=names)
    with pytest.raises(sp.ModelError, match="bad: this is not a TensorFlow Lite model"):
        compare_outputs(good, b"", names=names)
    with pytest.raises(sp.ModelError, match=r"bad: the model has no output, so .* to compare"):
        compare_outputs(good, changed(graph, outputs=[])(), names=names)
    with pytest.raises(sp.InputError, match=r"`n_inputs=0` is too small\. It must be at least 1"):
        compare_outputs(good, good, n_inputs=0)
    with pytest.raises(sp.InputError, match=r"`seed=-1` is too small\. It must be at least 0"):
        compare_outputs(good, good, seed=-1)
    assert capfd.readouterr() == ("", "")  # C++ writes to stderr


def test_a_crash_is_an_error() -> None:
    build = conv_layer(sparse(1, 3, 3, 512), kind="DEPTHWISE_CONV_2D")
    build.graph.operators[0].inputs.append(-1)  # its kernel follows the index
    model = build.to_bytes()
    with pytest.raises(sp.ModelError, match="interpreter crashed with signal 11"):
        compare_outputs(model, model)


def test_weights_are_verified_where_the_interpreter_crashes(tmp_path: Path) -> None:
    build = conv_layer(sparse(1, 3, 3, 512), kind="DEPTHWISE_CONV_2D")
    build.graph.operators[0].inputs.append(-1)
    model = tmp_path / "model.tflite"
    model.write_bytes(build.to_bytes())
    result = verify_files(model, model)
    assert (result.n_tensors, result.differences, result.ok) == (1, [], False)
    assert result.failure.startswith(f"{model}: the TensorFlow Lite Micro interpreter crashed")
    shown = CliRunner().invoke(cli, ["verify", str(model), str(model)])
    assert "weights: the only tensor is equal" in shown.output
    assert isinstance(shown.exception, sp.ModelError)  # which main() explains, with exit code 2


# Real models


# Bytes with all types, with tflm_prune alone, with tflm_huffman alone; and how many tensors stay
# dense with all.
REAL_MODELS = {
    "kws_dscnn_sparse_l_80": ((295_792, 308_400, 295_936), 8),
    "kws_dscnn_dense_s": ((62_016, 67_104, 62_016), 12),
    "mobilenetv2_cifar10_sparse80": ((1_617_408, 1_669_632, 1_617_424), 27),
    "mlperf_tiny_vww_96_int8": ((186_448, 186_480, 188_704), 20),
    "mlperf_tiny_ad01_int8": ((188_288, 269_744, 188_288), 1),
    "mlperf_tiny_pretrainedResnet_quant": ((95_552, 98_496, 95_552), 7),
    "mlperf_tiny_kws_ref_model": ((53_936, 53_936, 53_936), 10),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL_MODELS)
def test_real_model(name: str) -> None:
    model = real_model(name)
    (*nbytes,), n_dense = REAL_MODELS[name]
    packed = {
        name: pack_tflite(model, [decode_type(name)] if name else None)
        for name in (None, "tflm_prune", "tflm_huffman")
    }
    assert [len(p.data) for p in packed.values()] == nbytes
    assert len(packed[None].notes) == n_dense
    for p in packed.values():
        assert p.payloads.keys() | p.notes.keys() == values(model).keys()
        assert_equal_weights(p.data, model)
        if p.payloads:
            assert unpack_tflite(p.data) == load_model(model, "model").to_bytes()
            result = compare_outputs(model, p.data, n_inputs=2)
            assert result.equal, result
        else:
            assert p.data is model
