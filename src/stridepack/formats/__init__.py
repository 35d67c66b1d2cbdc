# SPDX-License-Identifier: Apache-2.0
"""The formats, one file each: the options that a format has, and the streams of its tiles.

A new file in this folder registers itself: there is no list. The encoders are in core/, the
decoders in runtime/, the readable truth is in `stridepack.reference`, and what decoding costs is in
`stridepack.cost`.
"""

import importlib
import pkgutil

from stridepack.formats.base import (
    Format,
    Option,
    all_options,
    check_options,
    formats,
    get_format,
    options_of,
)

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Format",
    "Option",
    "all_options",
    "check_options",
    "formats",
    "get_format",
    "options_of",
]
