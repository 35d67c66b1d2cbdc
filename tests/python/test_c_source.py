# SPDX-License-Identifier: Apache-2.0
"""The C files of `pack -o x.c`: they compile without a warning, and unpack to the tensors."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.files.c_source import c_overhead, c_sources
from stridepack.files.needs import needed_decoders, said_in, sentence
from stridepack.files.runtime import write_runtime

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wundef", "-pedantic", "-Werror"]
TENSORS = {
    "conv1/kernel:0": random_array(2304, 0.5).reshape(16, 3, 3, 16),
    "conv1 kernel 0": random_array(500, 0.3),  # the same identifier once it is one
    "CONV1_KERNEL_0": random_array(10, 0.9),
    '3rd */ \\ ??/ " \u00e4': random_array(300, 0.9).reshape(3, 100),
    "empty": np.zeros((0, 5), np.int8),
    "eight": random_array(256, 0.5).reshape((2,) * 8),
}
# Debian's compiler for Arm comes without a C library: our <string.h> for it.
NO_LIBRARY = Path(__file__).resolve().parents[1] / "firmware/include"

MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include "my_model.h"
#include "spk.h"
int main(void) {
  for (int i = 0; i < MY_MODEL_N_TENSORS; i++) {
    const my_model_tensor *tensor = &my_model_tensors[i];
    static int8_t out[MY_MODEL_LARGEST_TENSOR];
    spk_view view;
    if (spk_open(&view, tensor->blob, tensor->blob_size) != SPK_OK) return 1;
    if (spk_validate(&view) != SPK_OK || spk_decode_s8(&view, out, sizeof out) != SPK_OK) return 2;
    if (view.n_elements != tensor->n_elements) return 5;
    if ((uintptr_t)tensor->blob % 4 != 0 || view.n_dims != tensor->n_dims) return 3;
    for (uint32_t d = 0; d < view.n_dims; d++) if (spk_dim(&view, d) != tensor->shape[d]) return 4;
    printf("%s\\n", tensor->name);
    for (size_t e = 0; e < tensor->n_elements; e++) printf("%d ", out[e]);
    printf("\\n");
  }
  return 0;
}
"""


