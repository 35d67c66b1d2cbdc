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


@dataclass(frozen=True)
class Package:
    """A build system.

    Attributes
    ----------
    arrange : function of a Library to Files
        The library as the build system wants it, with the files that it wants to have beside.
    next_step : str
        A sentence: what the user does with the directory.
    """

    arrange: Callable[[Library], Files]
    next_step: str


PACKAGES = {
    "cmake": Package(cmake.arrange, "README.md says how to compile them."),
    "meson": Package(meson.arrange, meson.NEXT_STEP),
    "zephyr": Package(zephyr.arrange, zephyr.NEXT_STEP),
    "esp-idf": Package(esp_idf.arrange, esp_idf.NEXT_STEP),
    "arduino": Package(arduino.arrange, arduino.NEXT_STEP),
    "platformio": Package(platformio.arrange, platformio.NEXT_STEP),
    "cmsis-pack": Package(cmsis_pack.arrange, cmsis_pack.NEXT_STEP),
    "rust": Package(rust.arrange, rust.NEXT_STEP),
}

DEFAULT = "cmake"
