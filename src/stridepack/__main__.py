# SPDX-License-Identifier: Apache-2.0
"""`python -m stridepack`."""

from stridepack.cli import main

main()
