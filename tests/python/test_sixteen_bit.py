# SPDX-License-Identifier: Apache-2.0
"""The runtime where int and size_t have 16 bits: on two emulated AVR."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import avr
import numpy as np
import pytest
from arrays import random_array
from avr_files import DESTINATION, SOURCE, File, Runtime, build_runtime, images

import stridepack as sp
from stridepack.files.c_source import hex_lines
from stridepack.files.spk import build_bundle, parse_bundle
from stridepack.transforms import Transforms
from stridepack.transforms.apply import Live, Prediction
from tests.vectors.image import read_vectors
from tests.vectors.layout import varint


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """For a chip with 16 KiB of RAM."""
    return build_runtime(tmp_path_factory.mktemp("avr5"), "atmega1284p")


@pytest.fixture(scope="module")
def large_runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """For a chip with 256 KiB of Flash, and 8 KiB of RAM."""
    return build_runtime(tmp_path_factory.mktemp("avr6"), "atmega2560")


def file_of(name: str, values: np.ndarray, packed: sp.Packed) -> File:
    assert packed.tile_size <= DESTINATION
    return File(name, packed.to_bytes(), values.tobytes())


# Formats and transforms ---------------------------------------------------------------------------


def equidistant() -> np.ndarray:
    """Groups, and elements beside them, with values of both signs."""
    values = random_array(1200, 0.9).copy()
    values[30:400:9] = np.arange(42) - 20
    return values


def transforms() -> Iterator[tuple[str, int, Transforms]]:
    """By name, with the number of elements."""
    rng = np.random.default_rng(11)

    def bits(n: int) -> np.ndarray:
        return rng.random(n) < 0.6

    yield "rows", 640, Transforms(Live(16, bits(40)))
    yield "columns", 600, Transforms(Live(columns=bits(24)))
    yield "two classes of elements", 500, Transforms(Live(unit=1, classes=bits(100)))
    yield "two classes of units", 600, Transforms(Live(unit=20, classes=bits(7)))
    for kind in range(5):
        yield f"prediction {kind}", 300, Transforms(None, Prediction(kind, 5, 9))
    live = Live(30, bits(20), bits(10), 3, bits(37))
    yield "all of them", 600, Transforms(live, Prediction(3, 20, 7))


@pytest.mark.parametrize("fmt", sp.formats())
def test_every_format(runtime: Runtime, fmt: str) -> None:
    files = [
        file_of(name, values, sp.pack(values, format=fmt, transforms=False))
        for name, values in (("equidistant", equidistant()), ("random", random_array(700, 0.5)))
    ]
    for name, n, made in transforms():
        values = random_array(n, 0.5)
        if made.live is not None:
            values[~made.live.mask(0, n)] = 0
        for tile in (None, 77):
            packed = sp.Packed.encode(values, fmt, tile, transforms=made)
            files.append(file_of(f"{name}, {packed.n_tiles} tiles", values, packed))
    runtime.check(files)


def test_vectors(runtime: Runtime) -> None:
    """All vectors of blobs, and the valid ones of bundles, that the RAM has room for."""
    for some in images(vectors()):
        runtime.check(some)


def vectors() -> Iterator[File]:
    for name, data, raw, expected in read_vectors():
        statuses = "".join("-" if status == 255 else chr(ord("a") + status) for status in expected)
        is_valid = expected == bytes(3)
        if name.endswith(".spk"):
            if is_valid:
                tensors = parse_bundle(data).values()
                values = b"".join(packed.unpack().tobytes() for packed in tensors)
                yield File(name, data, values, is_bundle=True)
        elif has_room(data):
            yield File(name, data, raw if is_valid else None, statuses)


def has_room(blob: bytes) -> bool:
    """Whether each tile can be decoded, as far as the header says."""
    try:
        return sp.Packed(blob).tile_size <= DESTINATION
    except sp.CorruptDataError:
        return True


# More than 16 bits --------------------------------------------------------------------------------


def few_values(n: int) -> np.ndarray:
    """Nearly all are 0."""
    rng = np.random.default_rng(n)
    values = np.zeros(n, np.int8)
    values[rng.choice(n, 300, replace=False)] = rng.integers(1, 128, 300)
    return values


@pytest.mark.parametrize("fmt", [name for name in sp.formats() if name != "dense"])
def test_many_elements(runtime: Runtime, fmt: str) -> None:
    """70,000 and 140,000: extents, rows and units of classes that are varints of three bytes."""
    values = few_values(70_000)
    packed = sp.pack(values, format=fmt, tile=4000, transforms=False)
    files = [file_of("tiles", values, packed)]
    half = np.concatenate([np.zeros(70_000, np.int8), values])
    live = Live(70_000, np.array([False, True]))
    for name, made in (
        ("rows", Transforms(live)),
        ("units", Transforms(Live(unit=70_000, classes=np.array([True, False])))),
    ):
        packed = sp.Packed.encode(half, fmt, 3999, transforms=made)
        files.append(file_of(name, half, packed))
    blob = sp.pack(values, format=fmt, transforms=False).to_bytes()
    if len(blob) <= SOURCE:
        files.append(File("one tile, which is validated only", blob, None, "aaj"))
    runtime.check(files)


def test_large_files(large_runtime: Runtime) -> None:
    """More than 64 KiB: tiles and tensors that begin after them."""
    values = random_array(70_000, 0)
    last = random_array(900, 0.7)
    tensors = {
        "first": sp.pack(values[:66_000], format="dense", tile=1000),
        "last": sp.pack(last, format="rle"),
    }
    files = [
        file_of("blob", values, sp.pack(values, format="dense", tile=1000)),
        File("bundle", build_bundle(tensors), last.tobytes(), is_bundle=True),
    ]
    assert min(len(file.data) for file in files) > 1 << 16
    # A smaller destination: memory has to fit into 8 KiB.
    large_runtime.check(files, "-DDESTINATION=1200", '-DFIND="last"')


VARINTS = (
    avr.BEGIN
    + """
#include "spk_internal.h"
static const uint8_t bytes[] = {
%s
};
static uint32_t values[%d];
int main(void) {
  const uint8_t *p = bytes;
  for (uint32_t i = 0; p && i < sizeof values / 4; i++)
    p = spk_read_varint(p, bytes + sizeof bytes, &values[i]);
  const spk_status status = p == bytes + sizeof bytes ? SPK_OK : SPK_ERROR_HEADER;
  const uint32_t crc = spk_crc32(0, (const uint8_t *)values, sizeof values);
"""
    + avr.END
)


def test_varints(runtime: Runtime, tmp_path: Path) -> None:
    """Around each power of 2 up to 2^32."""
    values = [(1 << bit) + more for bit in range(32) for more in (-1, 0, 1)] + [(1 << 32) - 1]
    crc = zlib.crc32(struct.pack(f"<{len(values)}I", *values))
    text = VARINTS % (hex_lines(b"".join(map(varint, values))), len(values), crc)
    (tmp_path / "main.c").write_text(text)
    program = tmp_path / "main.elf"
    runtime.compile(str(tmp_path / "main.c"), "libspk.a", "-o", str(program))
    avr.decodes(program, runtime.chip)


# Warnings -----------------------------------------------------------------------------------------


def test_conversions(runtime: Runtime) -> None:
    """Only to sizes numbers are cut: to those of what lies in RAM."""
    options = ("-fsyntax-only", "-Wconversion", "-Wno-sign-conversion", "-Wno-error")
    said = runtime.compile(*options, *runtime.sources)
    warnings = [line for line in said.splitlines() if "warning:" in line]
    assert [line for line in warnings if "size_t" not in line] == []
