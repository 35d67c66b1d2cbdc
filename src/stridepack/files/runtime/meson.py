# SPDX-License-Identifier: Apache-2.0
"""Meson: a subproject with a dependency object, which also installs a pkg-config file."""

from stridepack.files.runtime.library import SUMMARY, Files, Library

NEXT_STEP = (
    "Put the directory into `subprojects/` of your project, and take "
    "`dependency('stridepack', fallback: ['stridepack', 'stridepack_dep'])`."
)

GUIDE = """\
## Compile it with Meson

Put this directory into `subprojects/` of your project:

```meson
spk = dependency('stridepack', fallback: ['stridepack', 'stridepack_dep'])
executable('firmware', 'main.c', 'weights.c', dependencies: spk)
```

`-Dstridepack:@format@=false` leaves a decoder out.
"""

_BUILD = """\
# SPDX-License-Identifier: Apache-2.0
project(
  'stridepack',
  'c',
  version: '{version}',
  license: 'Apache-2.0',
  meson_version: '>=1.1',
  default_options: ['c_std=c99'],
)

left_out = []
foreach name : [{options}]
  if not get_option(name)
    left_out += '-DSPK_WITHOUT_' + name.to_upper()
  endif
endforeach
c_args = left_out
c_args += '-DSPK_CRC32_TABLE=' + get_option('crc32_table')
if get_option('crc32') != ''
  c_args += '-DSPK_CRC32=' + get_option('crc32')
endif

stridepack_lib = static_library(
  'stridepack',
  files(
{sources}
  ),
  c_args: c_args,
  include_directories: include_directories('include'),
  install: true,
)
stridepack_dep = declare_dependency(
  compile_args: left_out,
  include_directories: include_directories('include'),
  link_with: stridepack_lib,
)
meson.override_dependency('stridepack', stridepack_dep)

install_headers({headers})
import('pkgconfig').generate(
  stridepack_lib,
  description: '{summary}',
  extra_cflags: left_out,
)
"""

_OPTION = """\
option('{option}', type: 'boolean', value: true, description: '{says}')
"""
_CRC32 = """\
option(
  'crc32_table',
  type: 'combo',
  choices: ['0', '16', '256'],
  value: '16',
  description: 'Entries of the table of the CRC-32',
)
option(
  'crc32',
  type: 'string',
  value: '',
  description: 'A function of yours that takes the CRC-32 instead; spk.h says of what type',
)
"""


def arrange(library: Library) -> Files:
    """Add meson.build, and an option for each format and part in meson.options."""
    build = _BUILD.format(
        version=library.version,
        summary=SUMMARY,
        options=library.for_each_option("'{option}', ").removesuffix(", "),
        sources="\n".join(f"    '{path}'," for path in library.sources),
        headers=", ".join(f"'{path}'" for path in library.headers),
    )
    options = library.for_each_option(_OPTION) + _CRC32
    return library.files | {"meson.build": build.encode(), "meson.options": options.encode()}
