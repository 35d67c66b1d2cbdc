"""Decoding on a Cortex-M55: exact instructions, estimated cycles, code and stack.

    python bench/m55/run.py                      # ten seconds
    python bench/m55/run.py model.tflite ...     # these models instead of the bundled one

QEMU runs firmware for the MPS3-AN547 board that decodes tensors from DDR into DTCM, counts what is
executed from the call of spk_decode_s8 to its return, and compares every byte. Twice: with the
Helium decoders ("helium") and without any vectors ("scalar"). Workload "resnet8" is that network's
six tensors at 0 to 90 % zeros, Gaussian, pruned by magnitude; models are measured as they are,
their tensors of at least 2048 weights. Compiled by clang-19 -O3; memset and memcpy, which decoders
call, take 16 bytes a turn: by vectors, or by words.

Instructions are exact and repeatable. Cycles are an estimate: cycles.py says of what. Text: code
and tables that the decoder needs, spk_decode_s8's dispatch, memset and memcpy aside. Stack: what
spk_decode_s8 and all below it use. Writes bench/m55/results.json.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from cycles import Program, Region, add, read_regions, run
from rich.console import Console
from rich.table import Table

import stridepack as sp
from stridepack.planner import DEFAULT_MIN_SIZE

sys.path.insert(0, str(Path(__file__).parent.parent))
from networks import pruned_weights, resnet8

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build/bench/m55"
RESULTS = HERE / "results.json"
BUNDLED = ROOT / "examples/resnet8_cifar10_50.tflite"

PATHS = ("scalar", "helium")
SPARSITIES = tuple(i / 10 for i in range(10))
SHOWN = (0.3, 0.5, 0.7)
DESTINATION_SIZE = 480 << 10  # m55.ld
TIMEOUT = 900  # seconds, for one run of QEMU

# By command: the Debian package that has it.
TOOLS = {
    "make": "make",
    "cc": "gcc",
    "clang-19": "clang-19",
    "ld.lld-19": "lld-19",
    "llvm-ar-19": "llvm-19",
    "llvm-mca-19": "llvm-19",
    "llvm-nm-19": "llvm-19",
    "llvm-objdump-19": "llvm-19",
    "llvm-size-19": "llvm-19",
    "qemu-system-arm": "qemu-system-arm",
    "timeout": "coreutils",
}

# The paper: cycles per weight of ResNet8 at 30, 50 and 70 % sparsity, on the board, weights in DDR4
PAPER = {
    "psr": (4.15, 3.01, 1.87),
    "dcsr": (5.02, 3.60, 2.30),
    "rle": (5.32, 3.84, 2.36),
    "hybrid": (6.12, 4.81, 3.27),
}
WHY_THEY_DIFFER = """\
The paper's cycles are measured: code of its own on a board, weights in DDR4, every wait included. \
Ours are estimated, from exact instructions of our code and a model of the core alone, in which no \
memory ever waits. They compare formats, and scalar code with Helium. That we decode faster than \
the paper they do not say; only a board can."""


@dataclass
class Case:
    """Tensors of a workload in one format."""

    workload: str
    format: str
    sparsity: float
    tensors: list[npt.NDArray[np.int8]]
    blobs: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.blobs = [sp.pack(values, self.format).to_bytes() for values in self.tensors]

    @property
    def n_weights(self) -> int:
        return sum(values.size for values in self.tensors)

    @property
    def n_non_zero(self) -> int:
        return sum(int(np.count_nonzero(values)) for values in self.tensors)


def workloads(models: tuple[Path, ...], seed: int) -> Iterator[tuple[str, float, list]]:
    """Name, sparsity and tensors."""
    for sparsity in SPARSITIES:
        rng = np.random.default_rng(seed)
        yield "resnet8", sparsity, [pruned_weights(shape, sparsity, rng) for shape in resnet8()]
    for path in models:
        tensors = [t for t in sp.read_tflite(path) if t.size >= DEFAULT_MIN_SIZE]
        for tensor in tensors:
            if tensor.size > DESTINATION_SIZE:
                raise click.ClickException(
                    f"{path}: tensor {tensor.name!r} has {tensor.size:,} weights; the firmware has "
                    f"room for {DESTINATION_SIZE:,} in DTCM: leave the model out"
                )
        if not tensors:
            raise click.ClickException(f"{path}: no tensor of {DEFAULT_MIN_SIZE} weights or more")
        n_zeros = sum(t.size - t.n_non_zero for t in tensors)
        sparsity = n_zeros / sum(t.size for t in tensors)
        yield path.stem, sparsity, [np.ascontiguousarray(t.values) for t in tensors]


