# SPDX-License-Identifier: Apache-2.0
"""The runtime where int has 16 bits: every format on an emulated ATmega2560."""

import zlib
from pathlib import Path

import avr
import numpy as np
import programs
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.files.c_source import hex_lines
from stridepack.files.runtime.library import read_library

WARNINGS = ["-Wall", "-Wextra", "-Werror"]
MAIN = (
    avr.BEGIN
    + """
#include "spk_internal.h"
static const uint8_t blob[] = {
%s
};
static int8_t out[%d];
int main(void) {
  spk_view view;
  spk_status status = spk_open(&view, blob, sizeof blob);
  if (status == SPK_OK) status = spk_validate(&view);
  if (status == SPK_OK) status = spk_decode_s8(&view, out, sizeof out);
  const uint32_t crc = spk_crc32(0, (const uint8_t *)out, sizeof out);
"""
    + avr.END
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runtime as headers and libspk.a."""
    avr.need("avr-gcc", "avr-ar", "simavr")
    folder = tmp_path_factory.mktemp("avr")
    library = read_library()
    for path, content in library.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    sources = [path for path in library.sources if path.count("/") == 1]
    run(folder, "avr-gcc", "-c", *sources, "-Iinclude", *WARNINGS)
    objects = sorted(str(path) for path in folder.glob("*.o"))
    programs.run(folder, "avr-ar", "rcs", "libspk.a", *objects)
    return folder


def run(folder: Path, compiler: str, *arguments: str) -> None:
    programs.run(folder, compiler, avr.PROCESSOR, "-std=gnu99", "-Os", *arguments)


def equidistant() -> np.ndarray:
    """Groups, and elements beside them, with values of both signs."""
    values = random_array(1200, 0.9).copy()
    values[30:400:9] = np.arange(42) - 20
    return values


@pytest.mark.parametrize("fmt", sp.formats())
@pytest.mark.parametrize("make", [equidistant, lambda: random_array(700, 0.5)])
def test_decodes_as_elsewhere(library: Path, tmp_path: Path, fmt: str, make) -> None:  # type: ignore[no-untyped-def]
    values = make()
    packed = sp.pack(values, format=fmt)
    crc = zlib.crc32(values.tobytes())
    (tmp_path / "main.c").write_text(MAIN % (hex_lines(packed.to_bytes()), values.size, crc))
    run(
        library,
        "avr-gcc",
        *("-Iinclude", "-Isrc", str(tmp_path / "main.c"), "libspk.a"),
        *("-o", str(tmp_path / "main.elf")),
    )
    avr.decodes(tmp_path / "main.elf")
