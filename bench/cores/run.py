# SPDX-License-Identifier: Apache-2.0
"""Decoding on other cores than the Cortex-M55: exact instructions, code and stack.

    python bench/cores/run.py         # some minutes

QEMU runs the firmware of bench/m55 on an emulated Cortex-M4 and on RISC-V of 32 bits, and counts
from the call of spk_decode_s8 to its return. All bytes are compared. Compiled by clang-19 -O3.
Code for the Cortex-M0 runs on the M4, and code for the Cortex-M33 on the M55, since these have all
their instructions. "riscv32" is rv32imc, which rv32imac equals but for atomics, which nothing uses;
"riscv-v" has the vector extension besides, with vectors of 128 bits. Longer ones run the same
program. They run "resnet8" alone, and so does the M33, which takes what the M4 takes.

Workloads are some of those of bench/m55, and the bundled model. Writes counts.json, a record for
each format, sparsity and core of "resnet8", and tensors.json, a row for each tensor and format, to
which fit.py fits what `stridepack inspect --target` says. The rows of "transforms" are the tensors
of bench/m55/transforms.py.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import click
from rich.console import Console

import stridepack as sp

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build/bench/cores"
COUNTS = HERE / "counts.json"
TENSORS = HERE / "tensors.json"
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "m55"))


def load(name: str) -> ModuleType:
    """A script of bench/m55, under a name of its own."""
    spec = importlib.util.spec_from_file_location(
        f"bench_m55_{name}", HERE.parent / f"m55/{name}.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


m55 = load("run")


@dataclass(frozen=True)
class Core:
    """Which program runs where.

    Attributes
    ----------
    build : str
        Folder of the program.
    machine : tuple of str
        The emulator and what makes its machine.
    image, code : int
        Where the linker script has the image of blobs, and the code.
    """

    build: str
    machine: tuple[str, ...]
    image: int
    code: int = 0


def _virt(build: str, cpu: str) -> Core:
    machine = ("qemu-system-riscv32", "-M", "virt", "-m", "64M", "-bios", "none", "-cpu", cpu)
    return Core(build, machine, 0x81000000, 0x80000000)


def _vectors(bits: int) -> Core:
    return _virt("riscv-v", f"rv32,v=on,vlen={bits},vext_spec=v1.0")


# By workload: the sparsities of it that are counted. bench/m55 has more of some.
SPARSITIES = {
    "resnet8": (0.0, 0.3, 0.5, 0.7, 0.9),
    "channels": (0.2, 0.8),
    "shapes": (0.4, 0.85),
    "structured": (0.5,),
    "tiles": (0.6,),
}

# Bytes of weights and blobs; the boards with an M4 have 16 MiB for them.
MOST_AT_ONCE = 12 << 20

_M4 = ("qemu-system-arm", "-M", "mps2-an386")
CORES = {
    "riscv32": _virt("riscv32", "rv32"),
    "riscv-v": _vectors(128),
    "cortex-m4": Core("cortex-m4", _M4, 0x21000000),
    "cortex-m0": Core("cortex-m0", _M4, 0x21000000),
}
# For "resnet8" at three sparsities alone.
OTHERS = {f"riscv-v, {bits} bits": _vectors(bits) for bits in (256, 512)}
OTHERS["cortex-m33"] = Core("cortex-m33", ("qemu-system-arm", "-M", "mps3-an547"), 0x60000000)
SOME_SPARSITIES = (0.3, 0.5, 0.7)

TOOLS = {
    "make": "make",
    "cc": "gcc",
    "clang-19": "clang-19",
    "ld.lld-19": "lld-19",
    "llvm-ar-19": "llvm-19",
    "llvm-nm-19": "llvm-19",
    "llvm-size-19": "llvm-19",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "timeout": "coreutils",
}


def build() -> None:
    """Build all firmwares and the plugin."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({TOOLS[tool] for tool in missing}))
        raise click.ClickException(f"no {', '.join(missing)}: apt-get install {packages}")
    m55.run("make", "-C", str(HERE), f"-j{os.cpu_count()}", "--no-print-directory")


@dataclass
class Measurement:
    """What decoding a case took: each tensor, and the most of all of them."""

    instructions: list[int]
    stack_bytes: int
    text_bytes: int


def measure(core: Core, cases: list) -> list[Measurement]:
    """Decode all cases on a core, as many at once as its memory holds."""
    results: list[Measurement] = []
    some: list = []
    for case in cases:
        if sum(2 * one.n_weights for one in (*some, case)) > MOST_AT_ONCE:
            results += measure_some(core, some)
            some = []
        some.append(case)
    return results + measure_some(core, some)