def build_image(cases: list[Case]) -> bytes:
    """All blobs and what they decode to, as main.c reads them; data at multiples of 16 bytes."""
    pairs = [
        (blob, values.tobytes())
        for case in cases
        for blob, values in zip(case.blobs, case.tensors, strict=True)
    ]
    body_offset = -(-(8 + 16 * len(pairs)) // 16) * 16
    body = bytearray()
    offsets: dict[bytes, int] = {}
    for data in (data for pair in pairs for data in pair):
        if data not in offsets:
            offsets[data] = body_offset + len(body)
            body += data + bytes(-len(data) % 16)
    head = struct.pack("<4sI", b"SPKC", len(pairs))
    for blob, expected in pairs:
        head += struct.pack("<4I", offsets[blob], len(blob), offsets[expected], len(expected))
    return head.ljust(body_offset, b"\0") + body


def build() -> None:
    """Build both firmwares and the plugin."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({TOOLS[tool] for tool in missing}))
        raise click.ClickException(f"no {', '.join(missing)}: apt-get install {packages}")
    run("make", "-C", str(HERE), f"-j{os.cpu_count()}", "--no-print-directory")


def run_firmware(elf: Path, image: Path, n_decodes: int) -> tuple[list[Region], list[int]]:
    """Counts and bytes of stack of every decode. Fails unless all of them were exact."""
    symbols = {
        name: address
        for address, _, name in (line.split() for line in run("llvm-nm-19", str(elf)).splitlines())
    }
    counts = elf.with_suffix(".counts")
    markers = f"begin=0x{symbols['count_begin']},end=0x{symbols['count_end']}"
    command = (
        *("qemu-system-arm", "-M", "mps3-an547", "-nographic", "-monitor", "none"),
        *("-serial", "null", "-chardev", "stdio,id=host", "-semihosting-config"),
        *("enable=on,target=native,chardev=host", "-kernel", str(elf)),
        *("-device", f"loader,file={image},addr=0x60000000,force-raw=on"),
        *("-plugin", f"{BUILD / 'libcount.so'},{markers},out={counts}"),
    )
    result = subprocess.run(
        ("timeout", str(TIMEOUT), *command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = result.stdout.split("\n")[:-1]
    if result.returncode != 0 or len(lines) != n_decodes:
        raise click.ClickException(
            f"{elf}: exit code {result.returncode} at decode {len(lines)} of {n_decodes}: "
            f"{lines[-1:]} {result.stderr[-500:]}"
        )
    regions = read_regions(counts)
    if len(regions) != n_decodes:
        raise click.ClickException(f"{counts}: {len(regions)} regions, expected {n_decodes}")
    return regions, [int(line) for line in lines]


def text_nbytes(path: str, format: str) -> int:
    """Bytes of code and constants that a linker keeps of the runtime for one decoder."""
    options = ("--gc-sections", "--unresolved-symbols=ignore-all", "-e", f"spk_{format}_decode")
    with tempfile.NamedTemporaryFile(suffix=".elf") as elf:
        run("ld.lld-19", *options, str(BUILD / path / "libspk.a"), "-o", elf.name)
        sections = (line.split() for line in run("llvm-size-19", "-A", elf.name).splitlines())
        return sum(int(s[1]) for s in sections if s and s[0] in (".text", ".rodata"))


def measure(path: str, cases: list[Case], image: Path) -> list[dict[str, object]]:
    elf = BUILD / path / "m55.elf"
    regions, stacks = run_firmware(elf, image, sum(len(case.blobs) for case in cases))
    program = Program(elf)
    totals = []
    for case in cases:
        totals.append(add(regions[: len(case.blobs)]))
        del regions[: len(case.blobs)]
    program.learn(totals)
    records: list[dict[str, object]] = []
    for case, total in zip(cases, totals, strict=True):
        if path == "scalar" and program.vector_instructions(total):
            raise click.ClickException(f"{elf}: vectors in the scalar path of {case.format}")
        instructions = sum(count.executed for count in total.values())
        cycles = program.cycles(total)
        records.append(
            {
                "workload": case.workload,
                "format": case.format,
                "sparsity": round(case.sparsity, 4),
                "path": path,
                "weights": case.n_weights,
                "nonzeros": case.n_non_zero,
                "blob_bytes": sum(map(len, case.blobs)),
                "instructions": instructions,
                "instructions_per_weight": round(instructions / case.n_weights, 4),
                "instructions_per_nonzero": round(instructions / case.n_non_zero, 4),
                "cycles_per_weight": round(cycles / case.n_weights, 4),
                "text_bytes": text_nbytes(path, case.format),
                "stack_bytes": max(stacks[: len(case.blobs)]),
            }
        )
        del stacks[: len(case.blobs)]
    return records


def show(records: list[dict[str, object]], console: Console) -> None:
    by_key = {(r["workload"], r["format"], r["path"], r["sparsity"]): r for r in records}
    for workload in dict.fromkeys(r["workload"] for r in records):
        sparsities = [s for w, _, _, s in by_key if w == workload]
        shown = SHOWN if workload == "resnet8" else tuple(dict.fromkeys(sparsities))
        table = Table("format", "path", title=f"{workload}, per weight", title_justify="left")
        for sparsity in shown:
            for heading in (f"{sparsity:.0%}: instr.", "est. cycles", "paper"):
                if heading != "paper" or workload == "resnet8":
                    table.add_column(heading, justify="right")
        for heading in ("text", "stack"):
            table.add_column(heading, justify="right")
        for format in sp.formats():
            for path in PATHS:
                cells = [format, path]
                for i, sparsity in enumerate(shown):
                    record = by_key[workload, format, path, sparsity]
                    cells.append(f"{record['instructions_per_weight']:.3f}")
                    cells.append(f"{record['cycles_per_weight']:.2f}")
                    if workload == "resnet8":
                        cells.append(f"{PAPER[format][i]:.2f}" if format in PAPER else "")
                table.add_row(*cells, f"{record['text_bytes']:,}", f"{record['stack_bytes']:,}")
        console.print(table)
    console.print(WHY_THEY_DIFFER)


@click.command(help=__doc__)
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True
)
def main(models: tuple[Path, ...], seed: int, output: Path) -> None:
    console = Console(width=150)
    try:
        build()
        cases = [
            Case(workload, format, sparsity, tensors)
            for workload, sparsity, tensors in workloads(models or (BUNDLED,), seed)
            for format in sp.formats()
        ]
        with tempfile.NamedTemporaryFile(suffix=".image") as image:
            image.write(build_image(cases))
            image.flush()
            records = [r for path in PATHS for r in measure(path, cases, Path(image.name))]
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error
    show(records, console)
    output.write_text(json.dumps(records, indent=1) + "\n")
    console.print(f"wrote {output}: every decode was exact")


if __name__ == "__main__":
    main()
