# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it: outputs, messages, exit codes, and no half-written files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ARRAYS, files_below, npz, run

import stridepack as sp
from stridepack._words import listed
from stridepack.cost.estimate import decode_cycles
from stridepack.files.spk import parse_bundle
from stridepack.formats import all_options

__all__ = ["npz"]

SIZE_ALONE = (
    "does not work with .tflite output. What decoding costs in TensorFlow Lite Micro is not known, "
    "so formats are chosen by size alone. Write a .c or .spk file for the C runtime instead."
)
REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "examples/resnet8_cifar10_50.tflite"


def test_spk_round_trip(npz: Path, tmp_path: Path) -> None:
    packed, unpacked = tmp_path / "w.spk", tmp_path / "back.npz"
    assert "wrote" in run("pack", npz, "-o", packed)
    blobs = parse_bundle(packed.read_bytes())
    assert list(blobs) == list(ARRAYS)
    assert blobs["small"].format != "dense"
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
    run("pack", npz, "-o", tmp_path / "w.spk", "--format", format)
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
        "bound: the zero-order entropy of the values.",
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
    assert rows["small"]["best"] != "dense"
    said = run("inspect", npz, "--min-size", 101)
    assert "1 tensor stays dense, because it has fewer than 101 elements." in said
    assert report["total"]["n_elements"] == sum(v.size for v in ARRAYS.values())


