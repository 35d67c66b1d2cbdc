# SPDX-License-Identifier: Apache-2.0
"""ESP-IDF: a component, with an option in menuconfig for each format and part."""

from textwrap import indent

from stridepack.files.runtime.library import CRC32_OPTIONS, SUMMARY, Files, Library

NEXT_STEP = (
    "Put the directory into `components/` of your project, and add `stridepack` to the REQUIRES "
    "of the component that uses it."
)

GUIDE = """\
## Compile it with ESP-IDF

Put this directory into `components/` of your project, and name it in the `CMakeLists.txt` of the
component that uses it:

```cmake
idf_component_register(SRCS main.c weights.c REQUIRES stridepack)
```

`idf.py menuconfig` has an option for each decoder. The main task has 3,584 bytes of stack by
default: `huffman` needs 6,400 (`CONFIG_ESP_MAIN_TASK_STACK_SIZE`). `include/spk.h` has the figures
of the other formats.
"""

_MANIFEST = """\
# SPDX-License-Identifier: Apache-2.0
version: "{version}"
description: "{summary}"
license: "Apache-2.0"
dependencies:
  idf: ">=4.4"
"""

_CMAKE = """\
# SPDX-License-Identifier: Apache-2.0
idf_component_register(
  SRCS
%(sources)s
  INCLUDE_DIRS include
)
%(options)s"""

_WITHOUT = """\
if(NOT CONFIG_STRIDEPACK_{name})
  target_compile_definitions(${{COMPONENT_LIB}} PUBLIC SPK_WITHOUT_{name})
endif()
"""

_CRC32 = """\
if(DEFINED CONFIG_STRIDEPACK_CRC32_TABLE)
  set(table ${CONFIG_STRIDEPACK_CRC32_TABLE})
  target_compile_definitions(${COMPONENT_LIB} PRIVATE SPK_CRC32_TABLE=${table})
endif()
if(CONFIG_STRIDEPACK_CRC32)
  target_compile_definitions(${COMPONENT_LIB} PRIVATE SPK_CRC32=${CONFIG_STRIDEPACK_CRC32})
endif()
"""

_KCONFIG = """\
# SPDX-License-Identifier: Apache-2.0
menu "stridepack"

{options}endmenu
"""

_OPTION = """\
    config STRIDEPACK_{name}
        bool "{says}"
        default y

"""


def arrange(library: Library) -> Files:
    """Add CMakeLists.txt, Kconfig and idf_component.yml."""
    cmake = _CMAKE % {
        "sources": "\n".join(f"    {path}" for path in library.sources),
        "options": library.for_each_option(_WITHOUT) + _CRC32,
    }
    options = library.for_each_option(_OPTION) + indent(CRC32_OPTIONS, " " * 4)
    manifest = _MANIFEST.format(version=library.version, summary=SUMMARY)
    return library.files | {
        "CMakeLists.txt": cmake.encode(),
        "Kconfig": _KCONFIG.format(options=options).encode(),
        "idf_component.yml": manifest.encode(),
    }
