# SPDX-License-Identifier: Apache-2.0
"""The process in which `interpreter` runs one model.

It imports nothing else of this package, so that it starts fast.
"""

import io
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro import runtime


def main() -> None:
    """Read options and a model from stdin, and write arrays to stdout."""
    n_in, n_out, n_runs, seed, arena_size = json.loads(sys.stdin.buffer.readline())
    rng = np.random.default_rng(seed)
    inputs: list[list[npt.NDArray[Any]]] = [[] for _ in range(n_in)]
    outputs: list[list[npt.NDArray[Any]]] = [[] for _ in range(n_out)]
    try:
        interpreter = runtime.Interpreter.from_bytes(sys.stdin.buffer.read(), arena_size=arena_size)
        details = [interpreter.get_input_details(i) for i in range(n_in)]
        for _ in range(n_runs):
            for i, detail in enumerate(details):
                inputs[i].append(_random(rng, detail["shape"], np.dtype(detail["dtype"])))
                interpreter.set_input(inputs[i][-1], i)
            interpreter.invoke()
            for i in range(n_out):
                outputs[i].append(interpreter.get_output(i))
            print("one run", file=sys.stderr, flush=True)  # the parent counts these lines
        interpreter.print_allocations()  # to stderr
    except (IndexError, RuntimeError, ValueError) as error:
        sys.exit(str(error))
    result = io.BytesIO()
    np.savez(result, *(np.stack(arrays) for arrays in (*inputs, *outputs)))
    sys.stdout.buffer.write(result.getvalue())


def _random(
    rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if dtype.kind in "iub":
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


if __name__ == "__main__":
    main()
