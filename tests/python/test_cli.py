"""The command line as a user meets it: outputs, messages, exit codes, and no half-written files."""

import json
import math
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.cost.estimate import decode_cycles
from stridepack.files.spk import parse_bundle

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "examples/resnet8_cifar10_50.tflite"
ARRAYS = {
    "layer1": random_array(6000, 0.6).reshape(20, 300),
    "[layer] 2": random_array(4000, 0.2),
    "small": random_array(100, 0.9),
}


def run(*arguments: object, code: int = 0, limit: int | None = None) -> str:
    """Run the command; standard output and errors together. limit: bytes that a file may have."""

    def set_limit() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = subprocess.run(
        [sys.executable, "-B", "-m", "stridepack", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=set_limit,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout
    assert "Traceback" not in result.stdout, result.stdout
    return result.stdout


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    path = tmp_path / "weights.npz"
    np.savez(path, **ARRAYS)
    return path


def test_spk_round_trip(npz: Path, tmp_path: Path) -> None:
    packed, unpacked = tmp_path / "w.spk", tmp_path / "back.npz"
    assert "wrote" in run("pack", npz, "-o", packed)
    blobs = parse_bundle(packed.read_bytes())
    assert list(blobs) == list(ARRAYS)
    assert blobs["small"].format == "dense"
    assert "all 3 tensors are equal" in run("verify", npz, packed)
    run("unpack", packed, "-o", unpacked)
    with np.load(unpacked) as archive:
        for name, values in ARRAYS.items():
            np.testing.assert_array_equal(archive[name], values)
    # A packed file is a model too.
    assert "layer1" in run("inspect", packed)


def test_tflite_round_trip(tmp_path: Path) -> None:
    packed, dense = tmp_path / "packed.tflite", tmp_path / "dense.tflite"
    run("pack", MODEL, "-o", packed)
    assert packed.stat().st_size < 0.8 * MODEL.stat().st_size
    output = run("verify", MODEL, packed, "--inputs", 3)
    assert "outputs: equal on 3 random inputs" in output
    assert "tensor arena:" in output
    run("unpack", packed, "-o", dense)
    original = {t.name: t.values for t in sp.read_tflite(MODEL)}
    for tensor in sp.read_tflite(dense):
        np.testing.assert_array_equal(tensor.values, original.pop(tensor.name))
    assert not original


def test_c_and_runtime(npz: Path, tmp_path: Path) -> None:
    run("pack", npz, "-o", tmp_path / "w.c", "--format", "hybrid", "--tile", 1000)
    run("runtime", tmp_path / "runtime")
    sources = sorted((tmp_path / "runtime/src").glob("*.c"))
    include = tmp_path / "runtime/include"
    subprocess.run(
        ["cc", "-std=c99", "-fsyntax-only", f"-I{include}", *sources, tmp_path / "w.c"], check=True
    )


@pytest.mark.parametrize("format", sp.formats())
def test_every_format_can_be_forced(npz: Path, tmp_path: Path, format: str) -> None:
    run("pack", npz, "-o", tmp_path / "w.spk", "--format", format, "--min-size", 0)
    blobs = parse_bundle((tmp_path / "w.spk").read_bytes())
    assert {blob.format for blob in blobs.values()} == {format}


def test_options_reach_the_encoder(npz: Path, tmp_path: Path) -> None:
    options = ("--sizes", "5,3", "--strides", "1,2-4,40", "--occupancy", 0.6, "--order", "rate")
    run("pack", npz, "-o", tmp_path / "w.spk", "--format", "hybrid", *options, "--tile", 500)
    groups = {"sizes": (5, 3), "strides": (1, 2, 3, 4, 40), "occupancy": 0.6, "order": "rate"}
    expected = sp.pack(ARRAYS["layer1"], "hybrid", tile=500, **groups)
    assert expected != sp.pack(ARRAYS["layer1"], "hybrid", tile=500, **(groups | {"order": "size"}))
    assert parse_bundle((tmp_path / "w.spk").read_bytes())["layer1"] == expected


def test_pack_within_budgets(npz: Path, tmp_path: Path) -> None:
    packed = tmp_path / "w.spk"
    budgets = ("--flash", 9000, "--max-cycles", 12_000, "--sram", 1600)
    output = run("pack", npz, "-o", packed, *budgets)
    assert "all 3 tensors are equal" in run("verify", npz, packed)
    assert f"Flash: {packed.stat().st_size:,} of 9,000 bytes" in output
    blobs = parse_bundle(packed.read_bytes())
    cycles = sum(math.ceil(decode_cycles(blob, "cortex-m55") or 0) for blob in blobs.values())
    assert f"cycles: {cycles:,} of 12,000 to decode every tensor once on cortex-m55" in output
    assert "SRAM: 1,600 of 1,600 bytes" in output
    assert "a buffer for any tensor or tile; tensors cut into tiles: 2" in output
    assert {blob.tile_size for blob in blobs.values()} == {1600, 100}
    for text in ("layer1", "why", "fewer than 2048 elements", "not counted as Flash"):
        assert text in output
    unused = set(sp.formats()).difference(blob.format for blob in blobs.values())
    assert all(f"SPK_WITHOUT_{name.upper()}" in output for name in unused)


def test_pack_by_objective_and_target(npz: Path, tmp_path: Path) -> None:
    sizes, cycles = {}, {}
    for objective in ("size", "balanced", "speed"):
        path = tmp_path / f"{objective}.spk"
        target = ("--target", "cortex-m55-scalar") if objective == "balanced" else ()
        output = run("pack", npz, "-o", path, "--objective", objective, *target)
        assert ("cortex-m55-scalar" in output) == bool(target)
        sizes[objective] = path.stat().st_size
        blobs = parse_bundle(path.read_bytes()).values()
        cycles[objective] = sum(decode_cycles(blob, "cortex-m55") or 0 for blob in blobs)
    assert sizes["size"] < sizes["balanced"] < sizes["speed"]
    assert cycles["speed"] < cycles["balanced"]
    # The smallest plan is what pack makes without one.
    run("pack", npz, "-o", tmp_path / "w.spk")
    assert (tmp_path / "w.spk").read_bytes() == (tmp_path / "size.spk").read_bytes()


def test_pack_c_within_budgets(npz: Path, tmp_path: Path) -> None:
    output = run("pack", npz, "-o", tmp_path / "w.c", "--sram", 2000, "--count-code")
    assert "counted as Flash" in output
    assert "not counted as Flash" not in output
    assert "#define W_LARGEST_TILE 2000 " in (tmp_path / "w.h").read_text()


@pytest.mark.parametrize("suffix", ["spk", "c"])
@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--flash"], "bytes of Flash"),
        (["--max-cycles"], "cycles"),
        (["--format", "rle", "--count-code", "--flash"], "bytes of Flash"),
        (["--objective", "speed", "--target", "cortex-m55-scalar", "--max-cycles"], "cycles"),
    ],
)
def test_budgets_that_cannot_be_kept(
    npz: Path, tmp_path: Path, suffix: str, arguments: list[str], what: str
) -> None:
    """The least that is said to do does, and one less does not. Nothing is written until then."""
    output = tmp_path / f"out/w.{suffix}"
    output.parent.mkdir()
    message = run("pack", npz, "-o", output, *arguments, 1000, code=2)
    found = re.search(rf"allow at least (\d+) {what}, (\d+) more than 1000\b", message)
    assert found, message
    assert int(found[1]) - int(found[2]) == 1000
    assert "1 more than" in run("pack", npz, "-o", output, *arguments, int(found[1]) - 1, code=2)
    assert not files_below(output.parent)
    assert f"of {int(found[1]):,}" in run("pack", npz, "-o", output, *arguments, found[1])


