# SPDX-License-Identifier: Apache-2.0
"""The tensor arena of a model, measured with the TensorFlow Lite Micro interpreter."""

import re
import sys
from pathlib import Path

from stridepack.tflite.arena.goal import Arena

_ARENA_SIZE = 64 * 2**20


def measure_arena(
    model: bytes, *, decompression: int = 0, arena_size: int = _ARENA_SIZE
) -> Arena | None:
    """Bytes of arena that a model needs on this host, or None where the interpreter refuses it.

    It is started but not run, in a process of its own: `interpreter` says why, and
    `interpreter.Comparison` says how a device differs.

    Parameters
    ----------
    model : bytes
        The .tflite file.
    decompression : int
        Bytes of memory beside the arena that DECODE operators may write into.
    arena_size : int
        Bytes that the model may use.
    """
    import subprocess  # what only reads and packs does not need it

    child = subprocess.run(
        [
            sys.executable,
            "-P",
            str(Path(__file__).with_name("measure_child.py")),
            str(arena_size),
            str(decompression),
        ],
        input=model,
        capture_output=True,
        check=False,
    )
    log = child.stderr.decode(errors="replace")
    found = re.search(r"allocation head (\d+) bytes.*?allocation tail (\d+) bytes", log, re.DOTALL)
    return Arena(*map(int, found.groups())) if found and child.returncode == 0 else None
