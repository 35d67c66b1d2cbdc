"""The formats, one file each. A new file in this folder registers itself: there is no list."""

import importlib
import pkgutil

from stridepack.formats.base import Format, formats, get_format, known_options, options_of

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Format", "formats", "get_format", "known_options", "options_of"]
