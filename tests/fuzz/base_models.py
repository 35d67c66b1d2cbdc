# SPDX-License-Identifier: Apache-2.0
"""The models that are changed: small ones, of all kinds that take a way of their own."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
from sparse_models import sparsify
from tflite_models import ModelBuilder, conv_layer, dense_layer, schema, sparse

from stridepack.tflite.pack import pack_tflite
from stridepack.tflite.types import decode_type, decode_types
from stridepack.tflite.types.blob import Blob

MOST_BYTES = 40_000  # of a model of another folder


def bases(also: Path | None) -> list[bytes]:
    """Dense, packed in every DECODE type, and those of another folder."""
    dense = [
        dense_layer(sparse(32, 32)),
        dense_layer(sparse(24, 40), n_readers=2),
        dense_layer(sparse(32, 32), zero_point=[3]),
        conv_layer(sparse(8, 3, 3, 8)),
        conv_layer(sparse(1, 3, 3, 64), kind="DEPTHWISE_CONV_2D"),
        _calls(),
        _many_kernels(),
        _int4(),
        _sparse_encoding(),
        _compiled(),
    ]
    types = [*map(decode_type, decode_types()), Blob("rle"), Blob("huffman"), Blob("rans")]
    model = dense_layer(sparse(48, 64)).to_bytes()
    packed = [pack_tflite(model, [kind]).data for kind in types]
    others = [path.read_bytes() for path in sorted(also.glob("*.tflite"))] if also else []
    return [
        *(build.to_bytes() for build in dense),
        dense_layer(sparse(32, 32)).to_bytes(outside=[1]),
        *packed,
        *(data for data in others if len(data) < MOST_BYTES),
    ]


def _calls() -> ModelBuilder:
    """A loop and a branch, whose bodies are subgraphs with weights."""
    build = dense_layer(sparse(32, 32))
    graph = build.graph
    condition = build.tensor("condition", [1], "bool", scale=[])
    z = build.tensor("z", [1, 32], zero_point=[-3])
    for seed in range(2):
        build.add_subgraph()
        x, y = build.tensor("x", [1, 32], zero_point=[-3]), build.tensor("y", [1, 32])
        w = build.constant(f"w{seed}", sparse(32, 32, seed=seed))
        build.fully_connected([x, w, -1], [y])
        build.ends([x], [y])
    build.model.subgraphs.append(build.model.subgraphs.pop(0))  # operators go to the last one
    loop = schema.WhileOptionsT(condSubgraphIndex=1, bodySubgraphIndex=2)
    build.operator("WHILE", [0], [z], loop)
    branch = schema.IfOptionsT(thenSubgraphIndex=1, elseSubgraphIndex=2)
    build.operator("IF", [condition, z], [graph.outputs[0]], branch)
    build.model.subgraphs.insert(0, build.model.subgraphs.pop())
    return build


def _many_kernels() -> ModelBuilder:
    """Operators that need scratch memory, or read their weights in another way."""
    build = conv_layer(sparse(8, 3, 3, 8))
    (x,) = build.graph.outputs
    shape = build.constant("shape", np.array([1, 12, 12, 4], np.int32), scale=[])
    w = build.constant("up/w", sparse(4, 3, 3, 8, seed=1))
    up = build.tensor("up", [1, 12, 12, 4])
    build.operator("TRANSPOSE_CONV", [shape, w, x], [up], schema.TransposeConvOptionsT(0, 2, 2), 3)
    axes = build.constant("axes", np.array([1, 2], np.int32), scale=[])
    mean = build.tensor("mean", [1, 4])
    build.operator("MEAN", [up, axes], [mean], schema.ReducerOptionsT(), 2)
    features = build.constant("svdf/w", sparse(16, 4, seed=2))
    times = build.constant("svdf/time", np.ones((16, 8), np.int16), scale=[0.1])
    state = build.tensor("state", [1, 128], "int16")
    build.graph.tensors[state].isVariable = True
    y = build.tensor("y", [1, 16], scale=[0.5])
    build.operator("SVDF", [mean, features, times, -1, state], [y], schema.SVDFOptionsT(1), 3)
    return build.ends(build.graph.inputs, [y])


def _int4() -> ModelBuilder:
    build = ModelBuilder()
    x, y = build.tensor("x", [1, 32]), build.tensor("y", [1, 32], scale=[2.0])
    w = build.int4("w", np.clip(sparse(32, 32), -7, 7))
    build.fully_connected([x, w, -1], [y])
    return build.ends([x], [y])


def _sparse_encoding() -> ModelBuilder:
    """TensorFlow Lite's own, with blocks of 4."""
    build = dense_layer(sparse(32, 32))
    stored, sparsity = sparsify(sparse(32, 32), blocks=[(1, 4)])
    build.graph.tensors[1].buffer = build.buffer(stored.tobytes())
    build.graph.tensors[1].sparsity = sparsity
    return build


def _compiled() -> ModelBuilder:
    """What Vela makes of a part of a model."""
    build = dense_layer(sparse(32, 32))
    code = build.constant("commands", np.arange(256, dtype=np.uint8), scale=[])
    z = build.tensor("z", [1, 32])
    build.operator("ethos-u", [code, *build.graph.outputs], [z])
    return build.ends(build.graph.inputs, [z])
