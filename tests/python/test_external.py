# SPDX-License-Identifier: Apache-2.0
"""What the package says of blobs in external memory, beside the C library: windows and margins."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call

import stridepack as sp
from stridepack.files.runtime import write_runtime
from stridepack.files.runtime.library import runtime_dir

__all__ = ["call"]

MAIN = r"""
#include <stdio.h>
#include <stdlib.h>
#include "spk_reader.h"

static int read_file(void *context, uint32_t offset, void *dst, uint32_t n) {
  FILE *file = (FILE *)context;
  return fseek(file, (long)offset, SEEK_SET) != 0 || fread(dst, 1, n, file) != n;
}

static uint8_t data[1 << 19];

/* main FILE WINDOW: for each tensor its elements, the window and the margin that it needs. */
int main(int argc, char **argv) {
  FILE *file = fopen(argv[argc - 2], "rb");
  const size_t size = fread(data, 1, sizeof data, file), n_window = (size_t)atol(argv[argc - 1]);
  spk_bundle bundle;
  spk_reader reader;
  void *window = malloc(n_window);
  int8_t *dst = (int8_t *)malloc(1 << 17);
  spk_status status = spk_reader_init(&reader, read_file, file, (uint32_t)size, window, n_window);
  if (status == SPK_OK) status = spk_reader_open_bundle(&reader);
  if (status == SPK_OK) status = spk_reader_validate_bundle(&reader);
  if (status == SPK_OK) status = spk_bundle_open(&bundle, data, size);
  for (uint32_t i = 0; i < reader.n_tensors && status == SPK_OK; i++) {
    spk_view view;
    uint32_t needed = 0;
    size_t margin = 0;
    status = spk_reader_get(&reader, i);
    if (status == SPK_OK) status = spk_reader_window(&reader, &needed);
    if (status == SPK_OK) status = spk_reader_decode_s8(&reader, dst, 1 << 17);
    if (status == SPK_OK) status = spk_bundle_get(&bundle, i, NULL, &view);
    if (status == SPK_OK) status = spk_in_place_margin(&view, &margin);
    printf("%lu %lu ", (unsigned long)view.n_elements, (unsigned long)needed);
    printf("%lu\n", (unsigned long)margin);
  }
  printf("%s\n", spk_status_name(status));
  return 0;
}
"""

ARRAYS = {
    "conv": random_array(20_000, 0.6),
    "short": random_array(7, 0.1),
    "dead": np.where(np.arange(96)[:, None] % 3 == 0, 0, random_array(9600, 0.5).reshape(96, 100)),
}


def test_the_least_window_is_that_of_the_header() -> None:
    header = (runtime_dir() / "include/spk_reader.h").read_text()
    least = re.search(r"define SPK_READER_MIN_WINDOW (\d+)u", header)
    assert least is not None
    assert sp.pack(ARRAYS["short"], "dense").reader_window == int(least[1])


def test_a_program_needs_what_python_says(tmp_path: Path) -> None:
    if not shutil.which("cc"):
        pytest.fail("cc is needed for this test")
    packed = {
        f"{name} {format} {tile}": sp.pack(values.astype(np.int8), format, tile=tile)
        for name, values in ARRAYS.items()
        for format in ("dense", "rle", "bitmap", "huffman")
        for tile in (None, 500)
    }
    sp.write_bundle(tmp_path / "w.spk", packed)
    (tmp_path / "main.c").write_text(MAIN)
    write_runtime(tmp_path / "runtime")
    sources = sorted((tmp_path / "runtime/src").glob("*.c"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
    command = ["cc", *flags, "-Iruntime/include", "main.c", *sources, "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)

    def said(window: int) -> list[str]:
        command = ["./main", "w.spk", str(window)]
        return subprocess.check_output(command, cwd=tmp_path, text=True).splitlines()

    window = max(one.reader_window for one in packed.values())
    assert said(window)[:-1] == [
        f"{p.n_elements} {p.reader_window} {p.in_place_margin}" for p in packed.values()
    ]
    assert said(window)[-1] == "ok"
    assert said(window - 1) == ["window"]


def test_pack_says_how_large_the_window_is(tmp_path: Path, call: Call) -> None:
    np.savez(tmp_path / "model.npz", conv=ARRAYS["conv"])
    arguments = ("pack", tmp_path / "model.npz", "-o", tmp_path / "w.spk", "--format", "rle")
    sentence = (
        r"Firmware that reads this file through `spk_reader` needs a window of ([\d,]+) bytes\."
    )
    assert not re.search(sentence, call(*arguments)[1])
    found = re.search(sentence, call(*arguments, "--tile", 1000)[1])
    assert found is not None
    (packed,) = sp.read_bundle(tmp_path / "w.spk").values()
    assert int(found[1].replace(",", "")) == packed.reader_window
    assert not re.search(sentence, call(*arguments[:3], tmp_path / "w.c", "--tile", 1000)[1])
