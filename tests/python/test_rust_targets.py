# SPDX-License-Identifier: Apache-2.0
"""build.rs of the Rust crate: it compiles for the processor and the ABI of Rust's target."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cargo import require_cargo

from stridepack.files.runtime import write_runtime

ARM = "-mthumb -mfloat-abi="
RISCV64 = "-mcmodel=medany "
FLAGS = {
    "thumbv6m-none-eabi": f"{ARM}soft -march=armv6-m",
    "thumbv7m-none-eabi": f"{ARM}soft -march=armv7-m",
    "thumbv7em-none-eabi": f"{ARM}soft -march=armv7e-m",
    "thumbv7em-none-eabihf": f"{ARM}hard -march=armv7e-m+fp",
    "thumbv8m.base-none-eabi": f"{ARM}soft -march=armv8-m.base",
    "thumbv8m.main-none-eabi": f"{ARM}soft -march=armv8-m.main",
    "thumbv8m.main-none-eabihf": f"{ARM}hard -march=armv8-m.main+fp",
    "riscv32i-unknown-none-elf": "-mabi=ilp32 -march=rv32i",
    "riscv32im-unknown-none-elf": "-mabi=ilp32 -march=rv32im",
    "riscv32ima-unknown-none-elf": "-mabi=ilp32 -march=rv32ima",
    "riscv32imc-unknown-none-elf": "-mabi=ilp32 -march=rv32imc",
    "riscv32imac-unknown-none-elf": "-mabi=ilp32 -march=rv32imac",
    "riscv32imafc-unknown-none-elf": "-mabi=ilp32f -march=rv32imafc",
    "riscv32emc-unknown-none-elf": "-mabi=ilp32e -march=rv32emc",
    "riscv64im-unknown-none-elf": f"-mabi=lp64 {RISCV64}-march=rv64im",
    "riscv64imac-unknown-none-elf": f"-mabi=lp64 {RISCV64}-march=rv64imac",
    "riscv64gc-unknown-none-elf": f"-mabi=lp64d {RISCV64}-march=rv64gc",
}
# What readelf says of an object: its class, its ABI, and its processor. For RISC-V, the ABI is a
# number: 1 for compressed instructions, 2 and 4 for float and double in registers, 8 for rv32e.
ELF = {
    "thumbv6m-none-eabi": ("ELF32", None, "v6-M"),
    "thumbv7m-none-eabi": ("ELF32", None, "v7"),
    "thumbv7em-none-eabi": ("ELF32", None, "v7E-M"),
    "thumbv7em-none-eabihf": ("ELF32", "VFP registers", "v7E-M"),
    "thumbv8m.base-none-eabi": ("ELF32", None, "v8-M.baseline"),
    "thumbv8m.main-none-eabi": ("ELF32", None, "v8-M.mainline"),
    "thumbv8m.main-none-eabihf": ("ELF32", "VFP registers", "v8-M.mainline"),
    "riscv32i-unknown-none-elf": ("ELF32", "0x0", "rv32i"),
    "riscv32im-unknown-none-elf": ("ELF32", "0x0", "rv32im"),
    "riscv32ima-unknown-none-elf": ("ELF32", "0x0", "rv32ima"),
    "riscv32imc-unknown-none-elf": ("ELF32", "0x1", "rv32imc"),
    "riscv32imac-unknown-none-elf": ("ELF32", "0x1", "rv32imac"),
    "riscv32imafc-unknown-none-elf": ("ELF32", "0x3", "rv32imafc"),
    "riscv32emc-unknown-none-elf": ("ELF32", "0x9", "rv32emc"),
    "riscv64im-unknown-none-elf": ("ELF64", "0x0", "rv64im"),
    "riscv64imac-unknown-none-elf": ("ELF64", "0x1", "rv64imac"),
    "riscv64gc-unknown-none-elf": ("ELF64", "0x5", "rv64imafdc"),
}
# Debian's compiler for RISC-V comes without a C library: our <string.h> for it. With
# -ffreestanding, the compiler has a <stdint.h> of its own.
NO_LIBRARY = Path(__file__).resolve().parents[1] / "firmware/include"
# A tool that writes down what it was called with. The last argument names the output.
TOOL = '#!/bin/sh\necho "${0##*/} $*" >> "$CALLS"\nfor last; do :; done\n: > "$last"\n'
HOST = "x86_64-unknown-linux-gnu"


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the crate, its build.rs compiled, and tools that only write down their calls."""
    require_cargo()
    folder = tmp_path_factory.mktemp("crate")
    write_runtime(folder, package="rust")
    for source in folder.rglob("*.c"):  # the decoders of one format, which take less time than all
        if "bitmap" not in source.name:
            source.unlink()
    rustc = os.environ.get("RUSTC", "rustc")
    subprocess.run([rustc, "--edition", "2024", "build.rs", "-o", "build"], cwd=folder, check=True)
    for prefix in ("", "arm-none-eabi-", "riscv64-unknown-elf-"):
        for name in ("gcc", "ar", "cc"):
            tool = folder / "tools" / f"{prefix}{name}"
            tool.parent.mkdir(exist_ok=True)
            tool.write_text(TOOL)
            tool.chmod(0o755)
    return folder


