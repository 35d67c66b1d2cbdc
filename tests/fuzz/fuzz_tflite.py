# SPDX-License-Identifier: Apache-2.0
"""Every command on many mutants of .tflite files: success, or an error that is explained.

Each mutant is packed, inspected or unpacked in a process that goes on from one to the next. Exit
code 0 or 2 is right, and what was packed must verify. A traceback, a defect (exit code 3), a crash,
more than 20 seconds of processor time or more than 2 GB of memory is wrong: the mutant is saved.

    python fuzz_tflite.py --count 2000
    python fuzz_tflite.py --seconds 3600 --also ../../../shared/cases
"""

import argparse
import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

import forked
import mutant
from base_models import bases

from stridepack.cli.failure import exit_code_of
from stridepack.cli.main import run

SECONDS_EACH = 20
MEMORY = 2 * 10**9
AT_ONCE = 250  # mutants of one process, so that few hide behind the memory of another
MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None
REPOSITORY = Path(__file__).resolve().parents[2]


def check(data: bytes, seed: int, folder: Path) -> str:
    """What is wrong with what the commands make of a mutant; empty if nothing is."""
    model = folder / "mutant.tflite"
    model.write_bytes(data)
    command, output = _command(model, seed)
    output.unlink(missing_ok=True)
    begin = time.process_time()
    code, said = _call(command)
    seconds = time.process_time() - begin
    if code not in (0, 2) or "Traceback" in said:
        return f"{' '.join(command)}: exit code {code}: {said}"
    if code == 2 and not said.startswith("stridepack: error: "):
        return f"{' '.join(command)}: not explained: {said}"
    if seconds > SECONDS_EACH:
        return f"{' '.join(command)}: {seconds:.1f} s"
    if (peak := forked.peak_memory()) > MEMORY:
        return f"{' '.join(command)}: {peak:,} bytes of memory"
    if code == 0 and command[0] == "pack":
        code, said = _call(["verify", str(model), str(output), "--weights-only"])
        if code != 0:
            return f"verify after {' '.join(command)}: exit code {code}: {said}"
    return ""


def _command(model: Path, seed: int) -> tuple[list[str], Path]:
    """What is done with a mutant, and the file that it writes."""
    one, again = seed % 8, seed // 8  # so that each mutator meets each command
    smallest = ["--min-size", "0"]
    if one < 4:
        output = model.with_name(("packed.tflite", "packed.spk")[one % 2])
        command = ["pack", *(smallest if one < 2 or again % 2 else [])]
    elif one < 6:
        return ["inspect", str(model), "--json", *smallest], model.with_name("nothing")
    elif one < 7:
        output = model.with_name(("unpacked.tflite", "unpacked.npz")[again % 2])
        command = ["unpack"]
    else:
        name, *command = [
            ("packed.tflite", "pack", "--decoder", "stridepack", *smallest),
            ("packed.tflite", "pack", "--in-ram", *smallest),
            ("packed.cc", "pack", *smallest),
            ("page.html", "report", *smallest),
        ][again % 4]
        output = model.with_name(name)
    return [command[0], str(model), "-o", str(output), *command[1:]], output


def _call(arguments: list[str]) -> tuple[int, str]:
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(errors):
        code = exit_code_of(lambda: run(arguments))
    said = errors.getvalue() + (output.getvalue() if code not in (0, 2) else "")
    return code, "\n".join(x for x in said.splitlines() if not x.startswith("warning: "))


def watch(first: int, count: int, from_here: list[bytes]) -> tuple[int, list[str]]:
    """Check mutants in another process. Returns how many were checked, and what is wrong."""

    def work(say: forked.Say) -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as folder:
            for seed in range(first, first + count):
                wrong = check(mutant.mutant(from_here, seed), seed, Path(folder))
                say(f"{seed} {' '.join(wrong.split())}")

    done, wrong = 0, []
    try:
        for line in forked.lines_of(work):
            seed, _, said = line.strip().partition(" ")
            done += 1
            if said:
                wrong.append(f"seed {seed}: {said}")
    except forked.ChildError as how:
        wrong.append(f"seed {first + done}: {how}")
        done += 1
    return done, wrong


def main() -> None:
    """Check mutants until a number of them or some seconds are over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--also", type=Path, help="a folder of .tflite files to change, too")
    parser.add_argument("--save", type=Path, default=REPOSITORY / "build/tests/fuzz")
    options = parser.parse_args()
    from_here = bases(options.also)
    mutant.prepare(from_here)
    forked.measure_in_forks()
    begin, seed, last = time.monotonic(), options.first, options.first + (options.count or 10**9)
    wrong: list[str] = []
    while seed < last and (options.seconds is None or time.monotonic() - begin < options.seconds):
        # A child that died goes on with the mutant after the one that it died of.
        done, found = watch(seed, min(AT_ONCE, last - seed), from_here)
        for one in found:
            print(one, flush=True)
            options.save.mkdir(parents=True, exist_ok=True)
            number = int(one.split()[1].rstrip(":"))
            path = options.save / f"tflite-{number}.tflite"
            path.write_bytes(mutant.mutant(from_here, number))
        wrong += found
        if (seed + done) // 1000 > seed // 1000:
            print(f"up to seed {seed + done:,}: {time.monotonic() - begin:.0f} seconds", flush=True)
        seed += done
    print(
        f"fuzz_tflite: {seed - options.first:,} mutants, {len(wrong)} wrong, "
        f"{time.monotonic() - begin:.0f} seconds"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
