"""Time and memory of packing a large checkpoint whose tensors stream through.

    python bench/checkpoint.py                # 1 GB
    python bench/checkpoint.py --size 512MB   # for a busy machine

Writes a .safetensors of int8 weights with 50 to 90 % zeros into a temporary folder and packs it
with the command, in a process of its own. Writes bench/results/checkpoint.json, of which
bench/documents.py makes the calculation for larger models.
"""

import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from stridepack.cli.nbytes import nbytes

RESULTS = Path(__file__).parent / "results/checkpoint.json"
ROWS, COLUMNS = 4096, 4096  # of each tensor but the last: 16.8 MB
ZEROS = (0.5, 0.6, 0.7, 0.8, 0.9)


def weights(number: int, n: int) -> npt.NDArray[np.int8]:
    """n weights of a normal distribution, of which the smallest are pruned to zero."""
    rng = np.random.default_rng(number)
    values = rng.standard_normal(n, np.float32)
    values *= 127 / 5
    pruned = rng.random(n, np.float32) < ZEROS[number % len(ZEROS)]
    values[pruned] = 0
    return np.clip(np.rint(values), -127, 127).astype(np.int8)


def write_checkpoint(path: Path, size: int) -> list[int]:
    """A .safetensors file of so many weights. Returns the elements of each tensor."""
    full = ROWS * COLUMNS
    rows = [ROWS] * (size // full) + [size % full // COLUMNS] * (size % full >= COLUMNS)
    sizes = [n * COLUMNS for n in rows]
    header = {
        f"model.layers.{i}.weight": {
            "dtype": "I8",
            "shape": [n, COLUMNS],
            "data_offsets": [sum(sizes[:i]), sum(sizes[: i + 1])],
        }
        for i, n in enumerate(rows)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for i, n in enumerate(sizes):
            file.write(weights(i, n).tobytes())
    return sizes


@click.command()
@click.option("--size", type=nbytes, default="1GB", show_default=True)
def main(size: int) -> None:
    """Write a checkpoint, pack it, and write down what that took."""
    with tempfile.TemporaryDirectory() as folder:
        model, output = Path(folder, "model.safetensors"), Path(folder, "model.spk")
        sizes = write_checkpoint(model, size)
        start = time.perf_counter()
        command = [sys.executable, "-m", "stridepack", "pack", str(model), "-o", str(output)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = {
            "weights": sum(sizes),
            "tensors": len(sizes),
            "largest_tensor": max(sizes),
            "packed_nbytes": output.stat().st_size,
            "seconds": round(seconds, 1),
            "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_nbytes": used.ru_maxrss * 1024,
            "processors": os.cpu_count(),
            "load_at_the_end": round(os.getloadavg()[0], 1),
        }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    click.echo(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
