"""The command line as a user meets it: outputs, messages, exit codes, and no half-written files."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.bundle import parse_bundle
from stridepack.estimate import decode_cycles

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
