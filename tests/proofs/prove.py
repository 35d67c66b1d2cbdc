# SPDX-License-Identifier: Apache-2.0
"""Prove what proofs.toml lists about the C runtime, with CBMC.

    python tests/proofs/prove.py                 # every proof
    python tests/proofs/prove.py --short        # those of `make test`, if there is a cbmc
    python tests/proofs/prove.py psr rle         # these
    python tests/proofs/prove.py --record        # the same; write bench/results/proofs.json

A proof fails where a read or a write may leave its object, an operation may have undefined
behaviour, a loop may go on, or an assertion of the harness may not hold, for any value of what the
harness leaves open. Each harness then runs once more to show that it can come to where it says
REACHED, so that nothing holds only because nothing happens.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import loop_rules

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RUNTIME = ROOT / "runtime"
RESULTS = ROOT / "bench/results/proofs.json"
CHECKS = ["--unwinding-assertions", "--div-by-zero-check"]
SECONDS = 900  # of processor time that a run may take


@dataclass(frozen=True)
class Proof:
    """One entry of proofs.toml; `runs` are its cases, with those of its `kinds`."""

    name: str
    harness: str
    claim: str
    bounds: str
    runs: list[str]
    unwind: int
    loops: list[str]
    cuts: list[str]
    short: bool
    strings: bool


@dataclass(frozen=True)
class Outcome:
    """What CBMC answered, or `error`, and the processor time that it took."""

    answer: str
    seconds: float
    text: str


def proofs() -> list[Proof]:
    """Those of proofs.toml."""
    listed = tomllib.loads((HERE / "proofs.toml").read_text())

    def runs(entry: dict[str, Any]) -> list[str]:
        kinds = listed["kinds"][entry["kinds"]] if "kinds" in entry else []
        return kinds + entry.get("runs", []) or [""]

    return [
        Proof(
            name=entry["name"],
            harness=entry["harness"],
            claim=entry["claim"],
            bounds=entry["bounds"],
            runs=runs(entry),
            unwind=entry["unwind"],
            loops=entry.get("loops", []),
            cuts=entry.get("cuts", []),
            short=entry.get("short", False),
            strings=entry.get("strings", False),
        )
        for entry in listed["proof"]
    ]


def run(proof: Proof, case: str, sources: Path, *more: str) -> Outcome:
    """CBMC on one case, with the sources of a folder, which gets a copy with the loop rules."""
    folder = ROOT / "build/proofs"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as copy:
        return run_in(Path(copy), proof, case, sources, *more)


def run_in(copy: Path, proof: Proof, case: str, sources: Path, *more: str) -> Outcome:
    """The same, with that folder for the copy."""
    rules = [HERE / "loops" / f"{name}.toml" for name in proof.loops]
    loop_rules.annotate(sources, rules, proof.cuts, copy)
    command = [os.environ.get("CBMC", "cbmc"), str(HERE / proof.harness), *case.split()]
    command += [f"-I{copy}", f"-I{HERE}", f"-I{RUNTIME / 'include'}", "--no-malloc-may-fail"]
    command += ["--no-standard-checks"] if "-DREACH" in case else CHECKS
    command += ["-DMODEL_STRING"] * proof.strings
    command += ["--unwind", str(proof.unwind), *more]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    done = subprocess.run(command, text=True, capture_output=True, preexec_fn=limit, check=False)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    answers = {0: "proved", 10: "FAILED"}
    return Outcome(answers.get(done.returncode, "error"), seconds, done.stdout + done.stderr)


def failures(text: str) -> list[str]:
    """The lines of CBMC's answer that say what fails."""
    lines = [line for line in text.splitlines() if line.endswith(": FAILURE")]
    return lines or text.splitlines()[-5:]


def reaches(proof: Proof, case: str, sources: Path) -> Outcome:
    """Whether the harness comes to every place that it says it reaches."""
    outcome = run(proof, f"{case} -DREACH", sources)
    places = [line for line in outcome.text.splitlines() if " reached: " in line]
    reached = places and all(line.endswith("FAILURE") for line in places)
    return Outcome("proved" if reached else "UNREACHED", outcome.seconds, outcome.text)


def prove(chosen: list[Proof], *, reach: bool) -> dict[str, float]:
    """Run the proofs, print a line for each, and return what each took; exit where one fails."""
    took: dict[str, float] = {}
    for proof in chosen:
        seconds = 0.0
        answers = set()
        for case in proof.runs:
            outcomes = [run(proof, case, RUNTIME / "src")]
            if reach and outcomes[0].answer == "proved":
                outcomes.append(reaches(proof, case, RUNTIME / "src"))
            seconds += outcomes[0].seconds
            answers |= {outcome.answer for outcome in outcomes}
            for outcome in outcomes:
                if outcome.answer != "proved":
                    print(
                        f"{proof.name} {case}: {outcome.answer}",
                        *failures(outcome.text),
                        sep="\n  ",
                    )
            if answers != {"proved"}:
                break
        print(
            f"{proof.name:16} {', '.join(sorted(answers)):9} {seconds:7.1f} s  {proof.bounds}",
            flush=True,
        )
        if answers == {"proved"}:
            took[proof.name] = round(seconds, 1)
    return took


def record(known: list[Proof], chosen: list[Proof], took: dict[str, float]) -> None:
    """Write what was proved, and keep what earlier runs have written of proofs not chosen now."""
    earlier = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    again = {p.name for p in chosen}
    kept = {entry["name"]: entry for entry in earlier if entry["name"] not in again}
    entries = []
    for p in known:
        entry = {"name": p.name, "claim": p.claim, "bounds": p.bounds, "runs": p.runs}
        if p.name in took:
            entries.append({**entry, "seconds": took[p.name]})
        elif p.name in kept and kept[p.name]["runs"] == p.runs:
            entries.append({**entry, "seconds": kept[p.name]["seconds"]})
    RESULTS.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """See the text at the top."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if not shutil.which(os.environ.get("CBMC", "cbmc")):
        if given.short:
            print("proofs: skipped, because there is no cbmc here (it is a package of Debian 13)")
            return
        sys.exit(
            "proofs: there is no cbmc here. Debian 13 has it: "
            "scripts/fresh-machine.sh trixie 'make proofs'"
        )
    known = proofs()
    unknown = set(given.names) - {proof.name for proof in known}
    if unknown:
        sys.exit(f"proofs: there is no proof {', '.join(sorted(unknown))}; see proofs.toml")
    if given.names:
        chosen = [p for p in known if p.name in given.names]
    else:
        chosen = [p for p in known if p.short or not given.short]
    took = prove(chosen, reach=not given.short)
    if given.record:
        record(known, chosen, took)
    if len(took) != len(chosen):
        sys.exit("proofs: not all of these are proved")


if __name__ == "__main__":
    main()