def measure_some(core: Core, cases: list) -> list[Measurement]:
    """Decode cases whose image fits into memory. Fails unless every byte is right."""
    folder = BUILD / core.build
    elf = folder / "bench.elf"
    symbols = {
        name: address
        for address, _, name in (
            line.split() for line in m55.run("llvm-nm-19", str(elf)).splitlines()
        )
    }
    n_decodes = sum(len(case.packed) for case in cases)
    with tempfile.TemporaryDirectory() as directory:
        image, counts = Path(directory, "image"), Path(directory, "counts")
        image.write_bytes(m55.build_image(cases))
        markers = f"begin=0x{symbols['count_begin']},end=0x{symbols['count_end']}"
        command = (
            *("timeout", str(m55.TIMEOUT), *core.machine, "-nographic", "-monitor", "none"),
            *("-serial", "null", "-chardev", "stdio,id=host", "-semihosting-config"),
            *("enable=on,target=native,chardev=host", "-kernel", str(elf)),
            *("-device", f"loader,file={image},addr={core.image:#x},force-raw=on"),
            *("-plugin", f"{BUILD / 'libcount.so'},{markers},code={core.code:#x},out={counts}"),
        )
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        stacks = result.stdout.split("\n")[:-1]
        if result.returncode != 0 or len(stacks) != n_decodes:
            raise click.ClickException(
                f"{elf}: exit code {result.returncode} at decode {len(stacks)} of {n_decodes}: "
                f"{stacks[-1:]} {result.stderr[-500:]}"
            )
        regions = m55.read_regions(counts)
    results = []
    for case in cases:
        n = len(case.packed)
        own, own_stacks = regions[:n], stacks[:n]
        del regions[:n], stacks[:n]
        results.append(
            Measurement(
                [sum(count.executed for count in region.values()) for region in own],
                max(map(int, own_stacks)),
                m55.text_nbytes(folder, f"spk_{case.format}_decode"),
            )
        )
    return results


def is_measured(workload: object) -> bool:
    """Whether a workload of bench/m55 is one of those that are counted here."""
    return workload.sparsity in SPARSITIES.get(workload.name, (workload.sparsity,))


def record(core: str, case, result: Measurement) -> dict[str, object]:
    """What counts.json says of a case."""
    return {
        "core": core,
        "format": case.format,
        "sparsity": round(case.sparsity, 4),
        "weights": case.n_weights,
        "instructions": sum(result.instructions),
        "instructions_per_weight": round(sum(result.instructions) / case.n_weights, 4),
        "text_bytes": result.text_bytes,
        "stack_bytes": result.stack_bytes,
    }


def write_tensors(output: Path, cases: list, results: dict[str, list[Measurement]]) -> None:
    """Write tensors.json: for each format a row for each tensor."""
    by_format: dict[str, list[str]] = {}
    for i, case in enumerate(cases):
        for t, (tensor, packed) in enumerate(zip(case.names, case.packed, strict=True)):
            counts = [results[core][i].instructions[t] for core in results]
            where = [case.workload, round(case.sparsity, 4), tensor, packed.n_elements]
            by_format.setdefault(case.format, []).append(json.dumps([*where, *counts]))
    columns = json.dumps(["workload", "sparsity", "tensor", "elements", *results])
    lines = {name: ",\n  ".join(rows) for name, rows in by_format.items()}
    texts = ",\n".join(f'"{name}": [\n  {rows}]' for name, rows in lines.items())
    output.write_text(f'{{"columns": {columns},\n"rows": {{\n{texts}\n}}}}\n')


def transforms() -> list:
    """The cases of bench/m55/transforms.py, with names."""
    sys.modules["run"] = m55
    cases = []
    for name, case in load("transforms").cases():
        case.workload, case.names = "transforms", [name]
        cases.append(case)
    return cases


@click.command(help=__doc__)
@click.option("--seed", default=0, show_default=True)
def main(seed: int) -> None:
    console = Console(width=120)
    build()
    models = [m55.model(m55.MODELS[0], m55.DESTINATION_SIZE)]
    workloads = [*filter(is_measured, m55.synthetic(seed)), *models]
    cases = [
        case
        for workload in workloads
        for case in m55.cases_of(workload)
        if case.decoder == m55.DECODERS[0]
    ]
    cases += transforms()
    records, results = [], {}
    some = [c for c in cases if c.workload == "resnet8" and c.sparsity in SOME_SPARSITIES]
    for name, core in (CORES | OTHERS).items():
        measured_cases = cases if name in CORES else some
        measured = measure(core, measured_cases)
        if name in CORES:
            results[name] = measured
        records += [
            record(name, case, result)
            for case, result in zip(measured_cases, measured, strict=True)
            if case.workload == "resnet8"
        ]
        console.print(f"{name}: every decode was exact", highlight=False)
        COUNTS.write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")
        write_tensors(TENSORS, cases, results)
    console.print(f"wrote {COUNTS.name} and {TENSORS.name} of {len(sp.formats())} formats")


if __name__ == "__main__":
    main()
