"""The C runtime out: the sources that a firmware project compiles, as its build system takes them.

`library.py` says what the runtime consists of. Every build system has a file, which arranges the
library and adds what that system wants to know. `write.py` puts the result into a directory.
"""

from stridepack.files.runtime.packages import PACKAGES
from stridepack.files.runtime.write import write_runtime

__all__ = ["PACKAGES", "write_runtime"]
