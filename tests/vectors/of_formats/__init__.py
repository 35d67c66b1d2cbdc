# SPDX-License-Identifier: Apache-2.0
"""What is particular to each format, one file each. A new file in this folder is found by its name.

Each has

``EXAMPLE`` : dict of str to bytes
    The streams of the worked example of docs/format.md, written by hand.
``broken(change)``
    Name, why, and tile of vectors that break one rule. ``change(stream=content)`` gives the example
    with other streams. All have 40 elements, like the example, unless a number follows.
``unusual()``, optional
    Name, tile, and what it decodes to, for valid tiles that no encoder writes.
``DECODES``, optional
    Names of broken vectors that only validation refuses.
"""

import importlib
import pkgutil
from types import ModuleType


def modules() -> dict[str, ModuleType]:
    """The module of each format that has one, by name of the format."""
    return {
        module.name: importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    }
