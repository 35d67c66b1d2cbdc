# SPDX-License-Identifier: Apache-2.0
"""What the C runtime consists of: its files, and which of them a set of formats needs."""

import posixpath
import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from stridepack import _spec
from stridepack.files.runtime import readme

Files = dict[str, bytes]
"""Content by path, relative to the folder of the library, with "/" between the parts."""

SUMMARY = "Unpack neural-network weights that stridepack has packed into Flash"

CRC32_OPTIONS = """\
config STRIDEPACK_CRC32_TABLE
    int "Entries of the table of the CRC-32: 0, 16 or 256"
    default 16

config STRIDEPACK_CRC32
    string "A function of yours that takes the CRC-32 instead"
    default ""
    help
      spk.h says of what type it is.

"""
"""Options in Kconfig for the checksum."""

# Installed beside the package; in an editable installation the repository's own folder.
_INSTALLED = Path(__file__).resolve().parents[2] / "_runtime"
_REPOSITORY = Path(__file__).resolve().parents[4] / "runtime"
_SPEC = "include/spk_spec.h"
README = "README.md"
_VECTORS = ("mve", "rvv")  # folders of src/, and how the names of their files end
PARTS = {
    "transforms": "Undo the transforms that some blobs have",
    "tflm_prune": "Expand tensors of TensorFlow Lite Micro",
    "reader": "Read from a memory without addresses",
    "in_place": "Decode a tensor to where its blob lies",
}
"""Parts of the library that can be left out beside formats, and what each of them does."""

NOT_IN_TFLM = ("tflm_prune", "reader", "in_place")
"""The parts that the operator in TensorFlow Lite Micro never calls."""

# The files that only one part needs: spk_<name>.c, spk_<name>_mve.c, ... spk_tflm_prune_s8.c is
# none of them, because other decoders expand bitmaps with it.
_PART_OF = {
    "live": "transforms",
    "classes": "transforms",
    "restore": "transforms",
    "fetch": "reader",
    "reader": "reader",
    "reader_bundle": "reader",
    "stridepack_reader": "reader",
    "in_place": "in_place",
}
_INCLUDE = re.compile(rb'^#include "([^"]+)"', re.MULTILINE)


def runtime_dir() -> Path:
    """Folder with include/, src/ and tflm/ of the C runtime, its licence and its build file."""
    return _INSTALLED if _INSTALLED.is_dir() else _REPOSITORY


@dataclass(frozen=True)
class Library:
    """The runtime, whole or with the decoders of some formats only.

    Attributes
    ----------
    files : dict of str to bytes
        Sources and headers in include/ and src/ (tflm/ too where asked for), README.md and LICENSE.
    formats : tuple of str
        The formats that it decodes.
    parts : tuple of str
        Those of `PARTS` that it has.
    """

    files: Files
    formats: tuple[str, ...]
    parts: tuple[str, ...] = tuple(PARTS)

    @property
    def version(self) -> str:
        """Version of the library, such as "0.1.0"."""
        return version("stridepack")

    @property
    def sources(self) -> list[str]:
        """The C files, in order."""
        return [path for path in self.files if path.endswith(".c")]

    @property
    def headers(self) -> list[str]:
        """The public headers, in order."""
        return [path for path in self.files if path.startswith("include/")]

    def for_each_option(self, template: str) -> str:
        """A text with {option}, {name} in capitals and {says}, for each thing to leave out."""
        formats = {name: f"Decode the format {name}" for name in self.formats}
        options = formats | {name: PARTS[name] for name in self.parts}
        return "".join(
            template.format(option=name, name=name.upper(), says=says)
            for name, says in options.items()
        )

    def with_example(self, text: str) -> str:
        """A text with @format@ and @FORMAT@, of which one of the formats takes the place."""
        name = self.formats[-1] if self.formats else "huffman"
        return text.replace("@format@", name).replace("@FORMAT@", name.upper())

    def for_each_format(self, template: str) -> str:
        """A text with {format}, as it is, and {name}, in capitals, once for each format."""
        return "".join(template.format(format=name, name=name.upper()) for name in self.formats)


def read_library(
    decoders: Collection[str] | None = None,
    *,
    uncalled: Collection[str] = (),
    tflm: bool = False,
) -> Library:
    """The runtime as it lies beside this package.

    Parameters
    ----------
    decoders : collection of str, optional
        What to decode: formats, and "transforms". The files that only others need are left out, and
        spk_spec.h defines SPK_WITHOUT_<NAME> for each of the others. Default: all.
    uncalled : collection of str
        With `decoders`: other parts that are left out in the same way, by their names in `PARTS`.
    tflm : bool
        Also tflm/: the C++ that makes the decoder an operator of TensorFlow Lite Micro.
    """
    folder = runtime_dir()
    paths = [folder / "LICENSE", folder / README]
    for name in ("include", "src", *(("tflm",) if tflm else ())):
        found = sorted((folder / name).rglob("*"))
        paths += [path for path in found if path.suffix in (".c", ".h", ".hpp", ".cc")]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    if decoders is None:
        return Library(files, tuple(_spec.FORMATS))
    unused = {name for name in (*_spec.FORMATS, "transforms") if name not in decoders}
    unused |= set(uncalled)
    if not tflm:
        unused.add("tflm_prune")
    needed = _reached(files, {path for path in files if _belongs_to(path) not in unused})
    files = {path: content for path, content in files.items() if path in needed}
    files[_SPEC] = _without(files[_SPEC], [it for it in (*_spec.FORMATS, *PARTS) if it in unused])
    formats = tuple(name for name in _spec.FORMATS if name not in unused)
    parts = tuple(name for name in PARTS if name not in unused)
    files[README] = readme.with_less(files[README].decode(), formats, parts).encode()
    return Library(files, formats, parts)


def _belongs_to(path: str) -> str | None:
    """The format or the part of a file, if any: spk_<format>.c, spk_<format>_mve.c, ..."""
    stem = posixpath.basename(path).partition(".")[0].removeprefix("spk_")
    for vectors in _VECTORS:
        stem = stem.removesuffix(f"_{vectors}")
    return stem if stem in _spec.FORMATS else _PART_OF.get(stem)


def _reached(files: Files, paths: set[str]) -> set[str]:
    """The paths, what they include, and the C files beside what they include."""
    waiting, reached = list(paths), set(paths)
    while waiting:
        path = waiting.pop()
        for match in _INCLUDE.finditer(files[path]):
            header = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1].decode()))
            stem = posixpath.basename(header).removesuffix(".h")
            beside = {header, f"src/{stem}.c", *(f"src/{v}/{stem}_{v}.c" for v in _VECTORS)}
            new = beside & files.keys() - reached
            reached |= new
            waiting += new
    return reached


def _without(spec: bytes, unused: Collection[str]) -> bytes:
    """spk_spec.h, with the macros that leave them out in front of where it asks for them."""
    if not unused:
        return spec
    macros = "".join(f"#define SPK_WITHOUT_{name.upper()}\n" for name in unused)
    said = "/* Left out, because `stridepack runtime --model` found no use for them. */\n"
    at = spec.index(b"/* SPK_IF_<NAME>")
    return spec[:at] + (said + macros + "\n").encode() + spec[at:]
