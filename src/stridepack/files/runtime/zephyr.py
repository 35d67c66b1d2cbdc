# SPDX-License-Identifier: Apache-2.0
"""Zephyr: a module for west, with an option in Kconfig for each format and part."""

from stridepack.files.runtime.library import CRC32_OPTIONS, SUMMARY, Files, Library

NEXT_STEP = (
    "Name the directory in `EXTRA_ZEPHYR_MODULES`, or list it in west.yml, and set "
    "`CONFIG_STRIDEPACK=y` in prj.conf."
)

GUIDE = """\
## Compile it with Zephyr

Name this directory in your application's `CMakeLists.txt`, before `find_package`, or list it in
west.yml:

```cmake
list(APPEND EXTRA_ZEPHYR_MODULES ${CMAKE_CURRENT_SOURCE_DIR}/modules/stridepack)
```

The variable is `ZEPHYR_EXTRA_MODULES` before Zephyr 3.4. Without a workspace of west, name all
modules in `ZEPHYR_MODULES` instead. Then set in `prj.conf`:

```
CONFIG_STRIDEPACK=y
CONFIG_MAIN_STACK_SIZE=10240
```

The stack is that for `huffman` with Helium; `include/spk.h` has the figures of the other formats.
`CONFIG_STRIDEPACK_@FORMAT@=n` leaves a decoder out. For the decoders that use Helium, set
`CONFIG_FPU=y` and `CONFIG_FP_HARDABI=y`.
"""

_MODULE = """\
# SPDX-License-Identifier: Apache-2.0
name: stridepack
build:
  cmake: zephyr
  kconfig: zephyr/Kconfig
"""

_CMAKE = """\
# SPDX-License-Identifier: Apache-2.0
if(CONFIG_STRIDEPACK)
  set(root ${ZEPHYR_CURRENT_MODULE_DIR})
  zephyr_library_named(stridepack)
  zephyr_include_directories(${root}/include)
  zephyr_library_sources(
%(sources)s
  )
%(options)sendif()
"""

_WITHOUT = """\
  if(NOT CONFIG_STRIDEPACK_{name})
    zephyr_compile_definitions(SPK_WITHOUT_{name})
  endif()
"""

_CRC32 = """\
  if(DEFINED CONFIG_STRIDEPACK_CRC32_TABLE)
    zephyr_library_compile_definitions(SPK_CRC32_TABLE=${CONFIG_STRIDEPACK_CRC32_TABLE})
  endif()
  if(CONFIG_STRIDEPACK_CRC32)
    zephyr_library_compile_definitions(SPK_CRC32=${CONFIG_STRIDEPACK_CRC32})
  endif()
"""

_KCONFIG = """\
# SPDX-License-Identifier: Apache-2.0
menuconfig STRIDEPACK
    bool "{summary}"
    help
      The C library of stridepack. It allocates nothing and keeps no state.

if STRIDEPACK

{options}
endif # STRIDEPACK
"""

_OPTION = """\
config STRIDEPACK_{name}
    bool "{says}"
    default y

"""


def arrange(library: Library) -> Files:
    """Add zephyr/module.yml, zephyr/CMakeLists.txt and zephyr/Kconfig."""
    cmake = _CMAKE % {
        "sources": "\n".join(f"    ${{root}}/{path}" for path in library.sources),
        "options": library.for_each_option(_WITHOUT) + _CRC32,
    }
    options = library.for_each_option(_OPTION) + CRC32_OPTIONS
    kconfig = _KCONFIG.format(summary=SUMMARY, options=options)
    return library.files | {
        "zephyr/module.yml": _MODULE.encode(),
        "zephyr/CMakeLists.txt": cmake.encode(),
        "zephyr/Kconfig": kconfig.encode(),
    }
