# SPDX-License-Identifier: Apache-2.0
"""What `stridepack runtime DIR` writes: it is complete, has licence and version, and builds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp

REPOSITORY = Path(__file__).resolve().parents[2]
WEIGHTS = random_array(2000, 0.5)

# What the snippets in spk.h leave to their reader.
MAIN = """
#include <stdio.h>
#include <string.h>
#include "spk.h"
static unsigned char blob[4096], file[4096];
static int8_t weights[2000], buffer[512], tiles[2000];
static size_t n_used;
static void use(const int8_t *values, uint32_t n) {
  memcpy(tiles + n_used, values, n);
  n_used += n;
}
static void report(const char *name) { printf("%%s\\n", name); }
static size_t read(const char *path, unsigned char *data) {
  FILE *stream = fopen(path, "rb");
  if (stream == NULL) return 0;
  const size_t size = fread(data, 1, 4096, stream);
  fclose(stream);
  return size;
}
int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const size_t blob_size = read(argv[1], blob), file_size = read(argv[2], file);
%s
  puts(spk_status_name(status));
  puts(SPK_LIBRARY_VERSION);
  for (size_t i = 0; i < sizeof weights; i++) printf("%%d ", weights[i]);
  puts("");
  for (size_t i = 0; i < n_used; i++) printf("%%d ", tiles[i]);
  return 0;
}
"""


STRIDEPACK = (sys.executable, "-m", "stridepack")


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project")
    run(*STRIDEPACK, "runtime", "third_party/stridepack", cwd=path)
    return path / "third_party/stridepack"


@pytest.fixture(scope="module")
def with_tflm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tflm")
    run(*STRIDEPACK, "runtime", ".", "--tflm", cwd=path)
    return path


def snippet(header: str) -> str:
    """The lines of C in the first long comment: indented by two spaces more than its prose."""
    comment = header[: header.index("*/\n#ifndef")]
    return "\n".join(re.findall(r"^ \*   (.*)$", comment, re.MULTILINE))


def project(folder: Path, runtime: Path) -> tuple[Path, Path]:
    """A program made of the header's snippets, and its arguments, in a folder."""
    (folder / "main.c").write_text(MAIN % snippet((runtime / "include/spk.h").read_text()))
    np.savez(folder / "w.npz", conv1=WEIGHTS)
    options = ("--format", "huffman", "--tile", "512", "--min-size", "0")
    run(*STRIDEPACK, "pack", "w.npz", "-o", "w.spk", *options, cwd=folder)
    (folder / "w.blob").write_bytes(sp.pack(WEIGHTS, "huffman", tile=512).to_bytes())
    return folder / "w.blob", folder / "w.spk"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_all_of_the_repository_is_in_the_installed_package(with_tflm: Path) -> None:
    written, original = contents(with_tflm), contents(REPOSITORY / "runtime")
    del written["stridepack-files.json"]  # says what was written
    original = {path: data for path, data in original.items() if not path.startswith("rust/")}
    assert sorted(written) == sorted(original)
    assert written == original


def test_tflm_only_when_asked_for(runtime: Path, with_tflm: Path) -> None:
    names = {path.name for path in runtime.iterdir()}
    assert {"CMakeLists.txt", "LICENSE", "README.md", "include", "src"} <= names
    assert {path.name for path in with_tflm.iterdir()} == {*names, "tflm"}


def test_every_file_says_its_licence(with_tflm: Path) -> None:
    files = contents(with_tflm)
    first = {
        n: data.splitlines()[0]
        for n, data in files.items()
        if n.endswith((".c", ".h", ".hpp", ".cc"))
    }
    assert len(first) > 30
    assert set(first.values()) == {b"/* SPDX-License-Identifier: Apache-2.0 */"}, first
    assert files["LICENSE"] == (REPOSITORY / "LICENSE").read_bytes()


def test_snippets_of_the_header_run(runtime: Path, tmp_path: Path) -> None:
    blob, bundle = project(tmp_path, runtime)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
    sources = sorted((runtime / "src").glob("*.c"))
    run("cc", *flags, f"-I{runtime}/include", "main.c", *sources, "-o", "program", cwd=tmp_path)
    status, version, whole, tiles = run("./program", blob, bundle, cwd=tmp_path).splitlines()
    assert (status, version) == ("ok", sp.__version__)
    for decoded in (whole, tiles):
        np.testing.assert_array_equal([int(v) for v in decoded.split()], WEIGHTS)


def test_commands_of_the_readme_run(runtime: Path) -> None:
    commands = re.findall(r"^```sh\n(.*?)^```$", (runtime / "README.md").read_text(), re.M | re.S)
    assert len(commands) == 1
    run("sh", "-ec", commands[0], cwd=runtime)
    n_sources = len([*runtime.glob("src/*.c"), *runtime.glob("src/*/*.c")])
    assert len([*runtime.glob("*.o")]) == n_sources > 20


@pytest.mark.slow
def test_cmake_project(runtime: Path, tmp_path: Path) -> None:
    """A project with the lines of the README, in a folder that holds nothing else."""
    beside_python = Path(sys.executable).parent  # the PyPI package of the extra `dev`
    cmake = shutil.which("cmake", path=f"{beside_python}{os.pathsep}{os.environ['PATH']}")
    if cmake is None:
        pytest.skip("cmake is not installed")
    blob, bundle = project(tmp_path, runtime)
    shutil.copytree(runtime, tmp_path / "third_party/stridepack")
    readme = (runtime / "README.md").read_text()
    (lines,) = re.findall(r"^```cmake\n(.*?)^```$", readme, re.M | re.S)
    (option,) = re.findall(r"`(-DSTRIDEPACK_\w+=OFF)`", readme)
    start = "cmake_minimum_required(VERSION 3.18)\nproject(p C)\nadd_executable(firmware main.c)\n"
    version = (
        "get_directory_property(v DIRECTORY third_party/stridepack DEFINITION PROJECT_VERSION)\n"
        'message(STATUS "version ${v}.")\n'
    )
    (tmp_path / "CMakeLists.txt").write_text(start + lines + version)
    for options, expected in (([], "ok"), ([option], "unsupported")):
        flags = ["-DCMAKE_C_FLAGS=-Wall -Werror", *options]
        configured = run(cmake, "-B", "build", *flags, ".", cwd=tmp_path)
        assert f"version {sp.__version__}." in configured
        run(cmake, "--build", "build", cwd=tmp_path)
        output = run("build/firmware", blob, bundle, cwd=tmp_path).splitlines()
        assert output[0] == expected
