# SPDX-License-Identifier: Apache-2.0
"""Models in one program: one type for all, blobs in a section, files that the linker takes in."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.files.c_source import SHARED_TYPES, c_sources
from stridepack.files.runtime import write_runtime
from stridepack.files.runtime.library import runtime_dir
from stridepack.files.spk import build_bundle

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
MODELS = {
    "first": {"conv": random_array(900, 0.5).reshape(30, 30), "model": random_array(64, 0.1)},
    "second": {"n_tensors": random_array(2000, 0.9), "largest tile": np.full(5, 3, np.int8)},
}
# Prints the sum of the weights of each tensor.
LOADER = """
#include <stdio.h>
#include "spk.h"
int load(const stridepack_model *model);
int load(const stridepack_model *model) {
  static int8_t buffer[2000];
  if (model->largest_tensor > sizeof buffer || model->largest_tile > sizeof buffer) return 1;
  for (size_t i = 0; i < model->n_tensors; i++) {
    const stridepack_tensor *tensor = &model->tensors[i];
    spk_view view;
    if (spk_open(&view, tensor->blob, tensor->blob_size) != SPK_OK) return 2;
    if (spk_decode_s8(&view, buffer, sizeof buffer) != SPK_OK) return 3;
    long sum = 0;
    for (size_t j = 0; j < tensor->n_elements; j++) sum += buffer[j];
    printf("%ld\\n", sum);
  }
  return 0;
}
"""
MAIN = """
#include "first.h"
#include "second.h"
#include "spk.h"
int load(const stridepack_model *model);
int main(void) {
  static const stridepack_model models[] = {FIRST_MODEL, SECOND_MODEL};
  const first_tensor *tensor = &first_tensors[FIRST_CONV];
  if (tensor->n_dims != 2 || second_tensors[SECOND_N_TENSORS_2].n_elements != 2000) return 9;
  return load(&models[0]) + load(&models[1]);
}
"""
FROM_FILE = """
#include <stdio.h>
#include "spk.h"
%s
int main(void) {
  static int8_t buffer[2000];
  const size_t size = %s;
  spk_bundle bundle;
  spk_view view;
  if (spk_bundle_open(&bundle, %s, size) != SPK_OK) return 1;
  if (spk_bundle_validate(&bundle) != SPK_OK) return 4;
  for (uint32_t i = 0; i < bundle.n_tensors; i++) {
    if (spk_bundle_get(&bundle, i, NULL, &view) != SPK_OK) return 2;
    if (spk_decode_s8(&view, buffer, sizeof buffer) != SPK_OK) return 3;
    long sum = 0;
    for (uint32_t j = 0; j < view.n_elements; j++) sum += buffer[j];
    printf("%%ld\\n", sum);
  }
  return 0;
}
"""

PLACE = 0x20000000


def sums(*models: str) -> list[int]:
    return [int(values.sum()) for name in models for values in MODELS[name].values()]


def packed(name: str) -> dict[str, sp.Packed]:
    return {tensor: sp.pack(values) for tensor, values in MODELS[name].items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both models as C and the second one as w.spk, and the library in one file."""
    path = tmp_path_factory.mktemp("models")
    write_runtime(path, amalgamate=True)
    for name in MODELS:
        source, header = c_sources(name, packed(name))
        (path / f"{name}.c").write_text(source)
        (path / f"{name}.h").write_text(header)
    (path / "w.spk").write_bytes(build_bundle(packed("second")))
    (path / "loader.c").write_text(LOADER)
    (path / "main.c").write_text(MAIN)
    return path


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_types_are_those_of_the_library() -> None:
    assert SHARED_TYPES in (runtime_dir() / "include/spk.h").read_text()


def test_one_function_takes_both_models(folder: Path) -> None:
    sources = ["main.c", "loader.c", "first.c", "second.c", "spk.c"]
    run(folder, "cc", *WARNINGS, *sources, "-o", "program")
    assert list(map(int, run(folder, "./program").split())) == sums("first", "second")
    run(folder, "c++", "-std=c++17", "-Wall", "-Werror", "-fsyntax-only", "-x", "c++", "main.c")


def test_a_model_of_the_name_of_the_library(tmp_path: Path) -> None:
    source, header = c_sources("stridepack", packed("first"))
    (tmp_path / "stridepack.c").write_text(source)
    (tmp_path / "stridepack.h").write_text(header)
    run(tmp_path, "cc", *WARNINGS, "-c", "stridepack.c")


def test_blobs_in_a_section_of_their_own(folder: Path) -> None:
    """And only they, wherever the linker then puts it."""
    comment = re.search(r"-D'(STRIDEPACK_PLACE=[^']+)'", (folder / "first.c").read_text())
    assert comment
    run(folder, "cc", *WARNINGS, f"-D{comment[1]}", "-c", "first.c", "-o", "placed.o")
    headers = run(folder, "objdump", "-h", "placed.o")
    size = int(re.search(r"\.weights +([0-9a-f]+)", headers)[1], 16)  # type: ignore[index]
    blobs = sum(blob.nbytes for blob in packed("first").values())
    assert blobs <= size < blobs + 4 * len(MODELS["first"])
    sources = ["main.c", "loader.c", "placed.o", "second.c", "spk.c"]
    place = f"-Wl,--section-start=.weights={PLACE:#x}"
    run(folder, "cc", "-no-pie", *sources, place, "-o", "placed")
    symbols = run(folder, "nm", "placed")
    places = [int(line.split()[0], 16) for line in symbols.splitlines() if "blob_conv" in line]
    assert places
    assert all(PLACE <= place < PLACE + size for place in places)
    assert list(map(int, run(folder, "./placed").split())) == sums("first", "second")


INCBIN = """
__asm__(".section .rodata\\n.balign 4\\nweights_begin:\\n.incbin \\"w.spk\\"\\nweights_end:\\n"
        ".previous\\n");
extern const uint8_t weights_begin[], weights_end[];
"""
OBJCOPY = "extern const uint8_t _binary_w_spk_start[], _binary_w_spk_end[];"
EMBED = """
static const _Alignas(4) uint8_t weights[] = {
#embed "w.spk"
};
"""


def decodes(folder: Path, start: str, size: str, data: str, *command: str) -> None:
    (folder / "file.c").write_text(FROM_FILE % (start, size, data))
    run(folder, *command, "file.c", "spk.c", "-o", "from_file")
    assert list(map(int, run(folder, "./from_file").split())) == sums("second")


def test_incbin(folder: Path) -> None:
    size = "(size_t)(weights_end - weights_begin)"
    decodes(folder, INCBIN, size, "weights_begin", "cc", "-std=c99", "-Wall")


def test_objcopy(folder: Path) -> None:
    run(folder, "ld", "-r", "-b", "binary", "w.spk", "-o", "w.o")
    renamed = ["--rename-section", ".data=.rodata,alloc,load,readonly,data,contents"]
    run(folder, "objcopy", *renamed, "--set-section-alignment", ".data=4", "w.o")
    size = "(size_t)(_binary_w_spk_end - _binary_w_spk_start)"
    decodes(folder, OBJCOPY, size, "_binary_w_spk_start", "cc", "-std=c99", "-Wall", "w.o")


def test_embed(folder: Path) -> None:
    if not shutil.which("clang-19"):
        pytest.skip("clang-19 is not installed, and the compilers of Debian 12 have no #embed")
    decodes(folder, EMBED, "sizeof weights", "weights", "clang-19", "-std=c23")
