# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite's sparse encoding: made dense, packed, and run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from sparse_models import sparsify
from tflite_cases import operators, values
from tflite_models import ModelBuilder, dense_layer, schema, sparse

import stridepack as sp
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite

CASES = Path(__file__).parents[3] / "shared" / "cases"

WAYS: dict[str, dict[str, Any]] = {
    "rows": {},
    "columns": {"order": (1, 0)},
    "both levels sparse": {"sparse_levels": (0, 1)},
    "blocks of columns": {"blocks": [(1, 4)]},
    "blocks of both": {"blocks": [(0, 2), (1, 4)], "order": (1, 0, 3, 2)},
    "blocks, both levels sparse": {"blocks": [(1, 4)], "sparse_levels": (0, 1)},
}


def sparse_layer(way: str = "rows", *, densify: bool = False) -> tuple[ModelBuilder, np.ndarray]:
    """A fully connected layer with a sparse weight, which a DENSIFY operator reads or it itself."""
    weights = sparse(64, 96)
    weights[3:9] = 0  # whole rows, for sparse levels above the last
    build = dense_layer(weights)
    stored, sparsity = sparsify(weights, **WAYS[way])
    w = build.graph.tensors[1]
    build.model.buffers[w.buffer].data = stored.view(np.uint8)
    w.sparsity = sparsity
    if densify:
        output = build.tensor("w_dense", weights.shape)
        build.graph.operators[0].inputs[1] = output
        build.operator("DENSIFY", [1], [output], schema.DensifyOptionsT())
        build.graph.operators.reverse()
    return build, weights


