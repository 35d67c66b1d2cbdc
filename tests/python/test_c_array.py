# SPDX-License-Identifier: Apache-2.0
"""The packed .tflite as a C++ array: it compiles, is aligned, and is the file byte for byte."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import stridepack as sp
from stridepack.cli import cli
from stridepack.files.c_array import c_array

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wundef", "-pedantic", "-Werror"]
MAIN = """
#include <cstdint>
#include <cstdio>
#include "HEADER"
#include "HEADER"
static char room[NAME_size];  // the size is a constant
int main() {
  if (reinterpret_cast<std::uintptr_t>(NAME) % 16 != 0) return 1;
  if (sizeof room != NAME_size) return 2;
  return std::fwrite(NAME, 1, NAME_size, stdout) == NAME_size ? 0 : 3;
}
"""

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")


def run(*command: str | Path) -> bytes:
    if not shutil.which(str(command[0])):
        pytest.fail(f"{command[0]} is needed for this test")
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


@pytest.mark.parametrize("command", ["verify", "unpack"])
def test_commands_that_read_it_say_so(command: str) -> None:
    said = CliRunner().invoke(cli, [command, "--help"]).output
    usage, _, text = said.partition("\n\n")
    assert ".cc" not in usage
    assert re.search(r"\.cc\b", text.partition("\n\n")[0]), said


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tflite") / "packed.tflite"
    sp.pack_file(EXAMPLE, path)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".cc", ".cpp"])
@pytest.mark.parametrize("asked", [None, "my_model"])
@pytest.mark.parametrize("standard", ["c++11", "c++17"])
def test_compiled_it_is_the_packed_file(
    tmp_path: Path, packed: bytes, suffix: str, asked: str | None, standard: str
) -> None:
    output = tmp_path / f"model-data{suffix}"
    result = sp.pack_file(EXAMPLE, output, array=asked)
    header = tmp_path / "model-data.h"
    assert result.files == {path: path.stat().st_size for path in (output, header)}
    assert result.model_nbytes == (EXAMPLE.stat().st_size, len(packed))
    name = asked or "g_model_data"
    main = tmp_path / "main.cc"
    main.write_text(MAIN.replace("HEADER", header.name).replace("NAME", name))
    program = tmp_path / "program"
    run("c++", f"-std={standard}", *WARNINGS, main, output, "-o", program)
    assert run(program) == packed


def test_read_again(tmp_path: Path, packed: bytes) -> None:
    output = tmp_path / "model_data.cc"
    sp.pack_file(EXAMPLE, output)
    verified = sp.verify_files(EXAMPLE, output, n_inputs=2)
    assert verified.ok
    assert verified.outputs is not None
    (tmp_path / "packed.tflite").write_bytes(packed)
    for unpacked in ("dense.tflite", "dense.npz"):
        sp.unpack_file(output, tmp_path / unpacked)
        sp.unpack_file(tmp_path / "packed.tflite", tmp_path / f"other_{unpacked}")
        content = (tmp_path / unpacked).read_bytes()
        assert content == (tmp_path / f"other_{unpacked}").read_bytes()
    # A packed array is also a model: it is packed already.
    again = sp.pack_file(output, tmp_path / "again.cc", array="g_model_data")
    assert again.model_nbytes == (len(packed), len(packed))


def test_verify_finds_another_byte(tmp_path: Path) -> None:
    output = tmp_path / "model_data.cc"
    sp.pack_file(EXAMPLE, output, "dense")
    text = output.read_text()
    weight = sp.read_weights(EXAMPLE)[5].values.tobytes()[:24]
    line = ",".join(f"0x{byte:02x}" for byte in weight[:8])
    assert text.replace("\n", "").replace(" ", "").count(line) == 1
    at = text.replace("\n", "").replace(" ", "").index(line)
    seen = -1
    for i, character in enumerate(text):
        seen += character not in "\n "
        if seen == at + 3:  # the last digit of the first weight
            text = text[:i] + format(int(character, 16) ^ 1, "x") + text[i + 1 :]
            break
    output.write_text(text)
    (difference,) = sp.verify_files(EXAMPLE, output, n_inputs=1).differences
    assert "1 of " in difference
    assert "The first is element 0" in difference


def test_decoder_of_stridepack_and_flash(tmp_path: Path, packed: bytes) -> None:
    output = tmp_path / "m.cc"
    result = sp.pack_file(EXAMPLE, output, decoder="stridepack", budget=sp.Budget(flash=65_000))
    assert result.model_nbytes is not None
    assert result.model_nbytes[1] < len(packed)
    verified = sp.verify_files(EXAMPLE, output)
    assert verified.ok
    assert verified.stand_in
    with pytest.raises(sp.BudgetError, match=r"`flash=50000` is too small\. The smallest \.tflite"):
        sp.pack_file(EXAMPLE, output, budget=sp.Budget(flash=50_000))


def test_what_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.zeros(5000, np.int8))
    header = tmp_path / "model.h"
    header.write_text(c_array("m", EXAMPLE.read_bytes(), "model.h")[1])
    before = header.read_bytes()
    for model, output, array, error in (
        (tmp_path / "w.npz", "w.cc", None, r"an array that holds a \.tflite file can only be made"),
        (tmp_path / "w.npz", "w.tflite", None, r"w\.tflite: a \.tflite file can only be made from"),
        (EXAMPLE, "m.cc", "1st", r"`array=1st` is not a name for an array in C\+\+"),
        (EXAMPLE, "m.cc", "a b", r"`array=a b` is not a name for an array in C\+\+"),
        (EXAMPLE, "m.cc", "größe", r"`array=größe` is not a name for an array in C\+\+"),
        (EXAMPLE, "m.cc", "while", r"`array=while` .* a meaning of its own in C\+\+"),
        (EXAMPLE, "m.cc", "co_await", r"`array=co_await` .* a meaning of its own in C\+\+"),
        (EXAMPLE, "m.cc", "xor", r"`array=xor` .* a meaning of its own in C\+\+"),
        (EXAMPLE, "m.cc", "main", r"`array=main` .* in which a program starts"),
        (EXAMPLE, "m.c", "model", r"`array=model` is for \.cc and \.cpp output only.*not .*m\.c"),
        (EXAMPLE, 'a"b.cc', None, r"which an #include cannot have"),
        (EXAMPLE, "a\nb.cc", None, r"which an #include cannot have"),
        (header, "model.cc", None, r"model\.h: the output would overwrite the model"),
    ):
        with pytest.raises(sp.InputError, match=error):
            sp.pack_file(model, tmp_path / output, array=array)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.h", "w.npz"]
    assert header.read_bytes() == before


def test_linked_into_firmware(tmp_path: Path, packed: bytes) -> None:
    """An Arm linker places the array at a multiple of 16 bytes of Flash, and nothing in RAM."""
    tools = [f"arm-none-eabi-{tool}" for tool in ("g++", "ld", "objcopy", "nm")]
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"{missing[0]} is not installed")
    compiler, linker, objcopy, nm = tools
    sp.pack_file(EXAMPLE, tmp_path / "model_data.cc")
    (tmp_path / "main.cc").write_text(
        '#include "model_data.h"\n'
        'extern "C" { const unsigned char *start(); const unsigned char one = 1; }\n'
        "const unsigned char *start() { return g_model_data + g_model_data_size * one; }\n"
    )
    (tmp_path / "flash.ld").write_text(
        "MEMORY { FLASH : ORIGIN = 0x10000, LENGTH = 1M }\nENTRY(start)\n"
        "SECTIONS { .text : { *(.text*) } >FLASH\n"
        ".rodata : { BYTE(1) *(.rodata*) } >FLASH\n"
        '.ram : { *(.data*) *(.bss*) } >FLASH\nASSERT(SIZEOF(.ram) == 0, "RAM") }\n'
    )
    flags = ["-mcpu=cortex-m55", "-mthumb", "-std=c++17", "-ffreestanding", "-fno-exceptions"]
    flags += [*WARNINGS, "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"]
    for name in ("main", "model_data"):
        source, target = tmp_path / f"{name}.cc", tmp_path / f"{name}.o"
        run(compiler, *flags, "-c", source, "-o", target)
    elf, image = tmp_path / "firmware.elf", tmp_path / "firmware.bin"
    objects = [tmp_path / "main.o", tmp_path / "model_data.o"]
    run(linker, "-T", tmp_path / "flash.ld", *objects, "-o", elf)
    run(objcopy, "-O", "binary", elf, image)
    symbols = run(nm, elf).decode().splitlines()
    (address,) = (int(line.split()[0], 16) for line in symbols if line.endswith("g_model_data"))
    assert address % 16 == 0
    at = address - 0x10000
    assert image.read_bytes()[at : at + len(packed)] == packed
