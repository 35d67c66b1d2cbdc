"""`python -m stridepack`."""

from stridepack.cli import main

main()
