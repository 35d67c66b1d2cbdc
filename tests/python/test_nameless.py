# SPDX-License-Identifier: Apache-2.0
"""Bundles without names: found by number or by the CRC-32 of a name, and verified by order."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call

import stridepack as sp
from stridepack.files.nameless import numbers_header
from stridepack.files.runtime import write_runtime
from stridepack.files.spk import build_bundle, bundle_overhead, parse_bundle

__all__ = ["call"]

ARRAYS = {
    "conv1/kernel:0": random_array(2304, 0.5).reshape(16, 3, 3, 16),
    "conv1 kernel 0": random_array(500, 0.3),  # the same identifier once it is one
    '3rd */ \\ ??/ " \u00e4': random_array(300, 0.9).reshape(3, 100),
    "empty": np.zeros((0, 5), np.int8),
    "scalar": np.full((), -7, np.int8),
}
MAIN = """
#include <stdio.h>
#include "spk.h"
#include "w.h"
static uint8_t file[65536];
int main(void) {
  FILE *stream = fopen("w.spk", "rb");
  const size_t size = stream ? fread(file, 1, sizeof file, stream) : 0;
  spk_bundle bundle;
  if (spk_bundle_open(&bundle, file, size) != SPK_OK) return 1;
  if (spk_bundle_validate(&bundle) != SPK_OK) return 1;
  static int8_t out[W_LARGEST_TENSOR];
  spk_view by_number, by_name;
  const char *name;
  for (uint32_t i = 0; i < W_N_TENSORS; i++) {
    if (spk_bundle_get(&bundle, i, &name, &by_number) != SPK_OK || name != NULL) return 2;
    if (spk_decode_s8(&by_number, out, sizeof out) != SPK_OK) return 3;
  }
  if (spk_bundle_get(&bundle, W_CONV1_KERNEL_0_2, NULL, &by_number) != SPK_OK) return 4;
  if (spk_bundle_find(&bundle, "conv1 kernel 0", &by_name) != SPK_OK) return 5;
  if (by_name.blob != by_number.blob || by_name.n_elements != 500) return 6;
  return spk_bundle_find(&bundle, "no such tensor", &by_name) == SPK_ERROR_NOT_FOUND ? 0 : 7;
}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.npz"
    np.savez(path, conv=random_array(3000, 0.6), fc=random_array(500, 0.4))
    return path


def test_numbers_are_the_names_that_are_read(tmp_path: Path) -> None:
    packed = {name: sp.pack(values) for name, values in ARRAYS.items()}
    size = sp.write_bundle(tmp_path / "w.spk", packed, names=False)
    assert size < sp.write_bundle(tmp_path / "named.spk", packed)
    read = sp.read_bundle(tmp_path / "w.spk")
    assert list(read) == ["0", "1", "2", "3", "4"]
    assert list(read.values()) == list(packed.values())
    assert parse_bundle(build_bundle({}, names=False)) == {}


@pytest.mark.parametrize("names", [True, False])
def test_overhead_is_what_a_bundle_takes(names: bool) -> None:
    packed = {name: sp.pack(values) for name, values in ARRAYS.items()}
    for n in range(len(packed) + 1):
        some = dict(list(packed.items())[:n])
        blobs = sum(one.nbytes for one in some.values())
        assert bundle_overhead(some, names=names) == len(build_bundle(some, names=names)) - blobs


def test_two_names_of_one_hash() -> None:
    """The CRC-32 of both names is 0x4ddb0c25."""
    packed = sp.pack(ARRAYS["scalar"])
    two = {"plumless": packed, "buckeroo": packed}
    assert parse_bundle(build_bundle(two)) == two
    with pytest.raises(
        sp.InputError,
        match=r"`names=False` is not possible\. Tensors 'plumless' and 'buckeroo' have the same",
    ):
        build_bundle(two, names=False)


def test_a_program_finds_tensors_by_number_and_by_name(tmp_path: Path) -> None:
    if not shutil.which("cc"):
        pytest.fail("cc is needed for this test")
    packed = {name: sp.pack(values) for name, values in ARRAYS.items()}
    sp.write_bundle(tmp_path / "w.spk", packed, names=False)
    (tmp_path / "w.h").write_text(numbers_header("w", packed))
    (tmp_path / "main.c").write_text(MAIN)
    write_runtime(tmp_path / "runtime")
    sources = sorted((tmp_path / "runtime/src").glob("*.c"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
    command = ["cc", *flags, "-Iruntime/include", "-I.", "main.c", *sources, "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run(["./main"], cwd=tmp_path, check=True)


def test_commands(model: Path, tmp_path: Path, call: Call) -> None:
    packed = tmp_path / "w.spk"
    code, _, said = call("pack", model, "-o", packed, "--no-names", "--min-size", 0)
    assert code == 0, said
    header = (tmp_path / "w.h").read_text()
    assert "  W_CONV = 0, /* conv: 3000 */\n  W_FC = 1, /* fc: 500 */\n" in header
    assert b"conv" not in packed.read_bytes()

    for arguments in ((model, packed), (packed, model)):
        code, out, said = call("verify", *arguments)
        assert (code, "all 2 tensors are equal" in out) == (0, True), said
    assert call("inspect", packed)[0] == 0
    assert call("unpack", packed, "-o", tmp_path / "u.npz")[0] == 0
    with np.load(model) as before, np.load(tmp_path / "u.npz") as after:
        assert after.files == ["0", "1"]
        for old, new in zip(before.values(), after.values(), strict=True):
            assert np.array_equal(old, new)


def test_a_plan_counts_the_file(model: Path, tmp_path: Path) -> None:
    result = sp.pack_file(model, tmp_path / "w.spk", names=False, objective="balanced")
    assert result.plan is not None
    assert (
        result.plan.flash == result.files[tmp_path / "w.spk"] == (tmp_path / "w.spk").stat().st_size
    )


def test_verify_checks_the_hashes(model: Path, tmp_path: Path) -> None:
    """The same values in the same order, but the tensors are called otherwise."""
    with np.load(model) as arrays:
        np.savez(tmp_path / "other.npz", conv=arrays["conv"], dense=arrays["fc"])
    sp.pack_file(model, tmp_path / "w.spk", names=False)
    assert sp.verify_files(model, tmp_path / "w.spk").ok
    assert sp.verify_files(tmp_path / "other.npz", tmp_path / "w.spk").differences == [
        "1: the packed file has it, but the model does not.",
        "dense: the packed file does not have it.",
    ]


def test_refused(model: Path, tmp_path: Path, call: Call) -> None:
    code, _, said = call("pack", model, "-o", tmp_path / "w.c", "--no-names")
    assert code == 2
    assert "`--no-names` is for .spk output only. Leave it out, or choose" in said
    (tmp_path / "w.h").write_text("/* somebody else's */\n")
    code, _, said = call("pack", model, "-o", tmp_path / "w.spk", "--no-names")
    assert code == 2
    assert "w.h" in said
    assert not (tmp_path / "w.spk").exists()
