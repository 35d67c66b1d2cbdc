# SPDX-License-Identifier: Apache-2.0
"""The decoders for RISC-V vectors: what the reference says, whatever the length of a vector."""

import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array, special_arrays

import stridepack as sp
from stridepack import reference
from stridepack.files.runtime.library import runtime_dir
from stridepack.packed import Packed
from stridepack.transforms.apply import Live, Prediction, Transforms

# A file of blobs, each after its size; what they decode to, one after the other, to another file. A
# blob ends where memory ends, because a vector that is too long would not change what is decoded.
MAIN = """
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "spk.h"
enum { PAGE = 65536 };
static unsigned char *wall;
static unsigned char *before_the_wall(uint32_t size) {
  const size_t room = 64 * PAGE;
  if (!wall) {
    const int may = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS;
    unsigned char *all = mmap(NULL, room + PAGE, may, kind, -1, 0);
    if (all == MAP_FAILED || mprotect(all + room, PAGE, PROT_NONE) != 0) return NULL;
    wall = all + room;
  }
  return size > room ? NULL : wall - size;
}
int main(int argc, char **argv) {
  uint32_t size;
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  if (argc != 3 || !in || !out) return 2;
  while (fread(&size, sizeof size, 1, in) == 1) {
    unsigned char *blob = before_the_wall(size);
    if (!blob || fread(blob, 1, size, in) != size) return 3;
    spk_view view;
    spk_status status = spk_open(&view, blob, size);
    if (status == SPK_OK) status = spk_validate(&view);
    signed char *dst = malloc(view.n_elements + 1u);
    dst[view.n_elements] = 0x5A;
    if (status == SPK_OK) status = spk_decode_s8(&view, dst, view.n_elements);
    if (status != SPK_OK || dst[view.n_elements] != 0x5A) return 4;
    fwrite(dst, 1, view.n_elements, out);
    free(dst);
  }
  return fclose(out);
}
"""
TOOLS = {
    "clang-19": "clang-19",
    "ld.lld-19": "lld-19",
    "llvm-objdump-19": "llvm-19",
    "riscv64-linux-gnu-gcc": "gcc-riscv64-linux-gnu libc6-dev-riscv64-cross",
    "qemu-riscv64": "qemu-user",
}


CLANG = ("clang-19", "--target=riscv64-linux-gnu", "-march=rv64gcv", "-fuse-ld=lld-19")
GCC = ("riscv64-linux-gnu-gcc", "-march=rv64gcv", "-mabi=lp64d")
OLDEST_GCC = 14  # the first with the intrinsics of version 0.12. It needs SPK_KEEP in spk_rvv.h


@pytest.fixture(scope="module", params=[CLANG, GCC], ids=["clang", "gcc"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime with its vector decoders, and MAIN."""
    for tool, packages in TOOLS.items():
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: apt-get install {packages}")
    folder = tmp_path_factory.mktemp("riscv")
    (folder / "main.c").write_text(MAIN)
    compiler = request.param
    if compiler == GCC:
        command = [GCC[0], "-dumpfullversion"]
        version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if int(re.findall(r"\d+", version)[0]) < OLDEST_GCC:
            pytest.skip(f"{GCC[0]} is {version.strip()}, and the intrinsics need {OLDEST_GCC}")
    sources = [*runtime_dir().glob("src/*.c"), *runtime_dir().glob("src/rvv/*.c"), "main.c"]
    command = (*compiler, "-static", "-O2", f"-I{runtime_dir()}/include", *sources, "-o", "decode")
    subprocess.run(command, cwd=folder, check=True)
    return folder / "decode"


def arrays() -> Iterator[np.ndarray]:
    """Every length around those of vectors, and more."""
    lengths = (*range(1, 40), 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513, 1000, 2077, 5003)
    for n in lengths:
        yield random_array(n, 0.5, seed=1)
    for sparsity in (0.0, 0.2, 0.8, 0.95, 1.0):
        yield random_array(3001, sparsity, seed=1)
    for name, values in special_arrays():
        if values.size < 6000 or name == "dead channels":
            yield values
    for bits in range(1, 7):
        yield (random_array(2500, 0.4, seed=bits) >> (8 - bits)).astype(np.int8)
    rng = np.random.default_rng(9)
    for scale in (0.7, 3, 12, 40):
        yield np.clip(np.round(rng.normal(0, scale, 4099)), -128, 127).astype(np.int8)
    for size, stride in ((4, 3), (12, 5), (16, 16), (8, 2)):
        values = random_array(4000, 0.97, seed=size)
        for start in range(7, 3700, 241):
            values[start : start + size * stride : stride] = size + stride
        yield values


def transformed() -> Iterator[Packed]:
    """Every kind of prediction from near and far, and every kind of bitmap."""
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 20, (24, 90)).round().astype(np.int8)
    for kind in range(5):
        for distance, second in ((1, 2), (3, 4), (4, 5), (15, 17), (16, 90), (90, 64), (33, 270)):
            transforms = Transforms(None, Prediction(kind, distance, second))
            yield Packed.encode(weights, "dense", transforms=transforms)
            yield Packed.encode(weights, "bitmap", transforms=transforms)
    rows, columns = rng.random(24) < 0.6, rng.random(90) < 0.5
    yield Packed.encode(weights * rows[:, None], "rans", transforms=Transforms(Live(90, rows)))
    live = Live(columns=columns)
    yield Packed.encode(weights * columns, "huffman", transforms=Transforms(live))
    live = Live(90, rows, columns)
    values = weights * rows[:, None] * columns
    yield Packed.encode(values, "bitmap", transforms=Transforms(live), tile=500)
    live = Live(unit=1, classes=columns)
    yield Packed.encode(weights, "dense", transforms=Transforms(live))


@pytest.fixture(scope="module")
def blobs() -> list[bytes]:
    """All blobs, of every format."""
    packed = [sp.pack(values, format) for values in arrays() for format in sp.formats()]
    packed += [
        sp.pack(random_array(3000, 0.6, seed=5), format, tile=tile)
        for format in sp.formats()
        for tile in (1, 16, 255, 1000)
    ]
    return [one.to_bytes() for one in (*packed, *transformed())]


@pytest.fixture(scope="module")
def expected(blobs: list[bytes]) -> bytes:
    return b"".join(reference.decode(blob).tobytes() for blob in blobs)


@pytest.mark.parametrize("bits", [128, 256, 512])
def test_decodes_as_the_reference(
    program: Path, blobs: list[bytes], expected: bytes, tmp_path: Path, bits: int
) -> None:
    (tmp_path / "blobs").write_bytes(b"".join(struct.pack("<I", len(b)) + b for b in blobs))
    # What an instruction need not keep becomes ones.
    core = f"rv64,v=on,vext_spec=v1.0,rvv_ta_all_1s=on,rvv_ma_all_1s=on,vlen={bits}"
    command = ("qemu-riscv64", "-cpu", core, program, tmp_path / "blobs", tmp_path / "out")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out").read_bytes() == expected


def test_it_has_vectors(program: Path) -> None:
    """Each kind of store of a vector that the decoders are about."""
    command = ("llvm-objdump-19", "-d", "--mattr=+v", program)
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for instruction in ("vsuxei8.v", "vsuxei16.v", "vsse8.v", "viota.m", "vaadd.v"):
        assert instruction in listing
