# SPDX-License-Identifier: Apache-2.0
"""Decoding on a Cortex-M55: exact instructions, estimated cycles, code and stack. And on an M4.

    python bench/m55/run.py                      # the models of this repository; a minute
    python bench/m55/run.py model.tflite ...     # these models as well

QEMU runs firmware for the MPS3-AN547 board that decodes tensors from DDR into DTCM, counts what is
executed from the call of spk_decode_s8 to its return, and compares every byte. With the Helium
decoders ("helium") and without any vectors ("scalar"); for the MPS2-AN386 board with a Cortex-M4
("m4"), instructions of "resnet8" alone. Workload "resnet8" is that network's six
tensors at 0 to 90 % zeros, Gaussian, pruned by magnitude; workloads.py has more. Models are
measured as they are, their tensors of at least 2048 weights. Compiled by clang-19 -O3, "resnet8"
also by GCC, instructions only, and once more without the checks of what is read (unchecked.h): what
it costs that any bytes are safe. memset and memcpy, which decoders call, take 16 bytes a turn: by
vectors, or by words.

Workload "prune" decodes the same tensors as TensorFlow Lite Micro stores them: by
spk_tflm_prune_s8, and by the loop over bits that TensorFlow Lite Micro itself has (bit_loop.c).

Instructions are exact and repeatable. Cycles are an estimate: cycles.py says of what. Text: code
and tables that the decoder needs, spk_decode_s8's dispatch, memset and memcpy aside. Stack: what
spk_decode_s8 and all below it use. Writes results.json, a record for each workload, format and
path, and tensors.json, a row for each tensor and format, to which fit.py fits what
`stridepack inspect --target` says.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from cycles import Program, Region, add, read_regions, run
from rich.console import Console
from rich.table import Table

import stridepack as sp
from stridepack.cost import work_of

sys.path.insert(0, str(Path(__file__).parent.parent))
from published import CYCLES_PER_WEIGHT_RESNET8 as PAPER
from published import SPARSITIES as PAPER_SPARSITIES
from workloads import Workload, model, synthetic

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build/bench/m55"
RESULTS = HERE / "results.json"
TENSORS = HERE / "tensors.json"
MODELS = (  # pruned, not pruned, and shrunk
    ROOT / "examples/resnet8_cifar10_50.tflite",
    ROOT / "experiments/results/resnet8_cifar10_00_seed1.tflite",
    ROOT / "experiments/results/resnet8_cifar10_00_seed1_shrink_20500.tflite",
    ROOT / "experiments/results/resnet8_cifar10_70_seed1_shrink_16500.tflite",
)

PATHS = ("scalar", "helium")
M4 = "m4"  # a path of its own, without cycles
BOARDS = {M4: ("mps2-an386", 0x21000000)}  # and where its linker script has the image
M55_BOARD = ("mps3-an547", 0x60000000)
COMPILERS = {"clang-19": "", "gcc": "-gcc"}  # and how the names of their builds end
UNCHECKED = "clang-19, unchecked"  # the same without the decoders' checks
BUILDS = COMPILERS | {UNCHECKED: "-unchecked"}
MODELLED = "clang-19"  # whose code gets an estimate of cycles
DECODERS = ("spk_decode_s8", "spk_tflm_prune_s8", "bit_loop")  # by their numbers in main.c
SHOWN = (0.3, 0.5, 0.7, 0.9)
DESTINATION_SIZE = 480 << 10  # m55.ld
TIMEOUT = 900  # seconds, for one run of QEMU

# By command: the Debian package that has it.
TOOLS = {
    "make": "make",
    "cc": "gcc",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
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
    tensors: Sequence[npt.NDArray[np.int8]]
    decoder: str = DECODERS[0]
    names: Sequence[str] = ()
    tile: int | None = None
    packed: list[sp.Packed] = field(init=False)

    def __post_init__(self) -> None:
        # What TensorFlow Lite Micro has are values of 8 bits.
        options = {} if self.decoder == DECODERS[0] else {"width": 8}
        self.packed = [
            sp.pack(values, self.format, tile=self.tile, transforms=False, **options)
            for values in self.tensors
        ]

    @property
    def n_weights(self) -> int:
        return sum(values.size for values in self.tensors)

    @property
    def n_non_zero(self) -> int:
        return sum(int(np.count_nonzero(values)) for values in self.tensors)


def cases_of(workload: Workload) -> list[Case]:
    """The workload in every format; "resnet8" also as TensorFlow Lite Micro stores it."""
    tensors, names = list(workload.tensors.values()), list(workload.tensors)
    cases = [
        Case(
            *(workload.name, format, workload.sparsity, tensors),
            names=names,
            tile=workload.tile,
        )
        for format in sp.formats()
    ]
    if workload.name == "resnet8":
        cases += [
            Case("prune", "bitmap", workload.sparsity, tensors, decoder) for decoder in DECODERS[1:]
        ]
    return cases


def build_image(cases: list[Case]) -> bytes:
    """All blobs and what they decode to, as main.c reads them; data at multiples of 16 bytes."""
    entries = [
        (DECODERS.index(case.decoder), packed.to_bytes(), values.tobytes())
        for case in cases
        for packed, values in zip(case.packed, case.tensors, strict=True)
    ]
    body_offset = -(-(8 + 20 * len(entries)) // 16) * 16
    body = bytearray()
    offsets: dict[bytes, int] = {}
    for data in (data for _, *both in entries for data in both):
        if data not in offsets:
            offsets[data] = body_offset + len(body)
            body += data + bytes(-len(data) % 16)
    head = struct.pack("<4sI", b"SPKC", len(entries))
    for decoder, blob, expected in entries:
        places = (offsets[blob], len(blob), offsets[expected], len(expected))
        head += struct.pack("<5I", decoder, *places)
    return head.ljust(body_offset, b"\0") + body


def build() -> None:
    """Build all firmwares and the plugin."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({TOOLS[tool] for tool in missing}))
        raise click.ClickException(f"no {', '.join(missing)}: apt-get install {packages}")
    run("make", "-C", str(HERE), f"-j{os.cpu_count()}", "--no-print-directory")


