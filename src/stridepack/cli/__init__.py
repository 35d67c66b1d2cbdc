# SPDX-License-Identifier: Apache-2.0
"""The command line: one file for each command. Arguments in, reports out, and no logic.

`options.py` holds the options that commands share, `output.py` writes to the terminal, and
`main.py` puts the commands together and turns errors into messages.
"""

from stridepack.cli.main import cli, main

__all__ = ["cli", "main"]
