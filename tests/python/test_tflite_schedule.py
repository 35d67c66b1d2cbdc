# SPDX-License-Identifier: Apache-2.0
"""Operators that share a DECODE: where it stands, what it decodes, and that results stay."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from tflite_cases import assert_equal_weights, operators, pack
from tflite_models import ModelBuilder, dense_layer, sparse

import stridepack as sp
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite, unpack_tflite
from stridepack.tflite.schedule import decode_groups

CASES = Path(__file__).parents[3] / "shared" / "cases"

# What each operator reads; encoded are the capital letters. Then the operators of each DECODE, and
# what it decodes.
SCHEDULES = {
    "one reader": (["xA"], [([0], "A")]),
    "two tensors of one operator": (["xAB"], [([0], "AB")]),
    "two readers": (["xA", "xA"], [([0, 1], "A")]),
    "something else in between": (["xA", "x", "y", "xA"], [([0, 3], "A")]),
    "another DECODE in between": (["xA", "xB", "xA"], [([0], "A"), ([1], "B"), ([2], "A")]),
    "interleaved": (["xA", "xB", "xA", "xB"], [([0, 1, 2, 3], "AB")]),
    "one after the other": (["xA", "xA", "xB", "xB"], [([0, 1], "A"), ([2, 3], "B")]),
    "overlapping": (["xA", "xB", "xA", "xC", "xB", "xC"], [([0, 1, 2, 3, 4, 5], "ABC")]),
    "with one that only one reads": (["xAB", "xA"], [([0], "AB"), ([1], "A")]),
    "after one that only one reads": (["xB", "xA", "xA"], [([0], "B"), ([1, 2], "A")]),
    "part of it": (
        ["xA", "xB", "xA", "xC", "xC", "xA"],
        [([0], "A"), ([1], "B"), ([2], "A"), ([3, 4], "C"), ([5], "A")],
    ),
    "nothing": (["x", "y"], []),
}


@pytest.mark.parametrize("what", SCHEDULES)
def test_schedule(what: str) -> None:
    reads, expected = SCHEDULES[what]
    groups = decode_groups(
        [SimpleNamespace(inputs=[ord(t) for t in inputs]) for inputs in reads],
        {ord(t) for inputs in reads for t in inputs if t.isupper()},
    )
    assert [(g.operators, "".join(map(chr, g.tensors))) for g in groups] == expected


@pytest.mark.parametrize("seed", range(30))
def test_no_decode_between_a_decode_and_its_readers(seed: int) -> None:
    """So that firmware can give the interpreter memory for decompression, which is used anew."""
    rng = np.random.default_rng(seed)
    reads = [sorted(set(rng.integers(0, 6, rng.integers(0, 3)).tolist())) for _ in range(20)]
    encoded = {0, 1, 2, 3}
    groups = decode_groups([SimpleNamespace(inputs=inputs) for inputs in reads], encoded)
    decoded: set[int] = set()
    starts = {group.operators[0]: group for group in groups}
    for o, inputs in enumerate(reads):
        if o in starts:
            decoded = set(starts[o].tensors)
        assert encoded & set(inputs) <= decoded
    assert sorted(o for g in groups for o in g.operators) == [
        o for o, inputs in enumerate(reads) if encoded & set(inputs)
    ]


def test_a_decode_that_is_there_already_stands_in_between() -> None:
    reads = [SimpleNamespace(inputs=inputs) for inputs in ([1], [9], [1], [1], [2])]
    groups = decode_groups(reads, {1, 2}, barriers=[1])
    assert [(g.operators, g.tensors) for g in groups] == [
        ([0], [1]),
        ([2], [1]),
        ([3], [1]),
        ([4], [2]),
    ]


def unrolled(n_steps: int, *, between: Sequence[str] = ()) -> ModelBuilder:
    """A recurrent network, step by step: all read the kernels "w" and "u" in turn.

    between: names of kernels that are read once, in the middle.
    """
    build = ModelBuilder()
    w = build.constant("w", sparse(48, 48, seed=1))
    u = build.constant("u", sparse(48, 48, seed=2))
    others = [build.constant(name, sparse(48, 48, seed=3)) for name in between]
    x = build.tensor("x", [1, 48], zero_point=[-3])
    state = x
    for step in range(n_steps):
        kernels = [w, *(others if step == n_steps // 2 else []), u]
        for kernel in kernels:
            y = build.tensor(None, [1, 48], scale=[0.06], zero_point=[1])
            build.fully_connected([state, kernel, -1], [y])
            state = y
    return build.ends([x], [state])


def test_an_unrolled_network_decodes_its_kernels_once() -> None:
    model = unrolled(20).to_bytes()
    packed = pack_tflite(model)
    assert set(packed.payloads) == {"w", "u"}
    assert operators(packed.data) == ["TFLM_DECODE", *["FULLY_CONNECTED"] * 40]
    assert_equal_weights(packed.data, model)
    assert unpack_tflite(packed.data) == load_model(model, "model").to_bytes()
    assert compare_outputs(model, packed.data, n_inputs=3).equal


def test_a_kernel_in_between_is_not_kept_for_long() -> None:
    """It is decoded alone, and the others again after it."""
    model = unrolled(4, between=["v"]).to_bytes()
    packed = pack_tflite(model)
    names = operators(packed.data)
    assert names[:2] == ["TFLM_DECODE", "FULLY_CONNECTED"]
    assert names.count("TFLM_DECODE") > 2
    assert compare_outputs(model, packed.data, n_inputs=3).equal


def test_a_kernel_that_stays_dense_is_not_in_between() -> None:
    """What gains nothing is left out first; then the others need one DECODE only."""
    build = unrolled(12, between=["v"])
    build.model.buffers[3].data = np.random.default_rng(0).integers(0, 256, 48 * 48, np.uint8)
    model = build.to_bytes()
    packed = pack_tflite(model)
    assert set(packed.payloads) == {"w", "u"}
    assert "would take" in packed.notes["v"]
    assert operators(packed.data).count("TFLM_DECODE") == 1
    assert compare_outputs(model, packed.data, n_inputs=3).equal


def test_packing_more_of_a_packed_network() -> None:
    """No DECODE is put between another one and its readers."""
    build = unrolled(6, between=["v"])
    model = build.to_bytes()
    build.model.buffers[3].data = np.random.default_rng(0).integers(0, 256, 48 * 48, np.uint8)
    first = pack_tflite(build.to_bytes())
    assert set(first.payloads) == {"w", "u"}
    parsed = load_model(first.data, "first")
    (dense,) = (t for t in parsed.subgraphs[0].tensors if t.name == b"v")
    parsed.root.buffers[dense.buffer] = load_model(model, "model").root.buffers[3]
    again = pack_tflite(parsed.to_bytes())
    assert not again.payloads
    assert again.notes["v"].startswith("another tensor that is decoded already is in use")


def test_many_readers_take_no_more_than_one() -> None:
    one, many = (
        pack(dense_layer(sparse(64, 64), n_readers=n).to_bytes(), "tflm_prune") for n in (1, 30)
    )
    for packed, n in ((one, 1), (many, 30)):
        assert operators(packed) == ["TFLM_DECODE", *["FULLY_CONNECTED"] * n]


def test_the_shared_case(tmp_path: Path) -> None:
    model = CASES / "gru_unroll_i8.tflite"
    if not model.is_file():
        pytest.skip(f"{model} is not there")
    result = sp.pack_file(model, tmp_path / "packed.tflite", objective="size")
    assert [s.format == "dense" for s in result.tensors if s.tensor.size > 2048] == [False, False]
    assert operators((tmp_path / "packed.tflite").read_bytes()).count("TFLM_DECODE") == 2
    assert sp.verify_files(model, tmp_path / "packed.tflite").ok
