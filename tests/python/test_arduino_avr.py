# SPDX-License-Identifier: Apache-2.0
"""README.md of the Arduino package: its code for AVR keeps the blobs in Flash, and decodes them."""

import re
import zlib
from pathlib import Path

import avr
import numpy as np
from arrays import random_array
from programs import run

import stridepack as sp
from stridepack.files.c_source import c_sources
from stridepack.files.runtime import write_runtime

FLAGS = (avr.PROCESSOR, "-Os", "-Wall", "-Wextra", "-Werror")
# What the Arduino core does: it calls setup, and prints.
MAIN = (
    avr.BEGIN
    + """
%s
extern "C" uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size);
static int8_t buffer[WEIGHTS_LARGEST_TENSOR];
int main() {
  spk_status status = open_in_flash(&weights_tensors[0]);
  if (status == SPK_OK) status = spk_reader_validate(&reader);
  if (status == SPK_OK) status = spk_reader_decode_s8(&reader, buffer, sizeof buffer);
  const uint32_t crc = spk_crc32(0, (const uint8_t *)buffer, sizeof buffer);
"""
    + avr.END
)


def test_blobs_stay_in_flash(tmp_path: Path) -> None:
    avr.need("avr-gcc", "simavr")
    values: np.ndarray = random_array(700, 0.7)
    source, header = c_sources("weights", {"a": sp.pack(values, format="dcsr")})
    (tmp_path / "weights_blobs.h").write_text(source)
    (tmp_path / "weights.h").write_text(header)
    write_runtime(tmp_path / "spk", package="arduino", decoders=["dcsr"])
    code = re.search(r"```cpp\n(.*?)```", (tmp_path / "spk/README.md").read_text(), re.DOTALL)
    assert code
    (tmp_path / "main.cpp").write_text(MAIN % (code[1], zlib.crc32(values.tobytes())))
    sources = [str(path) for path in (tmp_path / "spk/src").glob("*.c")]
    run(tmp_path, "avr-gcc", *FLAGS, "-std=gnu11", "-c", *sources)
    objects = [path.name for path in tmp_path.glob("*.o")]
    command = ("avr-g++", *FLAGS, "-std=gnu++11", "-Ispk/src", "main.cpp", *objects)
    run(tmp_path, *command, "-o", "main.elf")
    assert re.search(r" t .*blob_a", run(tmp_path, "avr-nm", "main.elf"))  # in .text: Flash
    avr.decodes(tmp_path / "main.elf")
