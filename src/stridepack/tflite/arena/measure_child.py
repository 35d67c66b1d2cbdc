# SPDX-License-Identifier: Apache-2.0
"""The process in which `measure` starts one model.

It imports nothing else of this package, so that it starts fast.
"""

import sys

from tflite_micro import runtime


def main() -> None:
    """Read a model from stdin. The interpreter writes what it allocates to stderr."""
    arena_size, decompression = map(int, sys.argv[1:])
    try:
        interpreter = runtime.Interpreter.from_bytes(
            sys.stdin.buffer.read(),
            arena_size=arena_size,
            alt_decompression_memory_size=decompression,
        )
        interpreter.print_allocations()
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