@pytest.mark.parametrize("target", ["cortex-m55", "cortex-m55-scalar"])
def test_inspect_with_a_target(npz: Path, target: str) -> None:
    table = run("inspect", npz, "--target", target, "--mhz", 160, "--tile", 1000)
    for text in (
        f"estimated cycles to decode on {target}",
        "ms at 160 MHz",
        "bytes of stack",
        "RAM with the C runtime: 1,000 bytes",
        "it is not known, because only .tflite files run there.",
        "Time spent waiting for memory comes on top.",
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
    assert "nan is not a number." in run("inspect", npz, "--mhz", "nan", code=2)
    assert "--mhz needs --target as well, for example --target cortex-m55." in run(
        "inspect", npz, "--mhz", 160, code=2
    )


def test_verify_finds_a_single_wrong_weight(npz: Path, tmp_path: Path) -> None:
    wrong = dict(ARRAYS)
    wrong["layer1"] = ARRAYS["layer1"].copy()
    wrong["layer1"][3, 7] ^= 1
    wrong["more"] = wrong.pop("small")
    np.savez(tmp_path / "wrong.npz", **wrong)
    run("pack", tmp_path / "wrong.npz", "-o", tmp_path / "w.spk")
    output = run("verify", npz, tmp_path / "w.spk", code=1)
    assert (
        "layer1: 1 of 6000 elements differs. The first is element 907, which is "
        f"{wrong['layer1'][3, 7]} in the packed file and {ARRAYS['layer1'][3, 7]} in the model."
    ) in output
    assert "small: the packed file does not have it." in output
    assert "more: the packed file has it, but the model does not." in output


def test_help_has_examples() -> None:
    assert "stridepack pack model.tflite -o" in run("--help")
    for command in ("inspect", "pack", "unpack", "verify", "runtime"):
        assert f"stridepack {command} " in run(command, "--help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["-o", "w.zip"],
            "w.zip: files of this kind cannot be written. Choose a name that ends in .tflite, "
            ".cc, .c or .spk.",
        ),
        (
            ["-o", "w"],
            "w: files of this kind cannot be written. Choose a name that ends in .tflite, .cc,",
        ),
        (["-o", "w.spk", "--format", "zip"], "`--format zip` is unknown. Choose auto, dense, psr,"),
        (["-o", "w.spk", "--tile", "0"], "`--tile 0` is not possible. A tile has at least 1"),
        (["-o", "w.spk", "--tile", "-5"], "`--tile -5` is not possible. A tile has at least 1"),
        (
            ["-o", "w.spk", "--format", "rle", "--sizes", "4"],
            "`--sizes 4` is not an option of rle. It is an option of "
            f"{listed(all_options()['sizes'][1], 'and')}.",
        ),
        (["-o", "w.spk", "--sizes", "4,x"], "'x' is neither a number nor a range such as 1-16."),
        (["-o", "w.spk", "--strides", "9-3"], "'9-3' is an empty range. Write 3-9."),
        (
            ["-o", "w.spk", "--strides", "1-99999999999"],
            "99999999999 is too large. A number in such a list has at most 4 digits.",
        ),
        (["-o", "w.spk", "--strides", "9" * 99], f"{'9' * 40} is too large."),
        (["-o", ""], "The name is empty. Give the name of a file."),
        (
            ["-o", ".tflite"],
            ".tflite: this is a suffix without a name before it. Give a whole name, such as "
            "model.tflite.",
        ),
        (
            ["-o", "w.spk", "--arena", "9"],
            "The RAM that the C runtime decodes into is limited with `--sram BYTES`.",
        ),
        (
            ["-o", "w.spk", "--sizes", "300"],
            "groups of at most 255 elements. One of the sizes is 300.",
        ),
        (
            ["-o", "w.spk", "--occupancy", "1.5"],
            "`--occupancy 1.5` is out of range. It must lie between 0 and 1.",
        ),
        (["-o", "missing/w.spk"], "because there is no directory missing. Make it first."),
        (["-o", "missing/w.c"], "because there is no directory missing. Make it first."),
        (
            ["-o", "folder.spk"],
            "folder.spk is a directory. Give a file name, such as folder.spk/w",
        ),
        (
            ["-o", "w.tflite"],
            "w.tflite: a .tflite file can only be made from a .tflite file, or from C text with an "
            "array that holds one. weights.npz is neither. Write a .c or .spk file.",
        ),
        (["-o", "w.spk", "--flash", "-1"], "'-1' is not a number of bytes."),
        (
            ["-o", "w.spk", "--objective", "tiny"],
            "'tiny' is not one of 'size', 'speed', 'balanced'",
        ),
        (["-o", "w.spk", "--target", "z80"], "'cortex-m55', 'cortex-m55-scalar'"),
        (
            ["-o", "w.spk", "--sram", "999", "--tile", "1000"],
            "`--sram 999` is too small for `--tile 1000`. Tensor 'layer1' needs a buffer of at "
            "least 1,000 bytes, which is one tile of 1,000 elements. That is 1 more.",
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
            "An unmodified TensorFlow Lite Micro does not decode `--format hybrid`. Choose dense, "
            "tflm_lut, tflm_huffman, tflm_prune, or add `--decoder stridepack`.",
        ),
        (
            ["--sizes", "4,8"],
            "`--sizes 4,8` has no effect on .tflite output that an unmodified TensorFlow Lite "
            "Micro decodes. Leave it out, or add `--decoder stridepack`.",
        ),
        (
            ["--tile", "64"],
            "`--tile 64` does not work with .tflite output, because TensorFlow Lite Micro decodes "
            "whole tensors. Leave it out, or write a .c or .spk file.",
        ),
        (["--max-cycles", "1"], f"`--max-cycles 1` {SIZE_ALONE}"),
        (["--objective", "speed"], f"`--objective speed` {SIZE_ALONE}"),
        (["--target", "cortex-m55"], f"`--target cortex-m55` {SIZE_ALONE}"),
        (["--count-code"], f"`--count-code` {SIZE_ALONE}"),
        (
            ["--decoder", "stridepack", "--decompression-memory"],
            "`--decompression-memory` does not work with `--decoder stridepack`. Only the DECODE "
            "operators of TensorFlow Lite Micro itself write into such memory.",
        ),
        (
            ["--sram", "90000", "--arena", "80000"],
            "`--sram 90000` and `--arena 80000` mean the same for .tflite output. Give one of "
            "them.",
        ),
        (
            ["--objective", "size", "--in-ram"],
            "`--objective size` asks for the smallest file whatever the RAM, and `--in-ram` for "
            "the smallest sum of both. Give one of them.",
        ),
        (
            ["--arena", "58000"],
            f"`--arena 58000` is too small. {MODEL} needs 58,208 bytes of tensor arena before "
            "anything is packed, which is 208 more. Packing only adds to it.",
        ),
        (
            ["--arena", "58208", "--flash", "80000"],
            "No file keeps `--flash 80000` and `--arena 58208` together, although each of them can "
            "be kept alone. Allow a file of ",
        ),
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
    assert f"{spk}: the output would overwrite the model. Choose another name." in run(
        "pack", spk, "-o", spk, code=2
    )
    assert spk.read_bytes() == before


@pytest.mark.parametrize("suffix", ["spk", "c"])
def test_disk_full(npz: Path, suffix: str) -> None:
    target = npz.with_name(f"w.{suffix}")
    target.write_text("what was there")
    before = files_below(npz.parent)
    output = run("pack", npz, "-o", target, code=2, limit=4096)
    assert f"{target} cannot be written: File too large" in output
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
    packed, unpacked = tmp_path / "w.spk", tmp_path / "w.tflite"
    assert f"{packed} cannot be unpacked to {unpacked}. A .spk file unpacks to .npz." in output
    output = run("unpack", npz, "-o", tmp_path / "x.npz", code=2)
    assert f"{npz} cannot be unpacked. Only .tflite, .cc and .spk files can be." in output
    output = run("unpack", tmp_path, "-o", tmp_path / "x.npz", code=2)
    assert "Unpack its .spk files one by one." in output


def test_import_needs_numpy_only() -> None:
    code = (
        "import sys, stridepack; "
        "optional = {'click', 'rich', 'flatbuffers', 'tflite_micro', 'safetensors', 'torch'}; "
        "assert not optional & set(sys.modules), optional & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