def test_budgets_that_exclude_each_other(npz: Path, tmp_path: Path) -> None:
    output = tmp_path / "w.spk"
    run("pack", npz, "-o", output, "--max-cycles", 10**9)
    budgets = ("--flash", output.stat().st_size, "--max-cycles", 5000)
    output.unlink()
    message = run("pack", npz, "-o", output, *budgets, code=2)
    assert re.search(r"allow at least \d+ bytes of Flash for 5000 cycles, \d+ more than", message)
    assert re.search(r"; or allow at least \d+ cycles in \d+ bytes of Flash, \d+ more", message)
    assert "at least 16 bytes of SRAM" in run("pack", npz, "-o", output, "--sram", 3, code=2)
    assert not output.exists()


def test_a_tflite_can_be_too_large(tmp_path: Path) -> None:
    packed = tmp_path / "w.tflite"
    output = run("pack", MODEL, "-o", packed, "--flash", 70_000)
    size = packed.stat().st_size
    assert f"Flash: {size:,} of 70,000 bytes" in output
    packed.unlink()
    output = run("pack", MODEL, "-o", packed, "--flash", size - 1, code=2)
    assert f"the smallest file takes {size} bytes of Flash, 1 more than {size - 1}" in output
    assert not files_below(tmp_path)


def test_inspect(npz: Path) -> None:
    table = run("inspect", npz)
    for text in (
        "layer1",
        "[layer] 2",
        "20x300",
        "entropy bound",
        "1 smaller than 2048",
        *sp.formats(),
    ):
        assert text in table
    report = json.loads(run("inspect", npz, "--json"))
    rows = {row["name"]: row for row in report["tensors"]}
    assert rows.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        row = rows[name]
        assert row["shape"] == list(values.shape)
        assert row["n_non_zero"] == np.count_nonzero(values)
        assert row["nbytes"] == {f: sp.pack(values, f).nbytes for f in sp.formats()}
        assert row["entropy_nbytes"] <= values.size
    assert rows["small"]["best"] == "dense"
    assert report["total"]["n_elements"] == sum(v.size for v in ARRAYS.values())


