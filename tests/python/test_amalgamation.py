# SPDX-License-Identifier: Apache-2.0
"""`stridepack runtime --amalgamate`: spk.h and spk.c, which do what the many files do.

tests/c and tests/firmware decode all vectors with them.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Call, call
from programs import run, text_size

import stridepack as sp
from stridepack.errors import InputError
from stridepack.files.runtime import write_runtime
from stridepack.files.runtime.c_text import macros, own_names
from stridepack.files.runtime.library import read_library, runtime_dir

__all__ = ["call"]

WARNINGS = [
    *("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Wcast-qual"),
    *("-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef", "-Werror"),
]
# Debian's compiler for Arm comes without a C library: our <string.h> for it.
NO_LIBRARY = Path(__file__).resolve().parents[1] / "firmware/include"
CORES = {
    "m55": ["-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
    "m4": ["-mcpu=cortex-m4", "-mthumb"],
}
COMPILERS = {
    "gcc": ["gcc"],
    "clang": ["clang-19"],
    **{f"gcc {core}": ["arm-none-eabi-gcc", *flags] for core, flags in CORES.items()},
    **{
        f"clang {core}": ["clang-19", "--target=arm-none-eabi", *flags]
        for core, flags in CORES.items()
    },
}
VALUES = np.tile(np.array([0, 3, 0, 0, -2, 0, 5, 0], np.int8), 64)
MAIN = """
#include <stdio.h>
#include "spk.h"
static uint8_t file[65536];
static int8_t buffer[4096];
int main(void) {
  FILE *stream = fopen("w.spk", "rb");
  const size_t size = stream ? fread(file, 1, sizeof file, stream) : 0;
  spk_bundle bundle;
  spk_view view;
  if (spk_bundle_open(&bundle, file, size) != SPK_OK) return 9;
  for (uint32_t i = 0; i < bundle.n_tensors; i++) {
    if (spk_bundle_get(&bundle, i, NULL, &view) != SPK_OK) return 9;
    spk_status status = spk_validate(&view);
    if (status == SPK_OK) status = spk_decode_s8(&view, buffer, sizeof buffer);
    long sum = 0;
    for (uint32_t j = 0; j < view.n_elements; j++) sum += buffer[j] * (long)(j % 99);
    printf("%s %ld\\n", spk_status_name(status), status == SPK_OK ? sum : 0);
  }
  puts(spk_version());
  return 0;
}
"""


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    write_runtime(folder, amalgamate=True)
    return folder


@pytest.fixture(params=COMPILERS)
def compiler(request: pytest.FixtureRequest) -> list[str]:
    command = COMPILERS[request.param]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    arm = [f"-I{NO_LIBRARY}", "-ffreestanding"] if " " in request.param else []
    return [*command, *arm]


def test_two_files_a_licence_and_the_record(one: Path) -> None:
    names = {path.name for path in one.iterdir()}
    cxx = {"stridepack.hpp", "stridepack_reader.hpp"}
    assert names == {"spk.h", "spk.c", *cxx, "LICENSE", "stridepack-files.json"}
    assert " * To compile it: compile spk.c. " in (one / "spk.h").read_text()
    for name in ("spk.h", "spk.c"):
        text = (one / name).read_text()
        assert text.startswith("/* SPDX-License-Identifier: Apache-2.0 */\n")
        assert text.count("SPDX") == 1
        assert set(re.findall(r'#include "(.*)"', text)) <= {"spk.h"}
        assert len(re.findall(r"^#include <arm_mve.h>$", text, re.MULTILINE)) <= 1


def test_it_is_the_same_every_time(one: Path, tmp_path: Path) -> None:
    write_runtime(tmp_path, amalgamate=True)
    for path in one.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    edited = tmp_path / "spk.c"
    edited.write_text(edited.read_text() + "/* mine */\n")
    with pytest.raises(sp.OutputError, match="was changed after stridepack had written it"):
        write_runtime(tmp_path, amalgamate=True)


def test_only_what_spk_h_declares_is_seen_outside(one: Path, tmp_path: Path) -> None:
    run(tmp_path, "gcc", "-O2", "-c", one / "spk.c")
    seen = set(re.findall(r"^\w+ [A-TV-Z] (\w+)$", run(tmp_path, "nm", "spk.o"), re.MULTILINE))
    headers = "".join(path.read_text() for path in (runtime_dir() / "include").glob("*.h"))
    declared = set(re.findall(r"^[a-z].*?\b(spk_\w+)\(", headers, re.MULTILINE))
    assert seen == declared - {"spk_read"}  # a type
    assert len(seen) > 10


@pytest.mark.slow
def test_no_warning_and_no_larger(one: Path, tmp_path: Path, compiler: list[str]) -> None:
    """As many files, at -Os: at most 1 % more."""
    run(tmp_path, *compiler, *WARNINGS, "-Os", "-c", one / "spk.c")
    sources = [runtime_dir() / path for path in read_library().sources]
    include = f"-I{runtime_dir()}/include"
    run(tmp_path, *compiler, "-std=c99", "-Os", include, "-c", *sources)
    many = text_size(tmp_path, *(f"{path.stem}.o" for path in sources))
    assert 0.95 * many < text_size(tmp_path, "spk.o") < 1.01 * many


def test_stack_is_no_deeper(one: Path, tmp_path: Path) -> None:
    """No function has a larger frame than the largest of the many files."""
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("arm-none-eabi-gcc is not installed")
    compiler = [*COMPILERS["gcc m4"], f"-I{NO_LIBRARY}", "-ffreestanding", "-std=c99", "-O2"]
    sources = [runtime_dir() / path for path in read_library().sources]
    frames = []
    for files in ([one / "spk.c"], sources):
        run(tmp_path, *compiler, "-fstack-usage", f"-I{runtime_dir()}/include", "-c", *files)
        usage = [path.read_text() for path in tmp_path.glob("*.su")]
        sizes = [int(line.split("\t")[1]) for text in usage for line in text.splitlines()]
        frames.append(max(sizes))
        for path in tmp_path.glob("*.su"):
            path.unlink()
    assert frames[0] <= frames[1] + 16


def decoded(folder: Path, *flags: str) -> list[str]:
    """What a program with spk.c prints of w.spk."""
    (folder / "main.c").write_text(MAIN)
    run(folder, "gcc", *WARNINGS, *flags, "main.c", "spk.c", "-o", "program")
    return run(folder, "./program").splitlines()


def test_only_what_a_model_needs(tmp_path: Path, call: Call) -> None:
    weight = int((VALUES.astype(int) * (np.arange(VALUES.size) % 99)).sum())
    write_runtime(tmp_path / "all", amalgamate=True)
    whole = (tmp_path / "all/spk.c").stat().st_size
    for name in sp.formats():
        folder = tmp_path / name
        folder.mkdir()
        sp.write_bundle(folder / "w.spk", {"a": sp.pack(VALUES, name)})
        code, said, _ = call("runtime", folder, "--amalgamate", "--model", folder / "w.spk")
        assert code == 0
        assert "Compile spk.c together with your program. spk.h says how to use them." in said
        assert decoded(folder) == [f"ok {weight}", sp.__version__]
        assert len((folder / "spk.c").read_bytes()) < 0.9 * whole


def test_macros_leave_decoders_out(one: Path, tmp_path: Path) -> None:
    shutil.copytree(one, tmp_path, dirs_exist_ok=True)
    sp.write_bundle(tmp_path / "w.spk", {name: sp.pack(VALUES, name) for name in sp.formats()})
    all_of_them = decoded(tmp_path)
    assert [line.split()[0] for line in all_of_them[:-1]] == ["ok"] * len(sp.formats())
    for name, line in zip(sp.formats(), all_of_them, strict=False):
        without = decoded(tmp_path, f"-DSPK_WITHOUT_{name.upper()}")
        assert [a for a in all_of_them if a not in without] == ([] if line in without else [line])
        assert sum(line.startswith("unsupported") for line in without) == 1
    assert decoded(tmp_path, "-DSPK_CRC32_TABLE=256") == all_of_them


def test_from_cxx(one: Path, tmp_path: Path) -> None:
    """A C++ program takes the header, and the C file as C."""
    (tmp_path / "main.cpp").write_text(
        '#include "stridepack_reader.hpp"\n#include "spk.h"\n'
        'int main() {\n  const auto tensor = stridepack::tensor::open("RIFF");\n'
        "  return tensor.status() == SPK_ERROR_MAGIC ? 0 : 1;\n}\n"
    )
    run(tmp_path, "gcc", "-c", one / "spk.c")
    run(tmp_path, "g++", "-std=c++17", f"-I{one}", "main.cpp", "spk.o", "-o", "program")
    run(tmp_path, "./program")


def test_no_package_of_one_file(tmp_path: Path, call: Call) -> None:
    code, _, said = call("runtime", tmp_path / "x", "--target", "cortex-m4")
    assert (code, "--target says for which core" in said) == (2, True)
    code, _, said = call("runtime", tmp_path / "x", "--amalgamate", "--for", "zephyr")
    assert code == 2
    assert "`--amalgamate` writes one C file, which any build system compiles" in said
    assert not (tmp_path / "x").exists()
    with pytest.raises(InputError, match="`amalgamate=True`"):
        write_runtime(tmp_path / "x", amalgamate=True, package="cmake")


SOURCE = """
/* static int comment(void) */
#define LOCAL(x) (x)
#define SPK_SHARED 1
#define GONE 2
#undef GONE
typedef struct pair { int first; } pair;
typedef spk_status decoder(const spk_tile *tile);
enum { SIZE = 4, OTHER };
enum kind { ROUND = 1 };
static const uint8_t table[SIZE] = {1, 2};
SPK_NOINLINE static uint32_t walk(const spk_tile *tile,
                                  uint32_t n) { if (n) { return table[0]; } return 1; }
spk_status spk_psr_decode(const spk_tile *tile, int8_t *dst) { int local = 0; return local; }
"""


def test_own_names() -> None:
    assert own_names(SOURCE) == [
        *("pair", "decoder", "SIZE", "OTHER", "kind", "ROUND", "table", "walk"),
    ]
    assert macros(SOURCE) == ["LOCAL"]
