# SPDX-License-Identifier: Apache-2.0
"""The C runtime out: the sources that a firmware project compiles, as its build system takes them.

`library.py` says what the runtime consists of. Every build system has a file, which arranges the
library and adds what that system wants to know. `amalgamation.py` makes two files of it, and
`write.py` puts the result into a directory.
"""

from stridepack.files.runtime.amalgamation import NEXT_STEP as AMALGAMATED
from stridepack.files.runtime.model import Needs, read_needs
from stridepack.files.runtime.packages import DEFAULT, PACKAGES
from stridepack.files.runtime.write import write_runtime

__all__ = ["AMALGAMATED", "DEFAULT", "PACKAGES", "Needs", "read_needs", "write_runtime"]