def build(crate: Path, out: Path, target: str, code: int = 0, **variables: str) -> str:
    """Run build.rs as cargo does. What it says of errors."""
    ours = ("CC", "AR", "STRIDEPACK", "CARGO")
    inherited = {name: it for name, it in os.environ.items() if not name.startswith(ours)}
    cargo = {"TARGET": target, "HOST": HOST, "OPT_LEVEL": "0", "OUT_DIR": str(out)}
    formats = {f"CARGO_FEATURE_{it}": "1" for it in (crate / "formats.txt").read_text().split()}
    done = subprocess.run(
        [crate / "build"],
        cwd=crate,
        env=inherited | cargo | formats | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def calls(crate: Path, out: Path, target: str, **variables: str) -> list[list[str]]:
    """The first call of the compiler, and that of the archiver."""
    log = out / "calls"
    path = f"{crate / 'tools'}:{os.environ['PATH']}"
    build(crate, out, target, PATH=path, CALLS=str(log), **variables)
    lines = [line.split() for line in log.read_text().splitlines()]
    log.unlink()
    return [lines[0], lines[-1]]


def of_processor(call: list[str]) -> str:
    return " ".join(flag for flag in call if re.match("-m|-D", flag))


@pytest.mark.parametrize("target", FLAGS)
def test_the_processor_is_that_of_the_target(crate: Path, tmp_path: Path, target: str) -> None:
    compiler, archiver = calls(crate, tmp_path, target)
    assert of_processor(compiler) == FLAGS[target]
    prefix = "arm-none-eabi" if target.startswith("thumb") else "riscv64-unknown-elf"
    assert (compiler[0], archiver[0]) == (f"{prefix}-gcc", f"{prefix}-ar")


def test_the_user_has_the_last_word(crate: Path, tmp_path: Path) -> None:
    def flags(target: str, of_user: str) -> str:
        return of_processor(calls(crate, tmp_path, target, STRIDEPACK_CFLAGS=of_user)[0])

    riscv, arm = "riscv32imc-unknown-none-elf", "thumbv8m.main-none-eabihf"
    assert flags(riscv, "-DA=1") == f"{FLAGS[riscv]} -DA=1"
    assert flags(riscv, "-march=rv32imc_zba") == "-mabi=ilp32 -march=rv32imc_zba"
    assert flags(riscv, "-march=rv32if -mabi=ilp32f") == "-mabi=ilp32 -march=rv32if -mabi=ilp32f"
    assert flags(riscv, "-mcpu=sifive-e31") == "-mabi=ilp32 -mcpu=sifive-e31"
    assert flags(arm, "-mcpu=cortex-m55") == f"{ARM}hard -mcpu=cortex-m55"


def test_other_riscv_targets_with_a_tool_of_the_user(crate: Path, tmp_path: Path) -> None:
    """Compilers for more than one processor need the flags as much."""
    target = "riscv32imc-esp-espidf"
    name = target.replace("-", "_")
    tools = {f"CC_{name}": "gcc", f"AR_{name}": "ar"}
    (compiler, archiver) = calls(crate, tmp_path, target, **tools)
    assert of_processor(compiler) == FLAGS["riscv32imc-unknown-none-elf"]
    assert (compiler[0], archiver[0]) == ("gcc", "ar")
    (compiler, _) = calls(crate, tmp_path, "armv7r-none-eabihf", CC="gcc", AR="ar")
    assert of_processor(compiler) == ""


def test_the_host_takes_its_own_compiler(crate: Path, tmp_path: Path) -> None:
    (compiler, archiver) = calls(crate, tmp_path, HOST)
    assert (compiler[0], archiver[0], of_processor(compiler)) == ("cc", "ar", "")


@pytest.mark.parametrize(
    "target",
    [
        "armv7r-none-eabihf",
        "thumbv7a-none-eabihf",
        "thumbv7neon-unknown-linux-gnueabihf",
        "riscv32imc-esp-espidf",
        "riscv64a23-unknown-none-elf",
        "riscv64-unknown-none-elf",
        "riscv128i-unknown-none-elf",
        "riscv32imq-unknown-none-elf",
        "aarch64-unknown-none",
        "i686-unknown-linux-gnu",
    ],
)
def test_other_targets_are_refused(crate: Path, tmp_path: Path, target: str) -> None:
    name = target.replace("-", "_")
    said = build(crate, tmp_path, target, code=101, PATH=f"{crate}/tools", CALLS="/dev/null")
    assert (
        f"There is no default compiler for {target}. Set CC_{name} and AR_{name} to its tools, "
        "and STRIDEPACK_CFLAGS to the flags that name its processor.\n"
    ) in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ELF)
