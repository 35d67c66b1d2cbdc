# SPDX-License-Identifier: Apache-2.0
"""The table in docs/firmware.md of what one model needs, where GCC 12 for Arm is at hand."""

import re
import shutil
from pathlib import Path

import pytest
from programs import run, text_size

from stridepack.files.runtime import write_runtime

GUIDE = Path(__file__).resolve().parents[2] / "docs/firmware.md"
GCC, SIZE = "arm-none-eabi-gcc", "arm-none-eabi-size"
CORES = {"M55": ("-mcpu=cortex-m55", "-mfloat-abi=hard"), "M4": ("-mcpu=cortex-m4",)}
FLAGS = ("-mthumb", "-Os", "-std=c99", "-ffunction-sections", "-fdata-sections", "-ffreestanding")
LIBC = Path(__file__).resolve().parents[2] / "examples/firmware/libc"

# Opens, validates and decodes. Nothing of it is run, and what it needs of a C library is empty.
MAIN = """\
#include "spk.h"
extern const uint8_t blob[];
extern int8_t values[];
extern const size_t n;
int main(void) {
  spk_view view;
  return spk_open(&view, blob, n) == SPK_OK && spk_validate(&view) == SPK_OK &&
         spk_decode_tile_s8(&view, 0, values, n) == SPK_OK;
}
"""
REST = """\
const unsigned char blob[4];
signed char values[4];
const unsigned n;
void memcpy(void) {} void memset(void) {} void memcmp(void) {} void memchr(void) {}
void strcmp(void) {} void strlen(void) {}
"""


@pytest.mark.parametrize("core", CORES)
def test_sizes_of_one_decoder(tmp_path: Path, core: str) -> None:
    if not shutil.which(GCC):
        pytest.skip(f"{GCC} is not installed")
    version = run(tmp_path, GCC, "-dumpversion").strip()
    if not version.startswith("12."):
        pytest.skip(f"the table is of GCC 12, and {GCC} is {version}")
    write_runtime(tmp_path / "runtime", decoders=["dcsr"])
    (tmp_path / "main.c").write_text(MAIN)
    (tmp_path / "rest.c").write_text(REST)
    command = (GCC, *CORES[core], *FLAGS, f"-I{tmp_path}/runtime/include", f"-I{LIBC}")
    sources = sorted((tmp_path / "runtime/src").rglob("*.c"))
    run(tmp_path, *command, "-c", *sources, "main.c")
    run(tmp_path, *command, "-w", "-fno-builtin", "-c", "rest.c")
    objects = sorted(path.name for path in tmp_path.glob("spk_*.o"))
    run(tmp_path, "arm-none-eabi-ar", "crs", "library.a", *objects)
    link = ("-nostdlib", "-Wl,--gc-sections", "-Wl,-e,main")
    parts = ("main.o", "library.a", "rest.o", "-lgcc")
    run(tmp_path, GCC, *CORES[core], "-mthumb", *link, *parts, "-o", "program")

    rows = re.findall(r"^\| `dcsr` \| (.*) \|$", GUIDE.read_text(), re.MULTILINE)
    all_m55, all_m4, linked_m55, linked_m4 = (int(n.replace(",", "")) for n in rows[0].split(" | "))
    said = (all_m55, linked_m55) if core == "M55" else (all_m4, linked_m4)
    assert text_size(tmp_path, *objects, tool=SIZE) == pytest.approx(said[0], rel=0.01)
    linked = text_size(tmp_path, "program", tool=SIZE) - text_size(tmp_path, "main.o", tool=SIZE)
    assert linked == pytest.approx(said[1], rel=0.03)
