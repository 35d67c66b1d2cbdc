# SPDX-License-Identifier: Apache-2.0
"""The build systems that the runtime is written for, by the name that `--for` takes."""

from collections.abc import Callable
from dataclasses import dataclass

from stridepack.files.runtime import (
    arduino,
    cmake,
    cmsis_pack,
    esp_idf,
    meson,
    platformio,
    rust,
    zephyr,
)
from stridepack.files.runtime.library import Files, Library
from stridepack.files.runtime.readme import without_reader


@dataclass(frozen=True)
class Package:
    """A build system.

    Attributes
    ----------
    arrange : function of a Library to Files
        The library as the build system wants it, with the files that it wants to have beside.
    next_step : str
        A sentence: what the user does with the directory.
    guide : str, optional
        A section of README.md in place of those on compilers and CMake, as `with_example` takes
        it. Default: these.
    calls_all : bool
        Whether it has code that calls every part of the library, so that only decoders can be left
        out.
    """

    arrange: Callable[[Library], Files]
    next_step: str
    guide: str | None = None
    calls_all: bool = False

    def files(self, library: Library) -> Files:
        """The library as the build system wants it, with a README.md that is about it."""
        files = self.arrange(library)
        if self.guide is None:
            return files
        text = files["README.md"].decode()
        begin, end = text.index("## Compile it without"), text.index("## Other build systems")
        guide = library.with_example(self.guide)
        if "reader" not in library.parts:
            guide = without_reader(guide)
        return files | {"README.md": f"{text[:begin]}{guide}\n{text[end:]}".encode()}


PACKAGES = {
    "cmake": Package(cmake.arrange, "README.md says how to compile them."),
    "meson": Package(meson.arrange, meson.NEXT_STEP, meson.GUIDE),
    "zephyr": Package(zephyr.arrange, zephyr.NEXT_STEP, zephyr.GUIDE),
    "esp-idf": Package(esp_idf.arrange, esp_idf.NEXT_STEP, esp_idf.GUIDE),
    "arduino": Package(arduino.arrange, arduino.NEXT_STEP, arduino.GUIDE),
    "platformio": Package(platformio.arrange, platformio.NEXT_STEP, platformio.GUIDE),
    "cmsis-pack": Package(cmsis_pack.arrange, cmsis_pack.NEXT_STEP, cmsis_pack.GUIDE),
    "rust": Package(rust.arrange, rust.NEXT_STEP, calls_all=True),
}

DEFAULT = "cmake"
