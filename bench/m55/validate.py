# SPDX-License-Identifier: Apache-2.0
"""What spk_validate costs with each table of the CRC-32: exact instructions, and bytes of code.

    python bench/m55/validate.py      # some seconds; python bench/documents.py writes the table

QEMU runs firmware for a Cortex-M55 and a Cortex-M4 that validates the tensors of the bundled model
in every format, once with each SPK_CRC32_TABLE. A dense blob costs the checksum and next to
nothing else, so it says what a byte takes. Compiled by clang-19 -O3, the size also by -Os. Writes
bench/results/validate.json.
"""

import json
import tempfile
from pathlib import Path

import click
import run as m55
from cycles import run

import stridepack as sp

OUTPUT = m55.ROOT / "bench/results/validate.json"
RUNTIME = m55.ROOT / "runtime"
FIRMWARE = m55.ROOT / "tests/firmware"
TABLES = (0, 16, 256)
CORES = {"cortex-m55": "m55", "cortex-m4": "m4"}
FLAGS = (
    *("--target=arm-none-eabi", "-mthumb", "-mfloat-abi=hard", "-std=c99", "-ffreestanding"),
    *("-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Werror"),
    *(f"-I{FIRMWARE}/include", f"-I{FIRMWARE}", f"-I{m55.ROOT}/tests/c"),
    *(f"-I{RUNTIME}/include", f"-I{RUNTIME}/src"),
)


def build(core: str, table: int) -> Path:
    """The firmware for a core, with a table of so many entries."""
    elf = m55.BUILD / f"validate-{core}-{table}/bench.elf"
    elf.parent.mkdir(parents=True, exist_ok=True)
    sources = [m55.HERE / "validate.c", m55.HERE / "string.c"]
    sources += [FIRMWARE / name for name in ("startup.c", "semihosting.c")]
    sources += sorted((RUNTIME / "src").glob("*.c")) + sorted((RUNTIME / "src/mve").glob("*.c"))
    flags = (*FLAGS, f"-mcpu={core}", f"-DSPK_CRC32_TABLE={table}", "-O3")
    link = ("-nostdlib", "-fuse-ld=lld-19", f"-L{FIRMWARE}", "-Wl,--gc-sections")
    script = ("-T", str(m55.HERE / f"{CORES[core]}.ld"))
    run("clang-19", *flags, *link, *script, *map(str, sources), "-o", str(elf))
    return elf


def size(core: str, table: int, level: str) -> int:
    """Bytes of code and table of spk_crc32."""
    with tempfile.TemporaryDirectory() as folder:
        flags = (*FLAGS, f"-mcpu={core}", f"-DSPK_CRC32_TABLE={table}", level)
        run("clang-19", *flags, "-c", f"{RUNTIME}/src/spk_crc32.c", "-o", f"{folder}/crc.o")
        line = run("llvm-size-19", f"{folder}/crc.o").splitlines()[1]
        return int(line.split()[0])


@click.command(help=__doc__)
def main() -> None:
    run("make", "-C", str(m55.HERE), f"BUILD={m55.BUILD}", f"{m55.BUILD}/libcount.so")
    workload = m55.model(m55.MODELS[0], m55.DESTINATION_SIZE)
    tensors = list(workload.tensors.values())
    cases = [m55.Case(workload.name, name, workload.sparsity, tensors) for name in sp.formats()]
    n_weights = cases[0].n_weights
    records = []
    for core, script in CORES.items():
        for table in TABLES:
            elf = build(core, table)
            with tempfile.NamedTemporaryFile(suffix=".image") as image:
                image.write(m55.build_image(cases))
                image.flush()
                board = m55.BOARDS.get(script, m55.M55_BOARD)
                n = sum(len(case.packed) for case in cases)
                regions, _ = m55.run_firmware(elf, Path(image.name), n, board)
            counts = [sum(count.executed for count in region.values()) for region in regions]
            of_format = {}
            for case in cases:
                of_format[case.format] = sum(counts[: len(case.packed)])
                del counts[: len(case.packed)]
            dense = sum(packed.nbytes for packed in cases[0].packed)
            record = {
                "core": core,
                "table": table,
                "code_bytes_O3": size(core, table, "-O3"),
                "code_bytes_Os": size(core, table, "-Os"),
                "instructions_per_byte": round(of_format["dense"] / dense, 2),
                "instructions_per_weight": {
                    name: round(count / n_weights, 2) for name, count in of_format.items()
                },
            }
            records.append(record)
            click.echo(json.dumps(record))
    OUTPUT.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
