# SPDX-License-Identifier: Apache-2.0
"""The tensor arena: the estimate against the interpreter, and what is packed within a limit."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from test_cli import MODEL, run
from tflite_cases import pack, real_model, shared_buffer, two_subgraphs
from tflite_models import ModelBuilder, conv_layer, dense_layer, sparse

import stridepack as sp
from stridepack.files.verify import verify_files
from stridepack.tflite.arena.goal import RamGoal
from stridepack.tflite.arena.lifetimes import find_lifetimes
from stridepack.tflite.arena.measure import measure_arena
from stridepack.tflite.arena.model import ArenaModel
from stridepack.tflite.arena.planner import (
    Buffer,
    aligned,
    never_moved,
    peak_nbytes,
    place,
    planned_nbytes,
)
from stridepack.tflite.constants import find_constants, named_weights, read_values
from stridepack.tflite.graph import Encoding, insert_decode
from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.model import load_model
from stridepack.tflite.pack import pack_tflite
from stridepack.tflite.types import decode_type
from stridepack.tflite.types.base import UnencodableError

BUNDLED = MODEL.read_bytes()
REAL = [
    "kws_dscnn_sparse_l_80",
    "kws_dscnn_sparse_s_80",
    "mlperf_tiny_ad01_int8",
    "mlperf_tiny_pretrainedResnet_quant",
    "mlperf_tiny_str_ww_ref_model",
    "mlperf_tiny_vww_96_int8",
    "mobilenetv2_cifar10_sparse90",
]


def random_buffers(seed: int, n: int) -> list[Buffer]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 12, n)
    last = first + rng.integers(0, 4, n)
    sizes = rng.choice([16, 30, 64, 100, 500, 1000], n)
    return [Buffer(int(s), int(f), int(t)) for s, f, t in zip(sizes, first, last, strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_buffers_in_use_together_have_different_places(seed: int) -> None:
    buffers = random_buffers(seed, 15)
    placed = place(buffers)
    assert sorted((p.end - p.offset, p.first, p.last) for p in placed) == sorted(
        (aligned(b.nbytes), b.first, b.last) for b in buffers
    )
    for i, a in enumerate(placed):
        for b in placed[:i]:
            together = a.first <= b.last and b.first <= a.last
            assert not together or a.end <= b.offset or b.end <= a.offset
    assert peak_nbytes(buffers) <= planned_nbytes(buffers) == max(p.end for p in placed)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_never_moved(seed: int) -> None:
    buffers, others = random_buffers(seed, 10), random_buffers(seed + 100, 4)
    fixed = {(p.offset, p.end, p.first, p.last) for p in place(never_moved(buffers, others))}
    for chosen in product([False, True], repeat=len(others)):
        some = [other for other, is_chosen in zip(others, chosen, strict=True) if is_chosen]
        assert fixed <= {(p.offset, p.end, p.first, p.last) for p in place([*buffers, *some])}


def encodings(model: bytes, seed: int) -> list[Encoding]:
    """Some weights of a model in random types."""
    parsed, rng = load_model(model, "model"), np.random.default_rng(seed)
    result = []
    for weight in named_weights(parsed, find_constants(parsed)).values():
        if weight.n_elements < 500 or rng.random() < 0.4:
            continue
        decode = decode_type(str(rng.choice(["tflm_huffman", "tflm_lut", "tflm_prune"])))
        try:
            payload = decode.encode(read_values(parsed, weight), weight.tensor)
        except UnencodableError:
            continue
        result.append(Encoding(weight.subgraph, weight.index, weight.readers, payload))
    return result


def check_estimate(model: bytes, seed: int, *, beside: bool) -> None:
    """The estimate is what the interpreter measures: relative to the dense model, it is exact."""
    parsed = load_model(model, "model")
    arena = ArenaModel(parsed, measure_arena(model), decompression_memory=beside)
    some = encodings(model, seed)
    estimate, decompression = arena.of(some)
    insert_decode(parsed, some)
    packed = parsed.to_bytes()
    measured = measure_arena(packed, decompression=decompression)
    assert measured is not None
    assert estimate.planned == measured.planned
    assert 0 <= estimate.kept - measured.kept <= 16  # structures of 24 bytes at multiples of 16
    if decompression:
        less = measure_arena(packed, decompression=decompression - 1)
        assert less is not None
        assert less.planned >= measured.planned


@pytest.mark.parametrize("beside", [False, True])
def test_estimate_of_the_bundled_model(beside: bool) -> None:
    for seed in range(3):
        check_estimate(BUNDLED, seed, beside=beside)


@pytest.mark.parametrize("build", [shared_buffer, two_subgraphs])
def test_estimate_of_unusual_models(build) -> None:  # type: ignore[no-untyped-def]
    check_estimate(build().to_bytes(), 1, beside=False)


def interleaved(between: bool) -> bytes:
    """Two kernels that are read in turn; perhaps a third one in between, which is read once."""
    build = ModelBuilder()
    x = build.tensor("x", [1, 64], scale=[1.0])
    first = x
    w = [build.constant(f"w{i}", sparse(64, 64), scale=[1.0]) for i in range(3)]
    for i, k in enumerate((0, 1, 0, 2, 1, 0) if between else (0, 1, 0, 1)):
        y = build.tensor(f"y{i}", [1, 64], scale=[1.0])
        build.fully_connected([x, w[k], -1], [y])
        x = y
    return build.ends([first], [x]).to_bytes()


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("between", [False, True])
def test_estimate_where_readers_share_a_decode(between: bool, beside: bool) -> None:
    for seed in range(4):  # other tensors each time, and so other DECODE operators
        check_estimate(interleaved(between), seed, beside=beside)


@pytest.mark.slow
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("name", REAL)
def test_estimate_of_real_models(name: str, beside: bool) -> None:
    check_estimate(real_model(name), 0, beside=beside)


@pytest.mark.parametrize("name", [None, *(pytest.param(n, marks=pytest.mark.slow) for n in REAL)])
def test_estimate_without_the_interpreter(name: str | None) -> None:
    """What is planned is exact; what the kernels keep is a rough table."""
    model = BUNDLED if name is None else real_model(name)
    estimate, measured = ArenaModel(load_model(model, "model"), None).dense, measure_arena(model)
    assert measured is not None
    assert estimate.planned == measured.planned
    assert abs(estimate.kept - measured.kept) <= max(0.05 * measured.kept, 256)


def test_what_is_planned_in_a_model_with_decode_operators() -> None:
    packed = pack(BUNDLED)
    lifetimes = find_lifetimes(load_model(packed, "packed"))
    measured = measure_arena(packed)
    assert measured is not None
    assert planned_nbytes([*lifetimes.tensors, *lifetimes.scratch]) == measured.planned
    assert len(lifetimes.decoded) == 6


def test_tensors_that_take_more_than_they_save_stay_dense(tmp_path: Path) -> None:
    """A large layer of which little is saved needs as much RAM as it has weights."""
    model, packed = tmp_path / "m.tflite", tmp_path / "p.tflite"
    model.write_bytes(dense_layer(sparse(128, 256, sparsity=0.4)).to_bytes())
    result = sp.pack_file(model, packed)
    assert result.tensors[0].format == "dense"
    assert result.tensors[0].note == "unpacking it takes more RAM than packing it saves in the file"
    assert packed.read_bytes() == model.read_bytes()
    assert result.ram is not None
    assert result.ram.before == result.ram.after
    count, saved, added = result.ram.left_out
    assert count == 1
    assert 0 < saved < added
    output = run("pack", model, "-o", packed, "--objective", "size")
    assert packed.stat().st_size < model.stat().st_size
    before, after = compare_outputs(model.read_bytes(), packed.read_bytes()).arena_nbytes
    assert f"tensor arena: {before:,} -> {after:,} bytes ({after - before:+,}), as the" in output
    assert after - before > model.stat().st_size - packed.stat().st_size


@pytest.mark.parametrize("more", [0, 500, 3000, 3536])
def test_within_an_arena(tmp_path: Path, more: int) -> None:
    """The smallest file of all that keep the limit, as the interpreter measures them."""
    packed, limit = tmp_path / "p.tflite", 58_208 + more
    result = sp.pack_file(MODEL, packed, arena=limit)
    assert result.ram is not None
    assert result.ram.best
    assert result.ram.after <= limit
    outputs = verify_files(MODEL, packed).outputs
    assert outputs is not None
    assert outputs.equal
    assert outputs.arena_nbytes == (58_208, result.ram.after)
    all_of_them = pack_tflite(BUNDLED, min_size=2048)
    assert (more == 3536) == (packed.read_bytes() == all_of_them.data)
    if more == 0:
        assert packed.read_bytes() == BUNDLED


def test_sram_is_the_arena_of_a_tflite(tmp_path: Path) -> None:
    a, b = tmp_path / "a.tflite", tmp_path / "b.tflite"
    output = run("pack", MODEL, "-o", a, "--sram", 59_000)
    found = re.search(r"tensor arena: 58,208 -> ([\d,]+) of 59,000 bytes", output)
    assert found
    assert int(found[1].replace(",", "")) <= 59_000
    sp.pack_file(MODEL, b, arena=59_000)
    assert a.read_bytes() == b.read_bytes()


def test_a_file_in_ram(tmp_path: Path) -> None:
    packed = tmp_path / "p.tflite"
    output = run("pack", MODEL, "-o", packed, "--in-ram")
    size = packed.stat().st_size
    after = measure_arena(packed.read_bytes())
    assert after is not None
    total = f"RAM in all: {size + after.nbytes:,} bytes: {size:,} of the file, {after.nbytes:,} of"
    assert total in output
    assert size + after.nbytes < len(BUNDLED) + 58_208


def test_decompression_memory(tmp_path: Path) -> None:
    """The exact size: one byte less, and the largest tensor is unpacked into the arena."""
    packed = tmp_path / "p.tflite"
    output = run("pack", MODEL, "-o", packed, "--decompression-memory")
    assert "decompression memory: 36,864 bytes, which the arena does not count." in output
    assert "alignas(16) static uint8_t decompression_memory[36864];" in output
    assert "interpreter.SetDecompressionMemory(&decompression_region, 1);" in output
    found = re.search(r"tensor arena: 58,208 -> ([\d,]+) bytes", output)
    assert found
    data = packed.read_bytes()
    exact = measure_arena(data, decompression=36_864)
    less = measure_arena(data, decompression=36_863)
    assert exact is not None
    assert less is not None
    assert exact.nbytes == int(found[1].replace(",", "")) < less.nbytes


def test_an_arena_that_the_model_exceeds(tmp_path: Path) -> None:
    with pytest.raises(sp.BudgetError, match=r"`arena=58207` is too small.* which is 1 more"):
        sp.pack_file(MODEL, tmp_path / "p.tflite", arena=58_207)
    with pytest.raises(sp.InputError, match="`arena=-1` is negative"):
        sp.pack_file(MODEL, tmp_path / "p.tflite", arena=-1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["arena", "in_ram", "decompression_memory"])
def test_other_outputs_have_no_arena(tmp_path: Path, option: str) -> None:
    with pytest.raises(sp.InputError, match=f"`{option}=.*` is for .tflite output only"):
        sp.pack_file(MODEL, tmp_path / "p.spk", **{option: True})
    assert not list(tmp_path.iterdir())


def test_our_own_decoder_is_estimated(tmp_path: Path) -> None:
    output = run("pack", MODEL, "-o", tmp_path / "p.tflite", "--decoder", "stridepack")
    assert re.search(
        r"tensor arena: about 58,208 -> [\d,]+ bytes \(\+[\d,]+\), an estimate", output
    )


def test_decode_operators_of_packed_models_count(tmp_path: Path) -> None:
    """A model of which one tensor is packed already, by another tool."""
    first = pack_tflite(BUNDLED, [decode_type("tflm_huffman")], min_size=20_000).data
    arena = ArenaModel(load_model(first, "model"), measure_arena(first), decompression_memory=True)
    estimate, beside = arena.of([])
    assert beside == 36_864
    measured = measure_arena(first, decompression=beside)
    assert measured is not None
    assert estimate.kept == measured.kept


def test_goals() -> None:
    assert RamGoal().counts == "limited"
    assert RamGoal(smallest=True).counts == "flash"
    assert RamGoal(arena=1).counts == "flash"
    assert RamGoal(arena=1, in_ram=True).counts == "all"


def test_scratch_memory_is_planned() -> None:
    model = conv_layer(sparse(8, 3, 3, 4)).to_bytes()
    lifetimes = find_lifetimes(load_model(model, "model"))
    measured = measure_arena(model)
    assert measured is not None
    assert planned_nbytes([*lifetimes.tensors, *lifetimes.scratch]) == measured.planned


def test_verify_with_its_files_in_the_wrong_order(tmp_path: Path) -> None:
    packed = tmp_path / "p.tflite"
    sp.pack_file(MODEL, packed)
    right = run("verify", MODEL, packed, "--inputs", 1)
    wrong = run("verify", packed, MODEL, "--inputs", 1)
    assert (
        wrong == f"The packed file was given first. Below, the second file is the model.\n{right}"
    )
    assert verify_files(packed, MODEL, n_inputs=1).swapped
