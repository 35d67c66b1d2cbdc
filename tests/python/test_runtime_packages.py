# SPDX-License-Identifier: Apache-2.0
"""`stridepack runtime --for ...`: what can be built of each package here, is built and run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import kconfiglib
import numpy as np
import pytest
import yaml
from commands import run as stridepack

import stridepack as sp
from stridepack.errors import InputError, OutputError
from stridepack.files.c_source import c_sources
from stridepack.files.runtime import PACKAGES, Needs, read_needs, write_runtime
from stridepack.files.runtime.library import PARTS
from stridepack.report.runtime import needs_sentences

FORMATS = sp.formats()
MANIFESTS = {
    *("CMakeLists.txt", "meson.build", "idf_component.yml", "library.properties"),
    *("library.json", "stridepack.stridepack.pdsc", "Cargo.toml"),
}
VALUES = np.tile(np.array([0, 3, 0, 0, -2, 0, 5, 0], np.int8), 64).reshape(8, 64)

# A program that returns 0 if every tensor of weights.c decodes to what it was made of.
MAIN = """\
#include <string.h>
#include "spk.h"
#include "weights.h"
static int8_t buffer[WEIGHTS_LARGEST_TENSOR];
int main(void) {
  static const int8_t pattern[8] = {0, 3, 0, 0, -2, 0, 5, 0};
  for (size_t i = 0; i < WEIGHTS_N_TENSORS; i++) {
    spk_view view;
    if (spk_open(&view, weights_tensors[i].blob, weights_tensors[i].blob_size) != SPK_OK) return 1;
    if (spk_validate(&view) != SPK_OK) return 2;
    if (spk_decode_s8(&view, buffer, sizeof buffer) != SPK_OK) return 3;
    for (size_t j = 0; j < sizeof buffer; j += 8) {
      if (memcmp(buffer + j, pattern, 8) != 0) return 4;
    }
  }
  return 0;
}
"""


def weights(folder: Path, *formats: str) -> None:
    """weights.c and weights.h with a tensor in each format, and main.c."""
    packed = {name: sp.pack(VALUES, format=name) for name in formats or FORMATS}
    folder.mkdir(parents=True, exist_ok=True)
    source, header = c_sources("weights", packed)
    (folder / "weights.c").write_text(source)
    (folder / "weights.h").write_text(header)
    (folder / "main.c").write_text(MAIN)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints; it must succeed. Tools come from this Python's environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shutil.which(command[0], path=path) or command[0], *command[1:]],
        cwd=cwd,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cmake(folder: Path, *options: str) -> None:
    """Configure and build a folder, in its folder build."""
    ninja = shutil.which("ninja", path=str(Path(sys.executable).parent))
    make_program = [f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    run("cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", *make_program, *options)
    run("cmake", "--build", folder / "build")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_complete(tmp_path: Path, package: str) -> None:
    files = write_runtime(tmp_path / "stridepack", package=package)
    assert all(path.is_file() for path in files)
    names = {path.name for path in files}
    assert {"spk.h", "spk_open.c", "LICENSE", "README.md"} <= names
    text = (tmp_path / "stridepack/README.md").read_text()
    if package != "rust":
        assert ("add_subdirectory(" in text) == (package == "cmake")  # of other packages: their own
        assert "## Macros that you can define" in text
    for path in files:
        if path.suffix in (".c", ".h") and path.name not in ("weights.c", "weights.h"):
            assert "SPDX-License-Identifier: Apache-2.0" in path.read_text()[:200]


def test_cmake_subdirectory_and_package(tmp_path: Path) -> None:
    write_runtime(tmp_path / "stridepack")
    weights(tmp_path)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(firmware C)\n"
        "if(INSTALLED)\n  find_package(stridepack 0.1 REQUIRED)\n"
        "else()\n  add_subdirectory(stridepack)\nendif()\n"
        "add_executable(firmware main.c weights.c)\n"
        "target_link_libraries(firmware PRIVATE stridepack::runtime)\n"
    )
    cmake(tmp_path)
    run(tmp_path / "build/firmware")

    root = tmp_path / "root"
    cmake(tmp_path / "stridepack", f"-DCMAKE_INSTALL_PREFIX={root}")
    run("cmake", "--install", tmp_path / "stridepack/build")
    shutil.rmtree(tmp_path / "build")
    cmake(tmp_path, "-DINSTALLED=ON", f"-DCMAKE_PREFIX_PATH={root}")
    run(tmp_path / "build/firmware")
    assert "-lstridepack" in next(root.rglob("stridepack.pc")).read_text()


def test_cmake_leaves_decoders_out(tmp_path: Path) -> None:
    write_runtime(tmp_path)
    cmake(tmp_path, "-DSTRIDEPACK_RANS=OFF", "-DSTRIDEPACK_CRC32_TABLE=256")
    ninja = (tmp_path / "build/build.ninja").read_text()
    assert "SPK_WITHOUT_RANS" in ninja
    assert "SPK_WITHOUT_RLE" not in ninja
    assert "SPK_CRC32_TABLE=256" in ninja
    assert "SPK_CRC32=" not in ninja
    cmake(tmp_path, "-DSTRIDEPACK_READER=OFF", "-DSTRIDEPACK_TRANSFORMS=OFF")
    ninja = (tmp_path / "build/build.ninja").read_text()
    assert "SPK_WITHOUT_READER" in ninja
    assert "SPK_WITHOUT_TRANSFORMS" in ninja
    # A program that the installed library is linked with is told, too.
    left_out = "-DSPK_WITHOUT_RANS -DSPK_WITHOUT_TRANSFORMS -DSPK_WITHOUT_READER\n"
    assert left_out in (tmp_path / "build/stridepack.pc").read_text()
    cmake(tmp_path, "-DSTRIDEPACK_CRC32=crc32_of_chip")
    assert "SPK_CRC32=crc32_of_chip" in (tmp_path / "build/build.ninja").read_text()
    for table in ("", "17"):
        with pytest.raises(
            AssertionError, match=rf'TABLE is "{table}"\.\s+Set it to 0, 16 or 256\.'
        ):
            cmake(tmp_path, f"-DSTRIDEPACK_CRC32_TABLE={table}")


def test_meson(tmp_path: Path) -> None:
    write_runtime(tmp_path / "subprojects/stridepack", package="meson")
    weights(tmp_path)
    (tmp_path / "meson.build").write_text(
        "project('firmware', 'c')\n"
        "spk = dependency('stridepack', fallback: ['stridepack', 'stridepack_dep'])\n"
        "executable('firmware', 'main.c', 'weights.c', dependencies: spk)\n"
    )
    without = ("-Dstridepack:rans=false", "-Dstridepack:reader=false")
    run("meson", "setup", "without", *without, cwd=tmp_path)
    with pytest.raises(AssertionError, match="These weights need rans, which SPK_WITHOUT_RANS"):
        run("meson", "compile", "-C", "without", cwd=tmp_path)
    options = ("-Dstridepack:werror=true", "-Dstridepack:crc32_table=256")
    run("meson", "setup", "build", *options, cwd=tmp_path)
    assert "SPK_CRC32_TABLE=256" in (tmp_path / "build/build.ninja").read_text()
    run("meson", "compile", "-C", "build", cwd=tmp_path)
    run(tmp_path / "build/firmware")


# What Zephyr's build system defines, as far as the module uses it.
ZEPHYR = """\
cmake_minimum_required(VERSION 3.18)
project(app C)
set(ZEPHYR_CURRENT_MODULE_DIR ${CMAKE_SOURCE_DIR}/stridepack)
add_executable(app main.c weights.c)
macro(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${name})
  add_library(${name} STATIC)
  target_link_libraries(app PRIVATE ${name})