@pytest.mark.parametrize("target", ["cortex-m55", "cortex-m55-scalar"])
def test_inspect_with_a_target(npz: Path, target: str) -> None:
    table = run("inspect", npz, "--target", target, "--mhz", 160, "--tile", 1000)
    for text in (
        f"estimated cycles to decode on {target}",
        "ms at 160 MHz",
        "bytes of stack",
        "RAM with the C runtime: 1,000 bytes",
        "only .tflite files run there",
        "waiting for memory comes on top",
    ):
        assert text in table
    report = json.loads(run("inspect", npz, "--target", target, "--mhz", 160, "--json"))
    for row in report["tensors"]:
        blobs = {f: sp.pack(ARRAYS[row["name"]], f) for f in sp.formats()}
        expected = {f: decode_cycles(blob, target) for f, blob in blobs.items()}
        assert row["cycles"] == {f: c if c is None else round(c) for f, c in expected.items()}
    total = report["total"]
    best = [row["cycles"][row["best"]] for row in report["tensors"]]
    if None in best:  # a format that was not measured yet
        assert total["cycles"]["auto"] is None
    else:
        assert total["cycles"]["auto"] == pytest.approx(sum(best), abs=3)
    assert total["ms"]["psr"] == pytest.approx(total["cycles"]["psr"] / 160e3, abs=1e-4)
    assert report["target"]["name"] == target
    assert report["target"]["scratch_nbytes"] == 6000
    assert report["target"]["arena_nbytes"] is None
    assert report["target"]["stack_nbytes"]["psr"] > 0


def test_inspect_knows_the_arena_of_a_tflite_file() -> None:
    report = json.loads(run("inspect", MODEL, "--target", "cortex-m55", "--json"))
    arena = report["target"]["arena_nbytes"]
    largest = max(t.size for t in sp.read_tflite(MODEL))
    assert arena["model"] < arena["packed"] < arena["model"] + 2 * largest
    assert report["target"]["scratch_nbytes"] == largest


def test_inspect_with_an_unknown_target(npz: Path) -> None:
    output = run("inspect", npz, "--target", "z80", code=2)
    assert "'cortex-m55', 'cortex-m55-scalar'" in output
    assert "--mhz needs a --target" in run("inspect", npz, "--mhz", 160, code=2)


def test_verify_finds_a_single_wrong_weight(npz: Path, tmp_path: Path) -> None:
    wrong = dict(ARRAYS)
    wrong["layer1"] = ARRAYS["layer1"].copy()
    wrong["layer1"][3, 7] ^= 1
    wrong["more"] = wrong.pop("small")
    np.savez(tmp_path / "wrong.npz", **wrong)
    run("pack", tmp_path / "wrong.npz", "-o", tmp_path / "w.spk")
    output = run("verify", npz, tmp_path / "w.spk", code=1)
    assert "layer1: 1 of 6000 elements differ, the first at 907: " in output
    assert "small: missing in the packed file" in output
    assert "more: not in the model" in output


def test_help_has_examples() -> None:
    assert "stridepack pack model.tflite -o" in run("--help")
    for command in ("inspect", "pack", "unpack", "verify", "runtime"):
        assert f"stridepack {command} " in run(command, "--help")


