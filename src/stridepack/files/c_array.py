# SPDX-License-Identifier: Apache-2.0
"""A packed .tflite out as C++: the array that firmware with TensorFlow Lite Micro links."""

from pathlib import Path

from stridepack.errors import InputError
from stridepack.files.c_names import GENERATED, why_no_name
from stridepack.files.c_source import hex_lines, identifier
from stridepack.files.job import Chosen


def write_c_array(output: Path, chosen: Chosen) -> dict[Path, bytes]:
    """The contents of a .cc or .cpp file and of the header beside it."""
    header = output.with_suffix(".h")
    name = array_name(output, chosen.array)
    declaration, definition = c_array(name, chosen.model, header.name)
    return {output: definition.encode(), header: declaration.encode()}


def array_name(output: Path, asked: str | None) -> str:
    """The name of the array: what was asked for, or g_ and the name of the file.

    >>> array_name(Path("src/model_data.cc"), None)
    'g_model_data'
    """
    if asked is None:
        return f"g_{identifier(output.stem)}"
    if why := why_no_name(asked):
        raise InputError(
            f"`array={asked}` is not a name for an array in C++. {why} Choose another name, such "
            "as g_model.",
            array=asked,
        )
    return asked


def c_array(name: str, model: bytes, header: str) -> tuple[str, str]:
    """Text of the header, and of the source that includes it, for an array of a name."""
    guard = f"{name.upper()}_H_"
    declaration = f"""\
// A .tflite model {GENERATED}
#ifndef {guard}
#define {guard}

constexpr unsigned int {name}_size = {len(model)};  // bytes
extern const unsigned char {name}[];  // at a multiple of 16 bytes

#endif
"""
    definition = f"""\
// A .tflite model {GENERATED}
#include "{header}"

alignas(16) const unsigned char {name}[{name}_size] = {{
{hex_lines(model)}
}};
"""
    return declaration, definition
