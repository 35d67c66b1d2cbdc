# SPDX-License-Identifier: Apache-2.0
"""PlatformIO: a library with a library.json."""

import json

from stridepack.files.runtime.library import SUMMARY, Files, Library

NEXT_STEP = "Put the directory into `lib/` of your project. PlatformIO then finds it."

GUIDE = """\
## Compile it with PlatformIO

Put this directory into `lib/` of your project. A flag in `platformio.ini` leaves a decoder out:

```ini
build_flags = -DSPK_WITHOUT_@FORMAT@
```
"""


def arrange(library: Library) -> Files:
    """Add library.json."""
    manifest = {
        "$schema": "https://raw.githubusercontent.com/platformio/platformio-core/develop/"
        "platformio/assets/schema/library.json",
        "name": "stridepack",
        "version": library.version,
        "description": SUMMARY,
        "keywords": ["tinyml", "compression", "weights", "flash"],
        "authors": [{"name": "The stridepack authors"}],
        "license": "Apache-2.0",
        "frameworks": "*",
        "platforms": "*",
        "headers": "spk.h",
        "build": {"includeDir": "include", "srcDir": "src"},
    }
    text = json.dumps(manifest, indent=2) + "\n"
    return library.files | {"library.json": text.encode()}