endmacro()
macro(zephyr_include_directories)
  include_directories(${ARGN})
  target_include_directories(app PRIVATE ${ARGN})
endmacro()
macro(zephyr_library_sources)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endmacro()
macro(zephyr_compile_definitions)
  add_compile_definitions(${ARGN})
  target_compile_definitions(app PRIVATE ${ARGN})
endmacro()
macro(zephyr_library_compile_definitions)
  target_compile_definitions(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endmacro()
set(CONFIG_STRIDEPACK y)
foreach(format ${FORMATS})
  set(CONFIG_STRIDEPACK_${format} y)
endforeach()
add_subdirectory(stridepack/zephyr)
"""

# What ESP-IDF defines
ESP_IDF = """\
cmake_minimum_required(VERSION 3.18)
project(app C)
function(idf_component_register)
  cmake_parse_arguments(PARSE_ARGV 0 given "" "" "SRCS;INCLUDE_DIRS")
  add_library(component STATIC ${given_SRCS})
  target_include_directories(component PUBLIC ${given_INCLUDE_DIRS})
  set(COMPONENT_LIB component PARENT_SCOPE)
endfunction()
foreach(format ${FORMATS})
  set(CONFIG_STRIDEPACK_${format} y)
endforeach()
add_subdirectory(stridepack)
add_executable(app main.c weights.c)
target_link_libraries(app PRIVATE component)
"""


@pytest.mark.parametrize(
    ("package", "project", "kconfig"),
    [("zephyr", ZEPHYR, "zephyr/Kconfig"), ("esp-idf", ESP_IDF, "Kconfig")],
)
def test_modules_with_options(tmp_path: Path, package: str, project: str, kconfig: str) -> None:
    write_runtime(tmp_path / "stridepack", package=package)
    weights(tmp_path)
    (tmp_path / "CMakeLists.txt").write_text(project)
    without = [name.upper() for name in (*FORMATS, *PARTS) if name != "rans"]
    cmake(tmp_path, f"-DFORMATS={';'.join([*without, 'RANS'])}")
    run(tmp_path / "build/app")
    with pytest.raises(AssertionError, match="These weights need rans, which SPK_WITHOUT_RANS"):
        cmake(tmp_path, f"-DFORMATS={';'.join(without)}")
    crc32 = ("-DCONFIG_STRIDEPACK_CRC32_TABLE=0", "-DCONFIG_STRIDEPACK_CRC32=")
    cmake(tmp_path, f"-DFORMATS={';'.join([*without, 'RANS'])}", *crc32)
    ninja = (tmp_path / "build/build.ninja").read_text()
    assert "SPK_CRC32_TABLE=0" in ninja
    assert "SPK_CRC32=" not in ninja
    run(tmp_path / "build/app")

    options = kconfiglib.Kconfig(str(tmp_path / "stridepack" / kconfig), warn_to_stderr=False)
    named = {f"STRIDEPACK_{name.upper()}" for name in (*FORMATS, *PARTS, "crc32", "crc32_table")}
    assert named <= options.syms.keys()
    assert not options.warnings


def test_manifests(tmp_path: Path) -> None:
    """They name the version, and files that are there."""
    version = sp.__version__
    for package in ("zephyr", "esp-idf", "arduino", "platformio", "cmsis-pack"):
        write_runtime(tmp_path / package, package=package)
    module = yaml.safe_load((tmp_path / "zephyr/zephyr/module.yml").read_text())
    assert (tmp_path / "zephyr" / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    assert (tmp_path / "zephyr" / module["build"]["kconfig"]).is_file()
    component = yaml.safe_load((tmp_path / "esp-idf/idf_component.yml").read_text())
    assert component["version"] == version
    lines = (tmp_path / "arduino/library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines)
    assert properties["version"] == version
    assert (tmp_path / "arduino/src" / properties["includes"]).is_file()
    library = json.loads((tmp_path / "platformio/library.json").read_text())
    assert library["version"] == version
    assert (tmp_path / "platformio" / library["build"]["includeDir"] / library["headers"]).is_file()
    root = tmp_path / "cmsis-pack"
    pack = ElementTree.parse(root / "stridepack.stridepack.pdsc").getroot()
    named = [file.attrib["name"] for file in pack.iter("file")]
    assert all((root / name).exists() for name in named)
    assert {f"src/{path.name}" for path in (root / "src").glob("*.c")} <= set(named)


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "zephyr"])
def test_the_version_comes_from_one_place(tmp_path: Path, package: str) -> None:
    """It is that of the Python package, in C and in what each package says of itself.

    A module of Zephyr says none.
    """
    files = {path.name: path for path in write_runtime(tmp_path, package=package)}
    spec = files["spk_spec.h"].read_text()
    assert f'#define SPK_LIBRARY_VERSION "{sp.__version__}"' in spec
    numbers = [re.search(rf"VERSION_{part} (\d+)", spec)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    assert sp.__version__.startswith(".".join(numbers))
    manifests = [path for name, path in files.items() if name in MANIFESTS]
    assert manifests
    if package == "cmake":  # reads the header
        assert "SPK_LIBRARY_VERSION" in manifests[0].read_text()
    else:
        assert any(f"{sp.__version__}" in path.read_text() for path in manifests)


# What the Arduino core defines
ARDUINO = """\
#include <stdio.h>
struct Serial_ {
  void begin(unsigned long) {}
  void print(const char *text) { printf("%s", text); }
  void println(const char *text) { printf("%s\\n", text); }
};
static Serial_ Serial;
"""


@pytest.mark.parametrize(("decoders", "said"), [(None, "example: ok\n"), ([], "")])
def test_arduino_sketch(tmp_path: Path, decoders: list[str] | None, said: str) -> None:
    """The example compiles as Arduino does it: all of src/, and src/ on the include path."""
    write_runtime(tmp_path, package="arduino", decoders=decoders)
    sketch = tmp_path / "examples/Unpack"
    (tmp_path / "Arduino.h").write_text(ARDUINO)
    (tmp_path / "main.cpp").write_text(
        f'#include "Arduino.h"\n#include "{sketch}/Unpack.ino"\nint main() {{ setup(); loop(); }}\n'
    )
    objects = []
    for number, source in enumerate([*(tmp_path / "src").rglob("*.c"), sketch / "weights.c"]):
        objects.append(tmp_path / f"{number}.o")
        run("cc", "-std=c99", f"-I{tmp_path}/src", "-c", source, "-o", objects[-1])
    flags = (f"-I{tmp_path}", f"-I{tmp_path}/src", f"-I{sketch}")
    run("c++", *flags, tmp_path / "main.cpp", *objects, "-o", tmp_path / "sketch")
    assert run(tmp_path / "sketch") == said
    # The stack of a small board is too small for these two.
    assert not re.search("huffman|rans", (sketch / "weights.h").read_text())


@pytest.mark.parametrize("name", FORMATS)
def test_only_what_a_model_needs(tmp_path: Path, name: str) -> None:
    sp.write_bundle(tmp_path / "packed.spk", {"a": sp.pack(VALUES, format=name)})
    target = tmp_path / "runtime"
    said = stridepack("runtime", target, "--model", tmp_path / "packed.spk")
    assert f"Decoders of {name}: at most" in said
    weights(tmp_path, name)
    sources = [*target.rglob("*.c"), tmp_path / "weights.c", tmp_path / "main.c"]
    flags = ("-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{target}/include")
    run("cc", *flags, *sources, "-o", tmp_path / "program")
    run(tmp_path / "program")
    assert len(list(target.rglob("*.c"))) < len(list(write_all(tmp_path).rglob("*.c")))


@pytest.mark.parametrize("package", ["cmake", "meson"])
def test_packages_with_less_have_fewer_options(tmp_path: Path, package: str) -> None:
    """What a model does not need is no option any more, and what is there compiles and links."""
    weights(tmp_path / "app", "rle")
    needs = read_needs(tmp_path / "app/weights.h")
    assert needs == Needs(["rle"])
    sources = tmp_path / "app/subprojects/stridepack"
    write_runtime(sources, package=package, decoders=needs.decoders)
    spec = (sources / "include/spk_spec.h").read_text()
    assert "#define SPK_WITHOUT_TRANSFORMS\n" in spec
    assert "#define SPK_WITHOUT_TFLM_PRUNE\n" in spec
    assert not (sources / "src/spk_live.c").exists()
    if package == "meson":
        options = (sources / "meson.options").read_text()
        assert "'rle'" in options
        assert "'huffman'" not in options
        assert "'transforms'" not in options
        return
    (tmp_path / "app/CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(firmware C)\n"
        "add_subdirectory(subprojects/stridepack)\n"
        "add_executable(firmware main.c weights.c)\n"
        "target_link_libraries(firmware PRIVATE stridepack::runtime)\n"
    )
    cmake(tmp_path / "app")
    run(tmp_path / "app/build/firmware")
    cache = (tmp_path / "app/build/CMakeCache.txt").read_text()
    assert "STRIDEPACK_RLE:BOOL=ON" in cache
    assert "STRIDEPACK_HUFFMAN" not in cache
    assert "STRIDEPACK_TRANSFORMS" not in cache


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("meson", "`-Dstridepack:rle=false` leaves a decoder out"),
        ("zephyr", "`CONFIG_STRIDEPACK_RLE=n` leaves a decoder out"),
        ("cmsis-pack", "- SPK_WITHOUT_RLE   # leaves a decoder out"),
        ("platformio", "build_flags = -DSPK_WITHOUT_RLE\n"),
        ("rust", '`default-features = false, features = ["rle"]` compiles one decoder'),
    ],
)
def test_examples_name_a_decoder_that_is_there(tmp_path: Path, package: str, text: str) -> None:
    write_runtime(tmp_path / "all", package=package)
    whole = (tmp_path / "all/README.md").read_text()
    assert text.replace("rle", "huffman").replace("RLE", "HUFFMAN") in whole
    write_runtime(tmp_path / "less", package=package, decoders=["dense", "rle"])
    assert text in (tmp_path / "less/README.md").read_text()
    assert "@" not in whole


def test_what_a_model_needs(tmp_path: Path) -> None:
    """A .spk file and the header beside C arrays say the same, transforms included."""
    rows = np.repeat(np.arange(200, dtype=np.int8)[:, None], 200, axis=1)
    rows[::2] = 0
    packed = {"a": sp.pack(rows), "b": sp.pack(VALUES, format="rle")}
    sp.write_bundle(tmp_path / "w.spk", packed)
    (tmp_path / "w.h").write_text(c_sources("w", packed)[1])
    needs = read_needs(tmp_path / "w.spk")
    assert read_needs(tmp_path / "w.h") == needs
    assert needs.decoders[-1] == "transforms"
    assert "rle" in needs.decoders
    (said,) = needs_sentences(needs, "cortex-m55")
    assert "What undoes transforms, and what opens and checks blobs, come on top" in said
    (said,) = needs_sentences(Needs(["rle"]), "cortex-m55")
    assert "transforms" not in said
    (tmp_path / "w.h").write_text(c_sources("w", {})[1])
    assert read_needs(tmp_path / "w.h") == Needs([])

    (tmp_path / "other.h").write_text("int x;\n")
    with pytest.raises(InputError, match=r"other\.h does not say what the runtime has to decode"):
        read_needs(tmp_path / "other.h")
    header = c_sources("w", packed)[1].replace("decode: ", "decode: zip, ")
    (tmp_path / "new.h").write_text(header)
    with pytest.raises(InputError, match=r"new\.h needs the decoder zip, which this version"):
        read_needs(tmp_path / "new.h")
    header = c_sources("w", packed)[1].replace(", ".join(needs.decoders), "transforms")
    (tmp_path / "changed.h").write_text(header)
    with pytest.raises(InputError, match=r"changed\.h needs transforms and no format\. .* changed"):
        read_needs(tmp_path / "changed.h")
    (tmp_path / "w.c").write_text(c_sources("w", packed)[0])
    with pytest.raises(InputError, match=r"w\.c`: stridepack finds out what the runtime has to"):
        read_needs(tmp_path / "w.c")


def write_all(folder: Path) -> Path:
    write_runtime(folder / "all")
    return folder / "all"


def test_a_second_call_removes_what_is_stale_and_keeps_edits(tmp_path: Path) -> None:
    write_runtime(tmp_path)
    (tmp_path / "src/own.c").write_text("/* mine */\n")
    write_runtime(tmp_path, decoders=["rle"])
    assert not (tmp_path / "src/spk_rans.c").exists()
    assert (tmp_path / "src/own.c").exists()
    edited = tmp_path / "src/spk_rle.c"
    edited.write_text(edited.read_text() + "/* mine */\n")
    with pytest.raises(OutputError, match=r"spk_rle\.c was changed after stridepack had written"):
        write_runtime(tmp_path)
    assert not (tmp_path / "src/spk_rans.c").exists()  # nothing was written


def test_a_foreign_record_removes_nothing_elsewhere(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    (tmp_path / "runtime").mkdir()
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
    record = {"files": {"../victim": digest, str(victim): digest}}
    (tmp_path / "runtime/stridepack-files.json").write_text(json.dumps(record))
    write_runtime(tmp_path / "runtime")
    assert victim.exists()


def test_an_unknown_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`package=bazel` is unknown"):
        write_runtime(tmp_path, package="bazel")
