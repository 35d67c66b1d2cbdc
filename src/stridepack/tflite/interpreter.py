# SPDX-License-Identifier: Apache-2.0
"""Do two .tflite models compute the same? The stock TensorFlow Lite Micro interpreter decides.

Each model runs in a process of its own. The interpreter trusts its model, so a damaged one may
crash it, and it writes what went wrong, and how much memory it took, only to the standard error
stream of its process, from C++.
"""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from stridepack.errors import InputError, ModelError
from stridepack.tflite.comparison import Comparison
from stridepack.tflite.model import load_model

DEFAULT_ARENA_SIZE = 64 * 2**20

_ONE_RUN = b"one run\n"  # what the child says after each one

Arrays = list[npt.NDArray[Any]]
OnRun = Callable[[], None]


def compare_outputs(
    first: bytes,
    second: bytes,
    *,
    n_inputs: int = 10,
    seed: int = 0,
    arena_size: int = DEFAULT_ARENA_SIZE,
    names: tuple[str, str] = ("first model", "second model"),
    on_run: OnRun | None = None,
) -> Comparison:
    """Run two models on the same random inputs.

    Integer inputs of 8 and 16 bits cover their whole range, floating-point ones are normally
    distributed, and wider integers are 0 or 1, valid as index and as flag. A model that keeps a
    state keeps it from one input to the next.

    Parameters
    ----------
    first, second : bytes
        The .tflite files.
    n_inputs : int
        Number of random inputs, at least 1.
    seed : int
        Of the random inputs.
    arena_size : int
        Bytes that a model may use for its tensors.
    names : tuple of str
        Of the models, for messages.
    on_run : callable, optional
        Called after each run of each model, that is, twice for each input.

    Raises
    ------
    InputError
        For n_inputs or a seed outside their limits.
    ModelError
        When the interpreter cannot run a model, with its own words, or when the models have
        different inputs or outputs.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    if n_inputs < 1 or seed < 0:
        name, value, least = ("n_inputs", n_inputs, 1) if n_inputs < 1 else ("seed", seed, 0)
        raise InputError(
            f"`{name}={value}` is too small. It must be at least {least}.", **{name: value}
        )
    with ThreadPoolExecutor() as pool:  # to wait for both processes at once
        children: list[subprocess.Popen[bytes]] = []
        run = partial(
            _run,
            n_inputs=n_inputs,
            seed=seed,
            arena_size=arena_size,
            children=children,
            on_run=_one_at_a_time(on_run),
        )
        try:
            (inputs_a, outputs_a, arena_a), (inputs_b, outputs_b, arena_b) = pool.map(
                run, (first, second), names
            )
        except BaseException:  # of one of them, or Ctrl-C: the other is not waited for
            for child in children:
                child.kill()
            raise
    for what, a, b in (("inputs", inputs_a, inputs_b), ("outputs", outputs_a, outputs_b)):
        if _kinds(a) != _kinds(b):
            raise ModelError(
                f"{names[0]} has the {what} {', '.join(_kinds(a))}, but {names[1]} has "
                f"{', '.join(_kinds(b))}. The two models cannot be compared."
            )
    equal = all(x.tobytes() == y.tobytes() for x, y in zip(outputs_a, outputs_b, strict=True))
    difference = 0.0 if equal else max(map(_max_difference, outputs_a, outputs_b))
    return Comparison(n_inputs, equal, difference, (arena_a, arena_b))


def _run(
    model: bytes,
    name: str,
    *,
    n_inputs: int,
    seed: int,
    arena_size: int,
    children: list[subprocess.Popen[bytes]],
    on_run: OnRun,
) -> tuple[Arrays, Arrays, int]:
    """Run a model in a child process, which is added to the children.

    Returns
    -------
    inputs, outputs : list of ndarray
        One for each input or output tensor; the first axis counts the runs.
    arena_nbytes : int
    """
    parsed = load_model(model, name)
    graphs = parsed.subgraphs
    if parsed.densified:
        model = parsed.to_bytes()  # there is no kernel for sparse tensors
    if not graphs or not graphs[0].outputs:
        raise ModelError(f"{name}: the model has no output, so there is nothing to compare.")
    counts = (len(graphs[0].inputs), len(graphs[0].outputs))
    options = json.dumps([*counts, n_inputs, seed, arena_size]).encode() + b"\n"
    child = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("interpreter_child.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    children.append(child)
    output, log = _answer(child, options + model, on_run)
    if child.returncode:
        words = "; ".join(line.strip() for line in log.splitlines() if line.strip())
        how = f"crashed with signal {-child.returncode}" if child.returncode < 0 else "failed"
        raise ModelError(f"{name}: the TensorFlow Lite Micro interpreter {how}: {words}")
    arena = re.search(r"Arena allocation total (\d+) bytes", log)
    if arena is None:
        raise ModelError(
            f"{name}: the TensorFlow Lite Micro interpreter did not say its arena size."
        )
    with np.load(io.BytesIO(output), allow_pickle=False) as archive:
        arrays = [archive[f"arr_{i}"] for i in range(sum(counts))]
    return arrays[: counts[0]], arrays[counts[0] :], int(arena[1])


def _answer(child: subprocess.Popen[bytes], request: bytes, on_run: OnRun) -> tuple[bytes, str]:
    """What a child writes to its standard output and to its standard error, when it has ended."""
    assert child.stdin
    assert child.stdout
    assert child.stderr
    lines: list[bytes] = []

    def listen(stream: IO[bytes]) -> None:
        for line in stream:
            if line == _ONE_RUN:
                on_run()
            else:
                lines.append(line)

    with child:
        listener = Thread(target=listen, args=(child.stderr,))
        listener.start()
        with suppress(BrokenPipeError):  # it ended early, and its exit code says so
            child.stdin.write(request)
            child.stdin.close()
        output = child.stdout.read()
        listener.join()
    return output, b"".join(lines).decode(errors="replace")


def _one_at_a_time(on_run: OnRun | None) -> OnRun:
    """The same, called from one thread at a time."""
    lock = Lock()

    def call() -> None:
        if on_run:
            with lock:
                on_run()

    return call


def _kinds(arrays: Arrays) -> list[str]:
    """Such as int8[1, 49, 10]: type and shape of each tensor."""
    return [f"{array.dtype}{list(array.shape[1:])}" for array in arrays]


def _max_difference(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):  # inf - inf
        difference = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0))
