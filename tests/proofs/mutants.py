# SPDX-License-Identifier: Apache-2.0
"""Remove one bounds check after the other from a copy of the runtime: a proof must fail each time.

python tests/proofs/mutants.py               # all of mutants.toml
python tests/proofs/mutants.py spk_psr.c     # those of one file
"""

import os
import shutil
import sys
import tomllib
from pathlib import Path

import prove

COPY = prove.ROOT / "build/proofs" / f"mutant-{os.getpid()}"


def mutate(file: str, old: str, new: str) -> None:
    """A copy of the sources where one text is replaced by another."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(prove.RUNTIME / "src", COPY)
    path = COPY / file
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"mutants: {old!r} is in {file} {text.count(old)} times, not once")
    path.write_text(text.replace(old, new))


def main() -> None:
    """See the text at the top."""
    listed = tomllib.loads(Path(prove.HERE / "mutants.toml").read_text())["mutant"]
    of_name = {proof.name: proof for proof in prove.proofs()}
    survivors = 0
    for mutant in listed:
        if len(sys.argv) > 1 and mutant["file"] not in sys.argv[1:]:
            continue
        proof = of_name[mutant["proof"]]
        mutate(mutant["file"], mutant["old"], mutant["new"])
        seconds, caught = 0.0, "SURVIVES"
        for case in [case for case in proof.runs if mutant.get("run", "") in case]:
            outcome = prove.run(proof, case, COPY, "--stop-on-fail")
            seconds += outcome.seconds
            if outcome.answer == "error":
                sys.exit(f"mutants: {mutant['old']}\n" + outcome.text[-2000:])
            if outcome.answer == "FAILED":
                caught = "caught"
                break
        survivors += caught != "caught"
        print(
            f"{caught:8} {seconds:6.1f} s  {proof.name:14} {mutant['file']}: {mutant['old']}",
            flush=True,
        )
    shutil.rmtree(COPY, ignore_errors=True)
    if survivors:
        sys.exit(f"{survivors} of these survive")


if __name__ == "__main__":
    main()
