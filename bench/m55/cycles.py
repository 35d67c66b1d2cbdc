# SPDX-License-Identifier: Apache-2.0
"""An ESTIMATE of cycles on a Cortex-M55, from how often each instruction ran. Not a measurement.

The sum of

* for each basic block, how often it ran times what one more pass through it costs in LLVM's model
  of the core (llvm-mca), which is in order and lets the beats of vector instructions overlap;
* 2 for each branch that is taken; none for the ends of low-overhead loops (LE, LETP);
* for each gather and scatter as many cycles as lanes are active, but not less than 2; a lane of 64
  bits counts twice. LLVM says 2, whatever the lanes. A port of other code to silicon measured 48 to
  56 cycles for a loop that would take 14 by that, and 56 at a lane a cycle.

Left out: wait states, caches and bus of whatever memory the weights are in, conflicts between banks
of a TCM, overlap between one block and the next (a block is timed as if it followed itself), what
instruction fetch costs, and the first pass through a low-overhead loop, whose end still branches.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

TAKEN_BRANCH = 2
LOOP_ENDS = {"le", "letp"}
LOOPS = LOOP_ENDS | {"dls", "dlstp", "wls", "wlstp"}  # not in LLVM's model; ends cost nothing
CONDITIONS = "eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"
BRANCH = re.compile(rf"((b|bl|blx|bx)({CONDITIONS})?|cbn?z|tb[bh])(\.w)?$")
GATHER_OR_SCATTER = re.compile(r"v(ldr|str)[bhwd]\w*\.\w+ q\d, \[(\w+, q\d|q\d)")
VECTOR = re.compile(r"\bq[0-7]\b")
MCA = (
    "llvm-mca-19",
    "-mtriple=thumbv8.1m.main-none-eabihf",
    "-mcpu=cortex-m55",
    "-skip-unsupported-instructions=lack-sched",
    "-instruction-info=0",
    "-resource-pressure=0",
)
PASSES = (20, 40)  # a block is costed by the difference, which leaves out how it begins and ends


@dataclass
class Count:
    """What count.c says of one instruction."""

    executed: int
    taken: int
    accesses: int
    excess: int


Region = dict[int, Count]  # by address


def read_regions(path: Path) -> list[Region]:
    """Read count.c's file: a region for each pair of stores."""
    regions: list[Region] = []
    for line in path.read_text().splitlines():
        if line == "region":
            regions.append({})
        else:
            address, *numbers = line.split()
            regions[-1][int(address, 16)] = Count(*map(int, numbers))
    return regions


def add(regions: Iterable[Region]) -> Region:
    """Sum of several regions."""
    total: dict[int, list[int]] = {}
    for region in regions:
        for address, count in region.items():
            sums = total.setdefault(address, [0, 0, 0, 0])
            sums[:] = (a + b for a, b in zip(sums, astuple(count), strict=True))
    return {address: Count(*sums) for address, sums in total.items()}


def run(*command: str, stdin: str | None = None) -> str:
    """Output of a command; its errors in the exception when it fails."""
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr[-2000:]}")
    return result.stdout


class Program:
    """An ELF file, disassembled, and the costs of its blocks."""

    def __init__(self, elf: Path) -> None:
        listing = run("llvm-objdump-19", "-d", "--no-show-raw-insn", "--mcpu=cortex-m55", str(elf))
        lines = re.findall(r"^ *([0-9a-f]+):\s+(.*)$", listing, re.MULTILINE)
        self.text: dict[int, str] = {}
        for address, line in lines:
            self.text[int(address, 16)] = " ".join(line.split("@")[0].split())
        self._next = dict(zip(self.text, list(self.text)[1:], strict=False))
        # By the address of the branch: what was never executed may be data that looks like one.
        self._targets = {
            address: int(target, 16)
            for address, text in self.text.items()
            if self._ends_block(text)
            for target in re.findall(r"0x([0-9a-f]+) <", text)
        }
        self._costs: dict[tuple[str, ...], float] = {(): 0.0}

    @staticmethod
    def _ends_block(text: str) -> bool:
        name = text.split(maxsplit=1)[0]
        jumps = BRANCH.match(name) or re.search(r"\bpc\b", text)
        return jumps is not None or name.split(".")[0] in LOOPS

    def blocks(self, region: Region) -> Iterator[list[int]]:
        """Addresses of instructions that ran one after the other, and equally often."""
        targets = {self._targets[address] for address in region.keys() & self._targets.keys()}
        block: list[int] = []
        for address in sorted(region):
            if block and (
                address != self._next.get(block[-1])
                or address in targets
                or self._ends_block(self.text[block[-1]])
                or region[address].executed != region[block[-1]].executed
            ):
                yield block
                block = []
            block.append(address)
        if block:
            yield block

    def _code(self, block: list[int]) -> tuple[str, ...]:
        """A block as llvm-mca reads it: loop instructions left out, and labels for addresses.

        Calls become jumps: llvm-mca would charge 100 cycles for what is called.
        """
        code = []
        for text in (self.text[address] for address in block):
            name = text.split(maxsplit=1)[0]
            if name in {"bl", "blx", "bx"}:
                code.append("b target")
            elif name.split(".")[0] not in LOOPS:
                code.append(re.sub(r"0x[0-9a-f]+ <.*>", "target", text).split(" <")[0])
        return tuple(code)

    def learn(self, regions: Iterable[Region]) -> None:
        """Cost all blocks of some regions, with two runs of llvm-mca."""
        codes = {self._code(block) for region in regions for block in self.blocks(region)}
        new = sorted(codes - self._costs.keys())
        if not new:
            return
        source = "".join(
            f"@ LLVM-MCA-BEGIN {i}\n" + "\n".join(code) + f"\n@ LLVM-MCA-END {i}\n"
            for i, code in enumerate(new)
        )
        few, many = (
            [
                int(cycles)
                for cycles in re.findall(
                    r"^Total Cycles: +(\d+)",
                    run(*MCA, f"-iterations={passes}", "-", stdin=f"{source}target:\n"),
                    re.MULTILINE,
                )
            ]
            for passes in PASSES
        )
        if not len(few) == len(many) == len(new):
            raise RuntimeError(f"llvm-mca timed {len(few)} and {len(many)} blocks of {len(new)}")
        for code, a, b in zip(new, few, many, strict=True):
            self._costs[code] = (b - a) / (PASSES[1] - PASSES[0])

    def cycles(self, region: Region) -> float:
        """The estimate. Cheap for regions that `learn` has seen."""
        self.learn([region])
        total = 0.0
        for block in self.blocks(region):
            total += region[block[0]].executed * self._costs[self._code(block)]
        for address, count in region.items():
            text = self.text[address]
            if self._ends_block(text) and text.split(maxsplit=1)[0] not in LOOP_ENDS:
                total += TAKEN_BRANCH * count.taken
            if GATHER_OR_SCATTER.match(text):
                total += count.excess
        return total

    def vector_instructions(self, region: Region) -> int:
        """How many vector instructions ran."""
        return sum(c.executed for a, c in region.items() if VECTOR.search(self.text[a]))