def run_firmware(
    elf: Path, image: Path, n_decodes: int, board: tuple[str, int] = M55_BOARD
) -> tuple[list[Region], list[int]]:
    """Counts and bytes of stack of every decode. Fails unless all of them were exact."""
    machine, address = board
    symbols = {
        name: address
        for address, _, name in (line.split() for line in run("llvm-nm-19", str(elf)).splitlines())
    }
    counts = elf.with_suffix(".counts")
    markers = f"begin=0x{symbols['count_begin']},end=0x{symbols['count_end']}"
    command = (
        *("qemu-system-arm", "-M", machine, "-nographic", "-monitor", "none"),
        *("-serial", "null", "-chardev", "stdio,id=host", "-semihosting-config"),
        *("enable=on,target=native,chardev=host", "-kernel", str(elf)),
        *("-device", f"loader,file={image},addr={address:#x},force-raw=on"),
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


def text_nbytes(build: Path, symbol: str) -> int:
    """Bytes of code and constants that a linker keeps of the runtime for one decoder."""
    options = ("--gc-sections", "--unresolved-symbols=ignore-all", "-e", symbol)
    inputs = (str(build / "bit_loop.o"), str(build / "libspk.a"))
    with tempfile.NamedTemporaryFile(suffix=".elf") as elf:
        run("ld.lld-19", *options, *inputs, "-o", elf.name)
        sections = (line.split() for line in run("llvm-size-19", "-A", elf.name).splitlines())
        return sum(int(s[1]) for s in sections if s and s[0] in (".text", ".rodata"))


@dataclass
class Measurement:
    """What decoding a case took: each tensor, and all of them."""

    instructions: list[int]
    cycles: list[float]  # empty for compilers whose code LLVM does not model
    total_cycles: float | None
    stack_bytes: int
    text_bytes: int


def measure(path: str, compiler: str, cases: list[Case]) -> list[Measurement]:
    """Decode all cases with one build."""
    build = BUILD / f"{path}{BUILDS[compiler]}"
    elf = build / "bench.elf"
    with tempfile.NamedTemporaryFile(suffix=".image") as image:
        image.write(build_image(cases))
        image.flush()
        n_decodes = sum(len(case.packed) for case in cases)
        board = BOARDS.get(path, M55_BOARD)
        regions, stacks = run_firmware(elf, Path(image.name), n_decodes, board)
    program = Program(elf)
    modelled = compiler == MODELLED and path in PATHS
    if modelled:
        program.learn(regions)
    results = []
    for case in cases:
        n = len(case.packed)
        own, own_stacks = regions[:n], stacks[:n]
        del regions[:n], stacks[:n]
        total = add(own)
        if path == "scalar" and program.vector_instructions(total):
            raise click.ClickException(f"{elf}: vectors in the scalar path of {case.format}")
        symbol = case.decoder if case.decoder != DECODERS[0] else f"spk_{case.format}_decode"
        results.append(
            Measurement(
                instructions=[sum(count.executed for count in region.values()) for region in own],
                cycles=[program.cycles(region) for region in own] if modelled else [],
                total_cycles=program.cycles(total) if modelled else None,
                stack_bytes=max(own_stacks),
                text_bytes=text_nbytes(build, symbol),
            )
        )
    return results


def record(path: str, compiler: str, case: Case, result: Measurement) -> dict[str, object]:
    """What results.json says of a case."""
    instructions = sum(result.instructions)
    decoder = {} if case.decoder == DECODERS[0] else {"decoder": case.decoder}
    cycles = {}
    if result.total_cycles is not None:
        cycles["cycles_per_weight"] = round(result.total_cycles / case.n_weights, 4)
    return {
        "workload": case.workload,
        "format": case.format,
        **decoder,
        "sparsity": round(case.sparsity, 4),
        "path": path,
        "compiler": compiler,
        "weights": case.n_weights,
        "nonzeros": case.n_non_zero,
        "blob_bytes": sum(packed.nbytes for packed in case.packed),
        "instructions": instructions,
        "instructions_per_weight": round(instructions / case.n_weights, 4),
        "instructions_per_nonzero": round(instructions / case.n_non_zero, 4),
        **cycles,
        "text_bytes": result.text_bytes,
        "stack_bytes": result.stack_bytes,
    }


def write_tensors(output: Path, cases: list[Case], results: dict[str, list[Measurement]]) -> None:
    """Write tensors.json: for each format its columns, and a row for each tensor.

    The columns behind "work" are those of `work_of`.
    """
    formats = {}
    for name in sp.formats():
        rows = []
        work: list[str] = []
        for i, case in enumerate(cases):
            if case.format != name or not case.names:
                continue
            work = list(work_of(case.packed[0]))
            for t, (tensor, packed) in enumerate(zip(case.names, case.packed, strict=True)):
                counts = [results[path][i].instructions[t] for path in PATHS]
                cycles = [round(results[path][i].cycles[t]) for path in PATHS]
                where = [case.workload, round(case.sparsity, 4), tensor, packed.n_elements]
                rows.append([*where, *counts, *cycles, *work_of(packed).values()])
        columns = ["workload", "sparsity", "tensor", "elements"]
        columns += [f"{path}_{what}" for what in ("instructions", "cycles") for path in PATHS]
        lines = ",\n  ".join(json.dumps(row) for row in rows)
        head = json.dumps({"columns": columns, "work": work})[1:-1]
        formats[name] = f'"{name}": {{{head}, "rows": [\n  {lines}]}}'
    output.write_text("{\n" + ",\n".join(formats.values()) + "\n}\n")


def show(records: list[dict[str, object]], console: Console) -> None:
    """Tables of a compiler's workloads."""
    by_key = {(r["workload"], r["format"], r["path"], r["sparsity"]): r for r in records}
    for workload in dict.fromkeys(r["workload"] for r in records):
        sparsities = dict.fromkeys(s for w, _, _, s in by_key if w == workload)
        shown = [s for s in sparsities if s in SHOWN or len(sparsities) == 1]
        if not shown:
            continue  # only there for the fit
        has_cycles = records[0]["compiler"] == MODELLED
        paper = workload == "resnet8" and has_cycles
        title = f"{workload}, per weight, {records[0]['compiler']}"
        table = Table("format", "path", title=title, title_justify="left")
        for sparsity in shown:
            table.add_column(f"{sparsity:.0%}: instr.", justify="right")
            if has_cycles:
                table.add_column("est. cycles", justify="right")
            if paper and sparsity in PAPER_SPARSITIES:
                table.add_column("paper", justify="right")
        for heading in ("text", "stack"):
            table.add_column(heading, justify="right")
        for format in sp.formats():
            for path in (*PATHS, M4):
                cells = [format, path]
                if (workload, format, path, shown[0]) not in by_key:
                    continue
                for sparsity in shown:
                    one = by_key[workload, format, path, sparsity]
                    cells.append(f"{one['instructions_per_weight']:.3f}")
                    if has_cycles:
                        cells.append(f"{one['cycles_per_weight']:.2f}" if path != M4 else "")
                    if paper and sparsity in PAPER_SPARSITIES:
                        i = PAPER_SPARSITIES.index(sparsity)
                        cells.append(f"{PAPER[format][i]:.2f}" if format in PAPER else "")
                table.add_row(*cells, f"{one['text_bytes']:,}", f"{one['stack_bytes']:,}")
        console.print(table)


def show_prune(records: list[dict[str, object]], console: Console) -> None:
    """The table of workload "prune"."""
    table = Table("decoder", "path", "compiler", title="prune, instructions per weight")
    for sparsity in SHOWN:
        table.add_column(f"{sparsity:.0%}", justify="right")
    rows: dict[tuple[object, ...], dict[object, object]] = {}
    for r in records:
        row = rows.setdefault((r["decoder"], r["path"], r["compiler"]), {})
        row[r["sparsity"]] = r["instructions_per_weight"]
    for key, row in rows.items():
        table.add_row(*map(str, key), *(f"{row[sparsity]:.3f}" for sparsity in SHOWN))
    console.print(table)


@click.command(help=__doc__)
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=HERE,
    show_default=True,
    help="Folder that results.json and tensors.json are written to.",
)
def main(models: tuple[Path, ...], seed: int, output: Path) -> None:
    console = Console(width=150)
    try:
        build()
        workloads = [*synthetic(seed), *(model(p, DESTINATION_SIZE) for p in (*MODELS, *models))]
        cases = [case for workload in workloads for case in cases_of(workload)]
        records = []
        results = {}
        for compiler in COMPILERS:
            cases_now = cases
            if compiler != MODELLED:
                cases_now = [case for case in cases if case.workload in ("resnet8", "prune")]
            for path in PATHS:
                measured = measure(path, compiler, cases_now)
                results[path, compiler] = measured
                records += [
                    record(path, compiler, case, result)
                    for case, result in zip(cases_now, measured, strict=True)
                ]
        cases_now = [case for case in cases if case.workload == "resnet8"]
        records += [
            record(M4, MODELLED, case, result)
            for case, result in zip(cases_now, measure(M4, MODELLED, cases_now), strict=True)
        ]
        for path in PATHS:
            wanted = ("resnet8", path, MODELLED)
            own = [r for r in records if (r["workload"], r["path"], r["compiler"]) == wanted]
            for entry, result in zip(own, measure(path, UNCHECKED, cases_now), strict=True):
                entry["instructions_unchecked"] = sum(result.instructions)
    except (RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for compiler in COMPILERS:
        formats = [r for r in records if r["compiler"] == compiler and "decoder" not in r]
        show(formats, console)
    show_prune([r for r in records if "decoder" in r], console)
    console.print(WHY_THEY_DIFFER)
    (output / RESULTS.name).write_text(json.dumps(records, indent=1) + "\n")
    by_path = {path: results[path, MODELLED] for path in PATHS}
    write_tensors(output / TENSORS.name, cases, by_path)
    console.print(f"wrote {RESULTS.name} and {TENSORS.name} to {output}: every decode was exact")


if __name__ == "__main__":
    main()
