#!/usr/bin/env python3
"""Start a new format: a copy of an existing one under a new name, in files of its own.

    scripts/new_format.py foo              # a copy of rle
    scripts/new_format.py foo --like psr   # a copy of another format

Afterwards `make check` passes, and `stridepack pack --format foo` works: the copy packs what its
model packs. Change it, file by file, into what it is meant to be.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec/spec.toml"
DOCUMENT = ROOT / "docs/format.md"

# Where the files of a format are. Some formats lack some of them.
FILES = (
    "core/encode_{}.cpp",
    "runtime/src/spk_{}.c",
    "runtime/src/spk_{}.h",
    "runtime/src/mve/spk_{}_mve.c",
    "src/stridepack/formats/{}.py",
    "src/stridepack/reference/{}.py",
    "src/stridepack/cost/work/{}.py",
    "tests/vectors/of_formats/{}.py",
)


def formats() -> dict[str, int]:
    """Wire ids by name."""
    table = SPEC.read_text().split("[formats]\n")[1].split("\n\n")[0]
    return {name: int(wire_id) for name, wire_id in re.findall(r"^(\w+) = (\d+)", table, re.M)}


def renamed(text: str, old: str, new: str) -> str:
    """The text with the name of a format replaced: in identifiers, in macros, in class names."""
    for a, b in ((old, new), (old.upper(), new.upper()), (old.capitalize(), new.capitalize())):
        text = re.sub(rf"(?<![A-Za-z]){a}(?![a-z])", b, text)
    return text


def add_to_spec(name: str) -> None:
    """A line with the next wire id, and the constants that follow from it."""
    names = formats()
    last = max(names, key=names.__getitem__)
    line = f"{last} = {names[last]}\n"
    SPEC.write_text(SPEC.read_text().replace(line, f"{line}{name} = {names[last] + 1}\n", 1))
    subprocess.run([sys.executable, ROOT / "spec/generate.py"], check=True)


def add_to_document(name: str, like: str) -> int:
    """A section at the end of the document. Returns its number."""
    text = DOCUMENT.read_text()
    sections = re.split(r"(?m)^(?=## \d+\. )", text)
    number = len(sections)
    section = next(s for s in sections if re.match(rf"## \d+\. `{like}`", s))
    section = re.sub(r"^## \d+", f"## {number}", renamed(section, like, name))
    DOCUMENT.write_text(f"{text.rstrip()}\n\n{section.rstrip()}\n")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="lower case letters and digits")
    parser.add_argument("--like", default="rle", help="the format to copy; default: rle")
    arguments = parser.parse_args()
    name, like = arguments.name, arguments.like
    if not re.fullmatch(r"[a-z][a-z0-9]*", name):
        parser.error(f"{name!r} is not a name: use lower case letters and digits only.")
    if name in formats():
        parser.error(f"There is a format {name!r} already.")
    if like not in formats():
        parser.error(f"--like {like} is unknown. Choose one of {', '.join(formats())}.")

    add_to_spec(name)
    number = add_to_document(name, like)
    written = ["spec/spec.toml", "docs/format.md"]
    for pattern in FILES:
        source, target = ROOT / pattern.format(like), pattern.format(name)
        if source.exists():
            text = renamed(source.read_text(), like, name)
            text = re.sub(r"(docs/format\.md, section) \d+", rf"\1 {number}", text)
            (ROOT / target).write_text(text)
            written.append(target)
    subprocess.run(["make", "vectors"], cwd=ROOT, check=True)

    print(f"Format {name} is a copy of {like}. These files are its own:", *written, sep="\n  ")
    print("tests/vectors holds its vectors: `make vectors` writes them again after a change.")
    print("Next: `make check`. When it is what it should be: `make bench-m55`, and CHANGELOG.md.")


if __name__ == "__main__":
    main()