def test_objects_are_for_the_target(crate: Path, tmp_path: Path, target: str) -> None:
    """With the compiler for it, where that is installed."""
    is_arm = target.startswith("thumb")
    prefix = "arm-none-eabi" if is_arm else "riscv64-unknown-elf"
    if not shutil.which(f"{prefix}-gcc"):
        pytest.skip(f"{prefix}-gcc is not installed")
    build(crate, tmp_path, target, STRIDEPACK_CFLAGS=f"-ffreestanding -isystem {NO_LIBRARY}")
    command = [f"{prefix}-readelf", "-hA", tmp_path / "libstridepack.a"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    objects = done.stdout.split("\nFile: ")[1:]
    assert len(objects) == len(list(crate.rglob("*.c"))) > 1
    for text in objects:
        assert described(text, is_arm) == ELF[target]


def described(text: str, is_arm: bool) -> tuple[str, str | None, str]:
    """Of what readelf prints: the class, what is said of the ABI, and the processor."""

    def found(pattern: str) -> str | None:
        match = re.search(pattern, text)
        return match[1] if match else None

    if is_arm:
        abi, processor = found(r"Tag_ABI_VFP_args: (.*)"), found(r"Tag_CPU_arch: (.*)")
    else:
        abi = found(r"Flags: +(0x\w+)")
        versions = found(r'Tag_RISCV_arch: "(.*)"') or ""
        # Of rv32i2p1_m2p0_zmmul1p0: rv32im. The long names are parts of the letters.
        parts = [re.sub(r"\d+p\d+$", "", part) for part in versions.split("_")]
        processor = parts[0] + "".join(part for part in parts[1:] if len(part) == 1)
    return found(r"Class: +(\w+)") or "", abi, processor or ""
