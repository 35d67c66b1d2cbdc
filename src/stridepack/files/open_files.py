# SPDX-License-Identifier: Apache-2.0
"""How many files a process may have open at once."""

import resource

from stridepack.errors import OutputError

# For standard streams, libraries, and the files that are read
_OTHERS = 64


def allow_open_files(n: int) -> None:
    """Let this process have n files open, beside those that it needs anyway.

    The soft limit of the system, which is 1024 in most shells, is raised where that is allowed.

    Raises
    ------
    OutputError
    """
    needed = n + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError) as error:  # it is above the hard limit, or another of the system
        most = soft if hard == resource.RLIM_INFINITY else hard
        raise OutputError(
            f"The output has {n:,} files, which are all open until the last one is complete. This "
            f"process may have {most:,} files open at most, and needs {needed:,}. Raise the limit "
            "(`ulimit -Hn` shows it), or pack the files of the model one by one."
        ) from error
