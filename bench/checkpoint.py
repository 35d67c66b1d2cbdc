# SPDX-License-Identifier: Apache-2.0
"""Time and memory of packing, verifying and unpacking large checkpoints, which stream through.

    python bench/checkpoint.py                                       # all four below
    python bench/checkpoint.py --size 512MB
    python bench/checkpoint.py --size 1GB
    python bench/checkpoint.py --size 6400000 --tensor 256           # 25,000 small tensors
    python bench/checkpoint.py --size 25600000 --tensor 256          # 100,000 small tensors

Each writes a .safetensors of int8 weights with 50 to 90 % zeros into a temporary folder, packs it
into a .spk, verifies that, and unpacks it to a .npz, each with the command in a process of its own.
Replaces what bench/results/checkpoint.json says of a checkpoint of these sizes, of which
bench/documents.py makes the calculation for larger models.
"""

import json
import multiprocessing
import os
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from stridepack.cli.nbytes import nbytes

RESULTS = Path(__file__).parent / "results/checkpoint.json"
LARGE = 2**24  # elements
SMALL = 2**8
CASES = [(512_000_000, LARGE), (10**9, LARGE), (25_000 * SMALL, SMALL), (100_000 * SMALL, SMALL)]
ZEROS = (0.5, 0.6, 0.7, 0.8, 0.9)


def weights(number: int, n: int) -> npt.NDArray[np.int8]:
    """n weights of a normal distribution, of which the smallest are pruned to zero."""
    rng = np.random.default_rng(number)
    values = rng.standard_normal(n, np.float32)
    values *= 127 / 5
    pruned = rng.random(n, np.float32) < ZEROS[number % len(ZEROS)]
    values[pruned] = 0
    return np.clip(np.rint(values), -127, 127).astype(np.int8)


def write_checkpoint(path: Path, size: int, tensor: int) -> list[int]:
    """A .safetensors file of so many weights. Returns the elements of each tensor."""
    columns = 2 ** (tensor.bit_length() // 2)
    sizes = [tensor] * (size // tensor)
    if rest := size % tensor // columns * columns:
        sizes.append(rest)
    ends = np.cumsum([0, *sizes]).tolist()
    header = {
        f"model.layers.{i // 32}.part.{i % 32}.weight": {
            "dtype": "I8",
            "shape": [n // columns, columns],
            "data_offsets": ends[i : i + 2],
        }
        for i, n in enumerate(sizes)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for i, n in enumerate(sizes):
            file.write(weights(i, n).tobytes())
    return sizes


def measured(*arguments: object) -> dict[str, Any]:
    """Time and memory of a command of stridepack."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "stridepack", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{arguments[0]} failed")
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_nbytes": used.ru_maxrss * 1024,
    }


def measure(size: int, tensor: int) -> dict[str, Any]:
    """All three commands on a checkpoint of so many weights."""
    with tempfile.TemporaryDirectory() as folder:
        model, packed, arrays = (Path(folder, f"w.{of}") for of in ("safetensors", "spk", "npz"))
        # In a process of its own: the peak of a child counts from that of its parent.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
            sizes = other.submit(write_checkpoint, model, size, tensor).result()
        return {
            "weights": sum(sizes),
            "tensors": len(sizes),
            "largest_tensor": max(sizes),
            "pack": measured("pack", model, "-o", packed),
            "packed_nbytes": packed.stat().st_size,
            "verify": measured("verify", model, packed),
            "unpack": measured("unpack", packed, "-o", arrays),
            "processors": os.cpu_count(),
            "load_at_the_end": round(os.getloadavg()[0], 1),
        }


@click.command(help=__doc__)
@click.option("--size", type=nbytes, help="Weights in all.")
@click.option("--tensor", type=int, default=LARGE, show_default=True, help="Weights of a tensor.")
def main(size: int | None, tensor: int) -> None:
    for case in [(size, tensor)] if size else CASES:
        row = measure(*case)
        key = (row["largest_tensor"], row["weights"])
        rows = {(r["largest_tensor"], r["weights"]): r for r in json.loads(RESULTS.read_text())}
        rows[key] = row
        RESULTS.write_text(json.dumps([rows[k] for k in sorted(rows)], indent=1) + "\n")
        click.echo(json.dumps(row, indent=1))


if __name__ == "__main__":
    main()
