# SPDX-License-Identifier: Apache-2.0
"""Compare what cppcheck says of MISRA C:2012 with the deviations that misra.toml lists.

python tests/static/misra.py           # exit 1 where a rule is missing, or is listed for nothing
python tests/static/misra.py --list    # the rules as a table, with the places of each
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNTIME = HERE.parent.parent / "runtime"
COMMAND = [
    "cppcheck",
    "--std=c99",
    "--addon=misra",
    "--enable=style",
    "--quiet",
    "--inline-suppr",
    "-j1",
]
COMMAND += ["--template={file}:{line}: {id}", "-Iinclude", "-Isrc"]


def is_mistaken(place: str, rule: str) -> bool:
    """In some runs, the addon takes enumerations without a tag for several of one unused tag."""
    file, _, line = place.rpartition(":")
    text = (RUNTIME / file).read_text().splitlines()[int(line) - 1]
    return rule in ("2.4", "5.7") and "enum {" in text


def main() -> None:
    """See the text at the top."""
    listed = tomllib.loads((HERE / "misra.toml").read_text())["rules"]
    files = sorted(str(path.relative_to(RUNTIME)) for path in RUNTIME.glob("src/*.c"))
    # What the addon knows of several files goes to that folder, and not beside the sources.
    with tempfile.TemporaryDirectory() as folder:
        command = [*COMMAND, f"--cppcheck-build-dir={folder}", *files]
        done = subprocess.run(command, cwd=RUNTIME, text=True, capture_output=True, check=True)
    places = sorted(set(re.findall(r"(\S+): misra-c2012-([\d.]+)", done.stderr)))
    if not places:
        sys.exit(
            "misra: cppcheck found nothing at all, so its addon does not work here:\n" + done.stderr
        )
    places = [place for place in places if not is_mistaken(*place)]
    found = Counter(rule for _, rule in places)
    new = [f"{place}: rule {rule}" for place, rule in places if rule not in listed]
    gone = sorted(set(listed) - set(found))
    if "--list" in sys.argv[1:]:
        for rule, reason in listed.items():
            print(f"{rule:6} {found[rule]:4}  {reason}")
    for line in new:
        print(line)
    if new:
        sys.exit("misra: mend these, or list the rule with a reason in tests/static/misra.toml")
    if gone:
        sys.exit(
            f"misra: nothing deviates from {', '.join(gone)} any more; "
            "take it out of tests/static/misra.toml"
        )
    print(
        f"misra: {sum(found.values())} deviations from {len(found)} rules, "
        "all listed in tests/static/misra.toml"
    )


if __name__ == "__main__":
    main()