@pytest.mark.parametrize("densify", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_sparse_tensors_are_packed(way: str, densify: bool) -> None:
    build, weights = sparse_layer(way, densify=densify)
    model = build.to_bytes()
    np.testing.assert_array_equal(values(model)["w"], weights)
    packed = pack_tflite(model)
    assert packed.densified == ("w",)
    assert list(packed.payloads) == ["w"]
    assert operators(packed.data) == ["TFLM_DECODE", "FULLY_CONNECTED"]
    np.testing.assert_array_equal(values(packed.data)["w"], weights)
    assert load_model(unpack_tflite(packed.data), "unpacked").densified == []
    assert values(unpack_tflite(packed.data))["w"].tobytes() == weights.tobytes()


@pytest.mark.parametrize("densify", [False, True])
def test_packed_sparse_models_run(densify: bool) -> None:
    build, weights = sparse_layer("blocks of both", densify=densify)
    packed = pack_tflite(build.to_bytes()).data
    assert compare_outputs(dense_layer(weights).to_bytes(), packed, n_inputs=3).equal
    assert compare_outputs(build.to_bytes(), packed, n_inputs=3).equal


def test_what_is_not_packed_is_dense() -> None:
    """TensorFlow Lite Micro has no kernel for the encoding, so it never stays."""
    build, weights = sparse_layer(densify=True)
    packed = pack_tflite(build.to_bytes(), min_size=weights.size + 1)
    assert not packed.payloads
    assert operators(packed.data) == ["FULLY_CONNECTED"]
    assert compare_outputs(dense_layer(weights).to_bytes(), packed.data, n_inputs=3).equal


def test_all_outputs_agree(tmp_path: Path) -> None:
    build, weights = sparse_layer(densify=True)
    model = tmp_path / "model.tflite"
    model.write_bytes(build.to_bytes())
    for suffix in (".tflite", ".spk"):
        packed = tmp_path / f"packed{suffix}"
        result = sp.pack_file(model, packed, objective="size")
        assert [stored.format != "dense" for stored in result.tensors] == [True]
        assert sp.verify_files(model, packed).ok
    assert sp.read_bundle(tmp_path / "packed.spk")["w"].unpack().tobytes() == weights.tobytes()
    result = sp.pack_file(model, tmp_path / "packed.tflite")
    assert "1 tensor has the sparse encoding of TensorFlow Lite" in result.remarks[0]


def test_shared_sparse_data_are_made_dense_once_for_each_tensor() -> None:
    build, weights = sparse_layer()
    first = build.graph.tensors[1]
    other = build.tensor("w2", weights.shape, buffer=first.buffer)
    build.graph.tensors[other].sparsity = first.sparsity
    y = build.tensor("y1", [1, 64], scale=[2.0], zero_point=[5])
    build.fully_connected([0, other, 2], [y])
    build.ends([0], [3, y])
    found = values(build.to_bytes())
    np.testing.assert_array_equal(found["w"], weights)
    np.testing.assert_array_equal(found["w2"], weights)


def test_a_tensor_of_zeros_only() -> None:
    weights = np.zeros((64, 96), np.int8)
    build = dense_layer(weights)
    stored, sparsity = sparsify(weights)
    build.model.buffers[1].data = stored.view(np.uint8)
    build.graph.tensors[1].sparsity = sparsity
    assert stored.size == 0
    np.testing.assert_array_equal(values(build.to_bytes())["w"], weights)


def level(build: ModelBuilder, i: int) -> Any:
    return build.graph.tensors[1].sparsity.dimMetadata[i]


DAMAGED: dict[str, tuple[Callable[[ModelBuilder], Any], str]] = {
    "no levels": (
        lambda b: vars(b.graph.tensors[1].sparsity).update(dimMetadata=None),
        r"It has 0 levels in the order \[0, 1\], which does not fit 2 dimensions",
    ),
    "order": (
        lambda b: vars(b.graph.tensors[1].sparsity).update(traversalOrder=np.zeros(2, np.int32)),
        r"in the order \[0, 0\]",
    ),
    "block map": (
        lambda b: vars(b.graph.tensors[1].sparsity).update(
            traversalOrder=np.arange(3, dtype=np.int32),
            blockMap=np.array([7], np.int32),
            dimMetadata=[level(b, 0), level(b, 1), schema.DimensionMetadataT(denseSize=4)],
        ),
        r"Its blocks divide the dimensions \[7\] of 2",
    ),
    "block size": (
        lambda b: vars(b.graph.tensors[1].sparsity).update(
            traversalOrder=np.arange(3, dtype=np.int32),
            blockMap=np.array([1], np.int32),
            dimMetadata=[level(b, 0), level(b, 1), schema.DimensionMetadataT(denseSize=5)],
        ),
        "Blocks of 5 do not divide dimension 1, which is 96",
    ),
    "dense size": (
        lambda b: vars(level(b, 0)).update(denseSize=65),
        "A level has 65 indices, but its dimension is 64",
    ),
    "kind of level": (lambda b: vars(level(b, 0)).update(format=9), "A level is of kind 9"),
    "segments": (
        lambda b: level(b, 1).arraySegments.values.__setitem__(5, 60000),
        r"The segments of a level do not fit its \d+ indices",
    ),
    "no segments": (
        lambda b: vars(level(b, 1)).update(arraySegments=None, arraySegmentsType=0),
        r"The segments of a level do not fit its \d+ indices",
    ),
    "index": (
        lambda b: level(b, 1).arrayIndices.values.__setitem__(0, 96),
        "An index of a level is outside its dimension, which is 96",
    ),
    "negative index": (
        lambda b: level(b, 1).arrayIndices.values.__setitem__(0, -1),
        "An index of a level is outside its dimension, which is 96",
    ),
    "twice": (
        lambda b: level(b, 1).arrayIndices.values.__setitem__(
            1, level(b, 1).arrayIndices.values[0]
        ),
        "It stores an element twice",
    ),
    "data": (
        lambda b: vars(b.model.buffers[1]).update(data=np.ones(9, np.uint8)),
        r"It has \d+ places for elements of 1 byte, and 9 bytes",
    ),
    "shape": (
        lambda b: vars(b.graph.tensors[1]).update(shape=[-64, 96]),
        r"Its shape \[-64, 96\] has a negative dimension",
    ),
    "type": (
        lambda b: vars(b.graph.tensors[1]).update(type=schema.TensorType.STRING),
        "Elements of type string cannot be sparse",
    ),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_refuses_damage(what: str) -> None:
    build, _ = sparse_layer()
    change, match = DAMAGED[what]
    change(build)
    with pytest.raises(sp.ModelError, match=match) as error:
        load_model(build.to_bytes(), "f.tflite")
    assert "tensor 1 ('w') of subgraph 0: its sparse encoding is damaged" in str(error.value)


def test_refuses_a_small_file_that_is_huge_when_dense() -> None:
    build, _ = sparse_layer()
    build.graph.tensors[1].shape = [2**15, 2**15]
    with pytest.raises(sp.ModelError, match=r"its tensors take at least .* when they are unpacked"):
        load_model(build.to_bytes(), "f.tflite")


def test_a_float_model_says_what_to_do() -> None:
    weights = sparse(64, 96).astype(np.float32)
    build = dense_layer(weights, scale=[])
    stored, sparsity = sparsify(weights)
    build.model.buffers[1].data = stored.view(np.uint8)
    build.graph.tensors[1].sparsity = sparsity
    with pytest.raises(sp.ModelError, match="1 of them is stored in TensorFlow Lite's sparse") as e:
        values(build.to_bytes())
    assert "int8 quantisation" in str(e.value)
    assert "without Optimize.EXPERIMENTAL_SPARSITY" in str(e.value)


@pytest.mark.parametrize("way", WAYS)
def test_as_litert_makes_it_dense(way: str) -> None:
    """TensorFlow Lite's own DENSIFY operator decodes the same values."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert")
    weights = sparse(64, 96)
    weights[3:9] = 0
    stored, sparsity = sparsify(weights, **WAYS[way])
    build = ModelBuilder()
    w = build.tensor("w", weights.shape, data=stored)
    build.graph.tensors[w].sparsity = sparsity
    dense = build.tensor("dense", weights.shape)
    x = build.tensor("x", weights.shape)
    y = build.tensor("y", weights.shape)
    build.operator("DENSIFY", [w], [dense], schema.DensifyOptionsT())
    build.operator("MAXIMUM", [x, dense], [y], schema.MaximumMinimumOptionsT())
    build.ends([x], [y])
    model = interpreter.Interpreter(model_content=build.to_bytes())
    model.allocate_tensors()
    model.set_tensor(x, np.full(weights.shape, -128, np.int8))
    model.invoke()
    np.testing.assert_array_equal(model.get_tensor(y), weights)
    np.testing.assert_array_equal(values(build.to_bytes())["w"], weights)


def test_the_shared_case(tmp_path: Path) -> None:
    model = CASES / "pruned_sparse_i8.tflite"
    if not model.is_file():
        pytest.skip(f"{model} is not there")
    result = sp.pack_file(model, tmp_path / "packed.tflite", objective="size")
    assert sum(stored.format != "dense" for stored in result.tensors) == 2
    assert sp.verify_files(model, tmp_path / "packed.tflite").ok
