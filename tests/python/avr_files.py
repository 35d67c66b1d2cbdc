# SPDX-License-Identifier: Apache-2.0
"""The runtime on AVR: what ../avr/use_files.c says of blobs and bundles, and what it should say."""

import re
import struct
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import avr
import programs
import pytest

from stridepack.files.runtime.library import read_library

PROGRAM = Path(__file__).resolve().parents[1] / "avr/use_files.c"
# What an ATmega1284P has, beside its 16 KiB of RAM: 128 KiB of Flash, of which this is for files.
IMAGE = 56 << 10
# Of use_files.c: for files, and for elements
SOURCE = 2500
DESTINATION = 4000

_REPORT = re.compile(r"(\d+)([rmp])([a-o-]{3})([0-9a-f]+)(!?)")
_WAYS = {"r": "read", "m": "in memory", "p": "in place"}


@dataclass(frozen=True)
class File:
    """A blob or a bundle, and what is expected of it.

    Attributes
    ----------
    values : bytes or None
        What it decodes to; None where that is not known, or nothing is decoded.
    statuses : str
        Of open, validate and decode: a is SPK_OK, and - says that a call is not reached.
    """

    name: str
    data: bytes
    values: bytes | None
    statuses: str = "aaa"
    is_bundle: bool = False

    @property
    def ways(self) -> str:
        """The ways in which it is used."""
        if len(self.data) > SOURCE:
            return "r"
        is_large = self.values is not None and len(self.values) > DESTINATION
        return "rm" if self.is_bundle or is_large else "rmp"


@dataclass(frozen=True)
class Runtime:
    """The runtime for a chip: its sources, and libspk.a."""

    folder: Path
    chip: str
    sources: tuple[str, ...]

    def compile(self, *arguments: str) -> str:
        """Returns the warnings."""
        options = (f"-mmcu={self.chip}", "-std=gnu99", "-Os", "-Wall", "-Wextra", "-Werror")
        command = ("avr-gcc", *options, "-Iinclude", "-Isrc", *arguments)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def check(self, files: Sequence[File], *options: str) -> None:
        """What comes of the files must be what is expected; each that is wrong is named."""
        said = self._use(files, options)
        wrong = [
            f"{file.name}, {_WAYS[way]}: {what}"
            for i, file in enumerate(files)
            for way in file.ways
            if (what := _difference(file, said.get((i, way))))
        ]
        if wrong:
            pytest.fail("\n".join(wrong))

    def _use(
        self, files: Sequence[File], options: Iterable[str]
    ) -> dict[tuple[int, str], tuple[str, int, bool]]:
        """By file and way: statuses, CRC-32, and whether bytes around the destination changed."""
        image = self.folder / "files.img"
        heads = (struct.pack("<IB", len(file.data), file.is_bundle) for file in files)
        parts = (head + file.data for head, file in zip(heads, files, strict=True))
        image.write_bytes(b"".join(parts) + b"\xff" * 5)
        self.compile(*options, f'-DIMAGE="{image}"', str(PROGRAM), "libspk.a", "-o", "main.elf")
        text = avr.said(self.folder / "main.elf", self.chip)
        return {
            (int(i), way): (statuses, int(crc, 16), bool(outside))
            for i, way, statuses, crc, outside in _REPORT.findall(text)
        }


def build_runtime(folder: Path, chip: str) -> Runtime:
    """Compile the runtime in a folder."""
    avr.need("avr-gcc", "avr-ar", "simavr")
    library = read_library()
    for path, content in library.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    sources = tuple(path for path in library.sources if path.count("/") == 1)
    runtime = Runtime(folder, chip, sources)
    runtime.compile("-c", *sources)
    objects = sorted(path.name for path in folder.glob("*.o"))
    programs.run(folder, "avr-ar", "rcs", "libspk.a", *objects)
    return runtime


def images(files: Iterable[File]) -> Iterator[list[File]]:
    """The files, in order, as many at once as there is room for."""
    some: list[File] = []
    for file in files:
        if sum(len(other.data) + 5 for other in (*some, file)) > IMAGE:
            yield some
            some = []
        some.append(file)
    yield some


def _difference(file: File, said: tuple[str, int, bool] | None) -> str:
    """What is wrong, or nothing."""
    if said is None:
        return "the program did not get so far"
    statuses, crc, outside = said
    wrong = []
    if statuses != file.statuses:
        wrong.append(f"the statuses are {statuses} instead of {file.statuses}")
    if file.values is not None and crc != zlib.crc32(file.values):
        wrong.append("the values are wrong")
    if outside:
        wrong.append("bytes around the destination changed")
    return ", ".join(wrong)
