# SPDX-License-Identifier: Apache-2.0
"""CMake, and compilers without a build system: the folder as it lies in the repository."""

from stridepack.files.runtime.library import Files, Library, runtime_dir

_FILES = ("CMakeLists.txt", "stridepack.pc.in")


def arrange(library: Library) -> Files:
    """Add CMakeLists.txt, which also installs a package for find_package and pkg-config."""
    added = {name: (runtime_dir() / name).read_bytes() for name in _FILES}
    return library.files | added
