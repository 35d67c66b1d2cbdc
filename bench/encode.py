# SPDX-License-Identifier: Apache-2.0
"""Time and memory of the group search and of the encoders.

    python bench/encode.py            # 10^4..10^8 elements, all formats; 90 s
    python bench/encode.py --max 7    # up to 10^7 elements

Every measurement runs in a process of its own, best of three, on one core; the search includes
the NumPy wrapper. Writes bench/results/encode.json. Machines differ: compare within one run.
"""

import json
import multiprocessing
import resource
import time
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

import stridepack as sp

RESULTS = Path(__file__).parent / "results/encode.json"
SPARSITIES = (0.3, 0.5, 0.7)
RESNET34_LARGEST = 512 * 3 * 3 * 512  # 2,359,296: the largest tensor of the paper's networks


def array(n: int, sparsity: float) -> npt.NDArray[np.int8]:
    rng = np.random.default_rng(0)
    values = rng.integers(1, 128, n, dtype=np.int8)
    step = 10_000_000  # random floats of 10^8 elements would be the largest thing in memory
    for begin in range(0, n, step):
        part = values[begin : begin + step]
        part[rng.random(part.size, dtype=np.float32) < sparsity] = 0
    return values


def peak_memory() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_search(n: int, sparsity: float) -> dict[str, float]:
    mask = array(n, sparsity)
    before = peak_memory()
    seconds = []
    for _ in range(3 if n < 5e7 else 1):
        start = time.perf_counter()
        groups = sp.find_groups(mask)
        seconds.append(time.perf_counter() - start)
    best = min(seconds)
    return {
        "n": n,
        "sparsity": sparsity,
        "seconds": best,
        "ns_per_element": best / n * 1e9,
        "extra_bytes_per_element": (peak_memory() - before) / n,
        "groups": len(groups),
    }


def measure_format(name: str, n: int, sparsity: float) -> dict[str, float | str]:
    values = array(n, sparsity)
    encode, decode = [], []
    for _ in range(3):
        start = time.perf_counter()
        packed = sp.pack(values, name)
        middle = time.perf_counter()
        packed.unpack()
        decode.append(time.perf_counter() - middle)
        encode.append(middle - start)
    return {
        "format": name,
        "n": n,
        "sparsity": sparsity,
        "encode_seconds": min(encode),
        "encode_mb_per_s": n / min(encode) / 1e6,
        "decode_mb_per_s": n / min(decode) / 1e6,
    }


@click.command(help=__doc__)
@click.option(
    "--max", "largest", default=8, show_default=True, help="Search up to 10^MAX elements."
)
def main(largest: int) -> None:
    console = Console()
    sizes = [10**e for e in range(4, largest + 1)]
    sizes = sorted({*sizes, RESNET34_LARGEST})
    search, formats = [], []
    table = Table("elements", "sparsity", "seconds", "ns/element", "bytes/element", "groups")
    for n in sizes:
        for sparsity in SPARSITIES:
            record = in_own_process(measure_search, n, sparsity)
            search.append(record)
            table.add_row(
                *(f"{n:,}", f"{sparsity:.0%}", f"{record['seconds']:.4f}"),
                f"{record['ns_per_element']:.1f}",
                *(f"{max(0, record['extra_bytes_per_element']):.1f}", f"{record['groups']:,}"),
            )
    console.print("find_groups, paper's parameters; bytes: peak memory beyond the mask itself")
    console.print(table)
    table = Table("format", "sparsity", "encode s", "encode MB/s", "decode MB/s (host, scalar C)")
    for name in sp.formats():
        for sparsity in SPARSITIES:
            record = in_own_process(measure_format, name, 21_267_648, sparsity)
            formats.append(record)
            table.add_row(
                *(name, f"{sparsity:.0%}", f"{record['encode_seconds']:.2f}"),
                *(f"{record['encode_mb_per_s']:,.0f}", f"{record['decode_mb_per_s']:,.0f}"),
            )
    console.print("21,267,648 elements (all of ResNet34) as one tensor, one core")
    console.print(table)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"search": search, "formats": formats}, indent=1) + "\n")
    console.print(f"wrote {RESULTS}")


def in_own_process(function, *args):  # type: ignore[no-untyped-def]
    """Peak memory only ever rises within a process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, args)


if __name__ == "__main__":
    main()
