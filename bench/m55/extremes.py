# SPDX-License-Identifier: Apache-2.0
"""How far `inspect --target` is off where tensors are unlike those of networks.

    python bench/m55/extremes.py                # clang-19 -O3, which estimates are of
    python bench/m55/extremes.py --compilers    # also GCC at -O2, -O3 and -Os, in instructions

Decodes tensors that are constant, regular, all zeros, or small in every format, as run.py decodes
others, and compares with what fit.py has never seen. Writes extremes.json, in the form of
tensors.json. --compilers writes compilers.json: the instructions of GCC's code, over those of
clang-19 -O3. bench/documents.py shows both.
"""

import json
from pathlib import Path

import click
import numpy as np
import run
from cycles import run as execute
from networks import pruned_weights
from workloads import Int8Array, Workload

import stridepack as sp

HERE = Path(__file__).resolve().parent
OUTPUT = HERE / "extremes.json"
COMPILERS = HERE / "compilers.json"
N = 36_864
LEVELS = ("-O2", "-O3", "-Os")  # of GCC


def extreme() -> Workload:
    """Tensors by a name that says what they are."""
    rng = np.random.default_rng([0, 3])
    every_seventh = np.zeros(N, np.int8)
    every_seventh[::7] = 5
    alternating = np.zeros(N, np.int8)
    alternating[::2] = rng.integers(1, 100, N // 2)
    one = np.zeros(N, np.int8)
    one[N // 2] = 1
    first_half = pruned_weights((N,), 0.0, rng)
    first_half[N // 2 :] = 0
    tensors = {
        "all 0": np.zeros(N, np.int8),
        "all 5": np.full(N, 5, np.int8),
        "every seventh is 5": every_seventh,
        "every second is random": alternating,
        "one non-zero": one,
        "-1 and 1 in turn": np.tile(np.array([-1, 1], np.int8), N // 2),
        "uniform bytes": rng.integers(-128, 128, N).astype(np.int8),
        "-1, 0 and 1 at random": rng.integers(-1, 2, N).astype(np.int8),
        "the first half of a Gaussian": first_half,
        "1 % of a Gaussian": pruned_weights((N,), 0.99, rng),
        "a Gaussian, half of it": pruned_weights((N,), 0.5, rng),
        "300 of a Gaussian, half of it": pruned_weights((300,), 0.5, rng),
        "1,000 of a Gaussian, half of it": pruned_weights((1000,), 0.5, rng),
    }
    return Workload("extreme", 0.5, tensors)


def one_by_one(workload: Workload) -> list[run.Case]:
    """Every tensor in every format, as a case of its own."""

    def case(format: str, name: str, values: Int8Array) -> run.Case:
        return run.Case(workload.name, format, workload.sparsity, [values], names=[name])

    return [
        case(format, name, values)
        for format in sp.formats()
        for name, values in workload.tensors.items()
    ]


def count_gcc(level: str, path: str, cases: list[run.Case]) -> list[int]:
    """Instructions of each case, compiled by GCC at that level."""
    folder = run.BUILD / f"gcc{level}"
    elf = folder / f"{path}-gcc/bench.elf"
    command = ("make", "-C", str(run.HERE), f"LEVEL={level}", f"BUILD={folder}")
    execute(*command, "--no-print-directory", str(elf))
    image = folder / "extremes.image"
    image.write_bytes(run.build_image(cases))
    regions, _ = run.run_firmware(elf, image, len(cases))
    return [sum(count.executed for count in region.values()) for region in regions]


@click.command(help=__doc__)
@click.option("--compilers", is_flag=True)
def main(compilers: bool) -> None:
    run.build()
    cases = one_by_one(extreme())
    measured = {path: run.measure(path, run.MODELLED, cases) for path in run.PATHS}
    run.write_tensors(OUTPUT, cases, measured)
    click.echo(f"wrote {OUTPUT}")
    if not compilers:
        return
    rows = []
    for path in run.PATHS:
        by_level = {level: count_gcc(level, path, cases) for level in LEVELS}
        for i, (case, result) in enumerate(zip(cases, measured[path], strict=True)):
            instructions = sum(result.instructions)
            ratios = {level: round(n[i] / instructions, 2) for level, n in by_level.items()}
            row = {"format": case.format, "tensor": case.names[0], "path": path}
            rows.append(row | ratios)
    lines = ",\n ".join(json.dumps(row) for row in rows)
    COMPILERS.write_text(f"[{lines}]\n")
    click.echo(f"wrote {COMPILERS}")


if __name__ == "__main__":
    main()