def compile_with(compiler: str, *arguments: str | Path) -> None:
    if not shutil.which(compiler):
        pytest.fail(f"{compiler} is needed for this test")
    result = subprocess.run(
        [compiler, *WARNINGS, *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("c")
    packed = {name: sp.pack(values) for name, values in TENSORS.items()}
    source, header = c_sources("my-model", packed)
    (path / "my-model.c").write_text(source)
    (path / "my-model.h").write_text(header)
    (path / "my_model.h").write_text('#include "my-model.h"\n')
    (path / "main.c").write_text(MAIN)
    write_runtime(path / "runtime")
    return path


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [
        ("cc", ["-std=c99"]),
        ("cc", ["-std=c11"]),
        ("c++", ["-x", "c++", "-std=c++17"]),
    ],
)
def test_compiles_without_a_warning(folder: Path, compiler: str, flags: list[str]) -> None:
    output = folder / "object.o"
    compile_with(compiler, *flags, "-c", folder / "my-model.c", "-o", output)
    assert output.stat().st_size > 1000


@pytest.mark.parametrize("standard", ["c++98", "c++11"])
def test_headers_in_old_cxx(folder: Path, standard: str) -> None:
    """Also with every warning that there is, but for those of padding and compatibility."""
    (folder / "old.cpp").write_text('#include "my-model.h"\n#include "spk.h"\n')
    include = f"-I{folder}/runtime/include"
    compile_with("c++", f"-std={standard}", include, "-fsyntax-only", folder / "old.cpp")
    if not shutil.which("clang++-19"):
        pytest.skip("clang++-19 is not installed")
    quiet = ["-Weverything", "-Wno-padded"]
    for source in ("old.cpp", "my-model.c"):
        compile_with(
            "clang++-19",
            *quiet,
            *("-Wno-c++98-compat", "-x", "c++", f"-std={standard}", include),
            *("-fsyntax-only", folder / source),
        )


def refused(folder: Path, *flags: str) -> str:
    command = ["cc", "-std=c99", "-fsyntax-only", *flags, folder / "my-model.c"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stderr


def test_decoders_that_the_weights_need(folder: Path, tmp_path: Path) -> None:
    """A build that leaves one out ends with a message; one that leaves another out does not."""
    header = (folder / "my-model.h").read_text()
    needed = said_in(header)
    assert needed == needed_decoders(sp.pack(values) for values in TENSORS.values())
    for name in [*sp.formats(), "transforms"]:
        message = refused(folder, f"-DSPK_WITHOUT_{name.upper()}")
        assert (f"These weights need {name}, which SPK_WITHOUT_{name.upper()}" in message) == (
            name in needed
        )
    # What `stridepack runtime --model` left out stands in a header, which need not be included.
    formats = [name for name in sp.formats() if name != needed[0]]
    write_runtime(tmp_path / "small", decoders=formats)
    assert f"need {needed[0]}," in refused(folder, f"-I{tmp_path}/small/include")
    write_runtime(tmp_path / "other", decoders=needed)
    assert refused(folder, f"-I{tmp_path}/other/include") == ""


def test_needed_decoders() -> None:
    """Transforms where a blob has some, formats in the order of their ids, each once."""
    rows = np.repeat(random_array(40, 0.2)[:, None], 200, axis=1)
    rows[::2] = 0
    transformed = sp.pack(rows)
    assert transformed.transforms
    plain = sp.pack(random_array(300, 0.5), format="psr")
    assert needed_decoders([plain, plain]) == ["psr"]
    assert needed_decoders([transformed, plain]) == ["psr", transformed.format, "transforms"]


@pytest.mark.parametrize("decoders", [[], ["psr"], ["dense", "rans", "transforms"]])
def test_a_header_says_what_it_needs(decoders: list[str]) -> None:
    assert said_in(f"/* A comment.\n{sentence(decoders)}\n */\n#define X 1\n") == decoders
    assert said_in("/* A comment. */\n") is None


def test_own_alignment(folder: Path) -> None:
    """A project may place blobs in a section of its own."""
    flag = '-DSTRIDEPACK_ALIGNED=__attribute__((aligned(4),section("weights")))'
    compile_with("cc", flag, "-c", folder / "my-model.c", "-o", folder / "placed.o")
    names = subprocess.run(["nm", folder / "placed.o"], capture_output=True, text=True, check=True)
    assert len(re.findall(r"blob_", names.stdout)) == len(TENSORS)
    sections = subprocess.run(
        ["objdump", "-h", folder / "placed.o"], capture_output=True, text=True, check=True
    )
    assert re.search(r" weights ", sections.stdout)


@pytest.mark.parametrize(
    "compiler",
    [
        "cc",
        "arm-none-eabi-gcc -mcpu=cortex-m55",
        "clang-19 --target=riscv32-unknown-elf -march=rv32imcv",
    ],
)
@pytest.mark.parametrize("name", [*sp.formats(), "transforms"])
def test_nothing_is_left_of_a_decoder(folder: Path, compiler: str, name: str) -> None:
    """SPK_WITHOUT_<FORMAT> empties the files of the format."""
    command, *flags = compiler.split()
    if not shutil.which(command):
        pytest.skip(f"{command} is not installed")
    users = ["dcsr", "hybrid"] if name == "dcsr" else [name]  # a remainder of hybrid is dcsr
    stems = ["transforms", "restore", "live", "classes"] if name == "transforms" else [name]
    sources = [
        path
        for stem in stems
        for path in (
            folder / f"runtime/src/spk_{stem}.c",
            folder / f"runtime/src/mve/spk_{stem}_mve.c",
            folder / f"runtime/src/rvv/spk_{stem}_rvv.c",
        )
        if path.exists()
    ]
    assert sources
    left_out = [f"-DSPK_WITHOUT_{user.upper()}" for user in users]
    if command != "cc":
        flags += ["-ffreestanding", f"-I{NO_LIBRARY}"]
    for source in sources:
        output = folder / "decoder.o"
        compile_with(
            command, *flags, *left_out, f"-I{folder}/runtime/include", "-c", source, "-o", output
        )
        prefix = command.removesuffix("gcc").removesuffix("cc")
        nm = "llvm-nm-19" if command == "clang-19" else f"{prefix}nm"
        result = subprocess.run([nm, output], capture_output=True, text=True, check=True)
        assert not re.search(r" [TtRrDdBb] (?!\$)", result.stdout), source


def test_unpacks_to_the_tensors(folder: Path) -> None:
    program = folder / "program"
    sources = [
        *sorted((folder / "runtime/src").glob("*.c")),
        folder / "main.c",
        folder / "my-model.c",
    ]
    compile_with("cc", "-std=c99", f"-I{folder}/runtime/include", *sources, "-o", program)
    result = subprocess.run([program], capture_output=True, check=True)
    lines = result.stdout.decode().splitlines()
    assert lines[::2] == list(TENSORS)
    for line, values in zip(lines[1::2], TENSORS.values(), strict=True):
        assert [int(v) for v in line.split()] == values.ravel().tolist()


def test_the_header_says_how_much_memory_it_takes(folder: Path) -> None:
    header = (folder / "my-model.h").read_text()
    assert re.search(r"#define MY_MODEL_LARGEST_TENSOR 2304 ", header)
    assert re.search(
        r"enum \{\n  MY_MODEL_CONV1_KERNEL_0 = 0,\n  MY_MODEL_CONV1_KERNEL_0_2 = 1,", header
    )


def test_no_tensors_still_compile(tmp_path: Path) -> None:
    source, header = c_sources("empty", {})
    (tmp_path / "empty.c").write_text(source)
    (tmp_path / "empty.h").write_text(header)
    compile_with("cc", "-std=c99", "-c", tmp_path / "empty.c", "-o", tmp_path / "empty.o")


def test_runtime_compiles_alone(tmp_path: Path) -> None:
    files = write_runtime(tmp_path / "deep" / "down")
    assert tmp_path / "deep/down/include/spk.h" in files
    sources = [path for path in files if path.suffix == ".c"]
    assert tmp_path / "deep/down/src/mve/spk_psr_mve.c" in sources
    for source in sources:
        compile_with(
            "cc", "-std=c99", f"-I{tmp_path}/deep/down/include", "-c", source, "-o", tmp_path / "o"
        )


@pytest.mark.parametrize("options", [["-O0"], ["-O2"], ["-Os", "-fdata-sections"]])
@pytest.mark.parametrize("n_tensors", [0, 1, 5, 6])
def test_bytes_of_flash(tmp_path: Path, options: list[str], n_tensors: int) -> None:
    """What an Arm linker makes of the sources, and what plans with a budget of Flash assume."""
    tools = [f"arm-none-eabi-{tool}" for tool in ("gcc", "ld", "size")]
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed")
    compiler, linker, size = tools
    packed = {name: sp.pack(TENSORS[name]) for name in list(TENSORS)[:n_tensors]}
    source, header = c_sources("w", packed)
    (tmp_path / "w.c").write_text(source)
    (tmp_path / "w.h").write_text(header)
    elf = tmp_path / "w.elf"
    flags = ["-mcpu=cortex-m55", "-mthumb", *options]
    subprocess.run([compiler, *flags, "-c", tmp_path / "w.c", "-o", tmp_path / "w.o"], check=True)
    subprocess.run([linker, "--entry=0", tmp_path / "w.o", "-o", elf], check=True)
    output = subprocess.run([size, elf], check=True, capture_output=True, text=True).stdout
    text, data, bss = map(int, output.splitlines()[1].split()[:3])
    planned = c_overhead(packed) + sum(blob.nbytes for blob in packed.values())
    # With -Os, names are not at multiples of 4 bytes.
    assert planned - (3 * n_tensors if "-Os" in options else 0) <= text <= planned
    assert (data, bss) == (0, 0)