def files_below(path: Path) -> set[Path]:
    return set(path.rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "w.zip"], "cannot write .zip; known are .tflite, .c, .spk"),
        (["-o", "w"], "cannot write a file without suffix"),
        (["-o", "w.spk", "--format", "zip"], "unknown format 'zip'; there are dense, psr"),
        (["-o", "w.spk", "--tile", "0"], "a tile has at least 1 element, got tile=0"),
        (["-o", "w.spk", "--tile", "-5"], "a tile has at least 1 element, got tile=-5"),
        (
            ["-o", "w.spk", "--format", "rle", "--sizes", "4"],
            "unknown option sizes for format 'rle'",
        ),
        (["-o", "w.spk", "--sizes", "4,x"], "'x' is neither a number nor a range"),
        (["-o", "w.spk", "--sizes", "300"], "at most 255 elements, got size 300"),
        (["-o", "w.spk", "--occupancy", "1.5"], "occupancy must lie between 0 and 1, got 1.5"),
        (["-o", "missing/w.spk"], "cannot write missing/w.spk: No such file or directory"),
        (["-o", "missing/w.c"], "cannot write missing/w.c: No such file or directory"),
        (["-o", "folder.spk"], "cannot write folder.spk: it is a directory"),
        (["-o", "w.tflite"], "can only be made from a .tflite, not weights.npz"),
        (["-o", "w.spk", "--flash", "-1"], "-1 is not in the range x>=0"),
        (
            ["-o", "w.spk", "--objective", "tiny"],
            "'tiny' is not one of 'size', 'speed', 'balanced'",
        ),
        (["-o", "w.spk", "--target", "z80"], "'cortex-m55', 'cortex-m55-scalar'"),
        (
            ["-o", "w.spk", "--sram", "999", "--tile", "1000"],
            "at least 1000 bytes of SRAM for a tile of 1000 elements of tensor 'layer1', 1 more",
        ),
    ],
)
def test_bad_arguments(
    npz: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(npz.parent)
    Path("folder.spk").mkdir()
    before = files_below(npz.parent)
    assert message in run("pack", "weights.npz", *arguments, code=2)
    assert files_below(npz.parent) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "hybrid"],
            "format 'hybrid' is not possible with .tflite output and decoder tflm; dense, "
            "tflm_lut, tflm_huffman, tflm_prune are",
        ),
        (["--sizes", "4"], "unknown option sizes for format 'auto' with decoder tflm; known: none"),
        (["--tile", "64"], "decodes whole tensors, so tile=64 is not possible"),
        (
            ["--sram", "4096"],
            "sram=4096 is not possible with .tflite output: TensorFlow Lite Micro",
        ),
        (["--max-cycles", "1"], "cycles=1 is not possible with .tflite output: what its decoding"),
        (["--objective", "size"], "objective=size is not possible with .tflite output"),
        (["--target", "cortex-m55"], "target=cortex-m55 is not possible with .tflite output"),
        (["--count-code"], "count_code=True is not possible with .tflite output"),
        (["--decoder", "stridepack", "--sram", "4096"], "sram=4096 is not possible with .tflite"),
    ],
)
def test_what_stock_tflite_micro_cannot_do(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    assert message in run("pack", MODEL, "-o", tmp_path / "w.tflite", *arguments, code=2)
    assert not files_below(tmp_path)


def test_the_model_is_not_overwritten(npz: Path) -> None:
    spk = npz.with_suffix(".spk")
    run("pack", npz, "-o", spk)
    before = spk.read_bytes()
    assert "would overwrite the model" in run("pack", spk, "-o", spk, code=2)
    assert spk.read_bytes() == before


@pytest.mark.parametrize("suffix", ["spk", "c"])
def test_disk_full(npz: Path, suffix: str) -> None:
    target = npz.with_name(f"w.{suffix}")
    target.write_text("what was there")
    before = files_below(npz.parent)
    output = run("pack", npz, "-o", target, code=2, limit=4096)
    assert f"cannot write {target}: File too large" in output
    assert files_below(npz.parent) == before
    assert target.read_text() == "what was there"


def test_damaged_packed_files(npz: Path, tmp_path: Path) -> None:
    packed = tmp_path / "w.spk"
    run("pack", npz, "-o", packed)
    data = bytearray(packed.read_bytes())
    data[-5] ^= 1
    packed.write_bytes(data)
    before = files_below(tmp_path)
    for command in (["unpack", packed, "-o", tmp_path / "x.npz"], ["verify", npz, packed]):
        assert "the CRC-32 does not match" in run(*command, code=2)
    assert files_below(tmp_path) == before


def test_unpack_to_something_else(npz: Path, tmp_path: Path) -> None:
    run("pack", npz, "-o", tmp_path / "w.spk")
    output = run("unpack", tmp_path / "w.spk", "-o", tmp_path / "w.tflite", code=2)
    assert "a .spk to .npz" in output


def test_import_needs_numpy_only() -> None:
    code = (
        "import sys, stridepack; "
        "optional = {'click', 'rich', 'flatbuffers', 'tflite_micro', 'safetensors', 'torch'}; "
        "assert not optional & set(sys.modules), optional & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
