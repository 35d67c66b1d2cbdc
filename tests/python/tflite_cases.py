# SPDX-License-Identifier: Apache-2.0
"""Models and helpers that the tests of .tflite files share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_micro import runtime
from tflite_models import ModelBuilder, conv_layer, dense_layer, schema, sparse

from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite
from stridepack.tflite.types import decode_type

MODELS = Path(__file__).parents[3] / "shared" / "data" / "models"


def real_model(name: str) -> bytes:
    path = MODELS / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def pack(model: bytes, *types: str) -> bytes:
    """Pack a model of which at least one weight gets smaller. Without types: in the best."""
    packed = pack_tflite(model, [decode_type(t) for t in types] or None).data
    assert len(packed) < len(model)
    return packed


def run(model: bytes) -> npt.NDArray[Any]:
    """First output of a model without inputs, in the stock interpreter."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=2**22)
    interpreter.invoke()
    return np.asarray(interpreter.get_output(0))


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


def shared_buffer(weights: npt.NDArray[np.int8] | None = None) -> ModelBuilder:
    """Two tensors of different shape with the same data: 64 x 64 elements."""
    build = dense_layer(sparse(64, 64) if weights is None else weights)
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


def layer_read_by(name: str) -> ModelBuilder:
    build = dense_layer(sparse(64, 64))
    build.operator(name, [1], [build.tensor(None, [64, 64])])
    return build
