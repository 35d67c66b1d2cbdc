# SPDX-License-Identifier: Apache-2.0
"""The stack that decoders take: what spk.h says is what the compiler needs at most."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import stridepack as sp
from stridepack.files.runtime.library import runtime_dir

NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
# Debian's compilers for Arm and RISC-V come without a C library: our <string.h> for it.
NO_LIBRARY = Path(__file__).resolve().parents[1] / "firmware/include"
BUILDS = [
    "cortex-m55 -O2",
    "cortex-m55 -Os",
    "cortex-m4 -O2",
    "cortex-m0plus -Os",
    "rv32imc -O2",
    "rv32imc -Os",
    "cortex-m4 -O0",
]


def compiler_for(build: str) -> str:
    return "riscv64-unknown-elf-gcc" if build.startswith("rv32") else "arm-none-eabi-gcc"


def stack_of_calls(folder: Path, build: str) -> dict[str, int]:
    """Bytes of each function with all that it calls, as if no call gave back its caller's frame."""
    processor, level = build.split()
    flags = [level, "-std=c99", "-fcallgraph-info=su"]
    if processor.startswith("rv32"):
        flags += [f"-march={processor}", "-mabi=ilp32"]
    else:
        flags += [f"-mcpu={processor}", "-mthumb"]
    flags += ["-mfloat-abi=hard"] if processor == "cortex-m55" else []  # Helium
    sources = [str(path) for path in runtime_dir().joinpath("src").rglob("*.c")]
    headers = [f"-I{runtime_dir()}/include", f"-I{NO_LIBRARY}"]
    command = [compiler_for(build), "-ffreestanding", *flags, *headers, "-c", *sources]
    subprocess.run(command, cwd=folder, check=True)
    text = "".join(path.read_text() for path in folder.glob("*.ci"))
    frames = {name: int(size) for name, size in NODE.findall(text)}
    calls: dict[str, set[str]] = {}
    for caller, callee in EDGE.findall(text):
        calls.setdefault(caller, set()).add(callee)
    # A call through a pointer is to one of the functions that the same file has
    for caller in [name for name, called in calls.items() if "__indirect_call" in called]:
        if "spk_reader" in caller or "spk_fetch" in caller:
            continue  # they call the user's function
        file = caller.rpartition(":")[0] or f"spk_{caller.split('_')[1]}"
        calls[caller] |= {n for n in frames if n.startswith(file) and "decode_" in n} - {caller}

    def deepest(name: str) -> int:
        return frames.get(name, 0) + max(map(deepest, calls.get(name, ())), default=0)

    return {name: deepest(name) for name in frames}


@pytest.mark.parametrize("build", BUILDS)
def test_stack_as_the_header_says(tmp_path: Path, build: str) -> None:
    if not shutil.which(compiler_for(build)):
        pytest.skip(f"{compiler_for(build)} is not installed")
    comment = (runtime_dir() / "include/spk.h").read_text().replace("\n * ", " ")
    said = re.search(
        r"at most (\d+) bytes; rans (\d+), huffman (\d+), or (\d+) with Helium\. "
        r"A blob with transforms needs up to (\d+) bytes more.* "
        r"Without optimisation, it is up to (\d+) bytes more without vectors",
        comment,
    )
    assert said, comment
    most, rans, huffman, huffman_helium, transforms, unoptimised = map(int, said.groups())
    if build.endswith("-O0"):
        most, rans, huffman = (limit + unoptimised for limit in (most, rans, huffman))
    limits = dict.fromkeys(sp.formats(), most) | {"rans": rans}
    limits["huffman"] = huffman_helium if "m55" in build else huffman
    stack = stack_of_calls(tmp_path, build)
    # spk_decode_s8 goes through spk_decode_part, which has a frame of its own in some builds
    own = 64
    for name, limit in limits.items():
        for job in ("decode", "validate"):
            needed = stack[f"spk_{name}_{job}"] + own
            assert needed <= limit, (name, job)
            assert job == "validate" or name not in ("rans", "huffman") or needed > limit // 2
    reader = (runtime_dir() / "include/spk_reader.h").read_text()
    more = re.search(r"at most (\d+) bytes more than", reader)
    assert more is not None
    for name in [name for name in stack if name.startswith(("spk_reader", "spk_decode_in_place"))]:
        assert stack[name] <= limits["huffman"] + transforms + int(more[1]), name
    assert stack["spk_decode_s8"] <= limits["huffman"] + transforms
    assert stack["spk_validate"] <= limits["huffman"] + transforms
    assert stack["spk_live_expand"] + own <= most
