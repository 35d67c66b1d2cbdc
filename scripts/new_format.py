#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Start a new format: a copy of an existing one under a new name, in files of its own.

    scripts/new_format.py foo              # a copy of rle
    scripts/new_format.py foo --like psr   # a copy of another format

Afterwards `make check` passes, and `stridepack pack --format foo` works: the copy packs what its
model packs. Change it, file by file, into what it is meant to be. When a step fails, the script
says how to undo those before it.
"""

import argparse
import keyword
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from long_lines import wrapped

ROOT = Path(__file__).resolve().parent.parent
SPEC = "spec/spec.toml"
DOCUMENT = "docs/format.md"
GENERATED = ("runtime/include/spk_spec.h", "src/stridepack/_spec.py")
VECTORS = ("tests/vectors/valid", "tests/vectors/invalid")

# Where the files of a format are. Some formats lack some of them.
FILES = (
    "core/encode_{}.hpp",
    "core/encode_{}.cpp",
    "runtime/src/spk_{}.c",
    "runtime/src/spk_{}.h",
    "runtime/src/mve/spk_{}_mve.c",
    "runtime/src/rvv/spk_{}_rvv.c",
    "src/stridepack/formats/{}.py",
    "src/stridepack/reference/{}.py",
    "src/stridepack/cost/work/{}.py",
    "tests/vectors/of_formats/{}.py",
)

TOOLS = ("ruff", "clang-format")

# Where names may be declared that a format uses and that are not its own
SHARED = ("core/*.hpp", "runtime/src/*.h", "runtime/src/*/*.h", "tests/vectors/*.py")


def formats(root: Path) -> dict[str, int]:
    """Wire ids by name."""
    spec = tomllib.loads((root / SPEC).read_text())
    return {name: int(wire_id) for name, wire_id in spec["formats"].items()}


def files_of(root: Path, name: str) -> list[str]:
    """Those files of a format that there are."""
    paths = [pattern.format(name) for pattern in FILES]
    return [path for path in paths if (root / path).exists()]


def not_renamed(root: Path, old: str) -> frozenset[str]:
    """Names with a format's name in them that are not the format's own.

    These are the limits of the specification, and what is declared in files of no format.
    """
    limits = tomllib.loads((root / SPEC).read_text())["limits"]
    names = {prefix + limit.upper() for limit in limits for prefix in ("", "SPK_")}
    of_formats = {root / path for name in formats(root) for path in files_of(root, name)}
    for pattern in SHARED:
        for path in sorted({*root.glob(pattern)} - of_formats):
            names.update(re.findall(rf"\w*{old}\w*", path.read_text()))
    return frozenset(names - {old})


def renamed(text: str, old: str, new: str, keep: frozenset[str] = frozenset()) -> str:
    """The text with the name of a format replaced: in identifiers, in macros, in class names.

    Names in `keep` stay, and so does a Huffman code, which is not the format.
    """

    def of_word(match: re.Match[str]) -> str:
        word = match[0]
        if old not in word.lower():  # nearly all words
            return word
        is_code = word == old.capitalize() and re.match(r"\s+cod(e|es|ing)\b", text[match.end() :])
        if word in keep or is_code:
            return word
        for a, b in ((old, new), (old.upper(), new.upper()), (old.capitalize(), new.capitalize())):
            word = re.sub(rf"(?<![A-Za-z]){a}(?![a-z])", b, word)
        return word

    return re.sub(r"\w+", of_word, text)


def add_to_spec(root: Path, name: str) -> None:
    """A line with the next wire id."""
    names = formats(root)
    last = max(names, key=names.__getitem__)
    line = f"{last} = {names[last]}\n"
    text = (root / SPEC).read_text()
    (root / SPEC).write_text(text.replace(line, f"{line}{name} = {names[last] + 1}\n", 1))


def add_to_document(root: Path, name: str, like: str) -> tuple[int, int]:
    """A section at the end of the document. Returns the numbers of the model's and of the new."""
    text = (root / DOCUMENT).read_text()
    sections = re.split(r"(?m)^(?=## \d+\. )", text)
    new = len(sections)
    old = next(i for i, s in enumerate(sections) if re.match(rf"## \d+\. `{like}`", s))
    keep = not_renamed(root, like)
    section = re.sub(r"^## \d+", f"## {new}", renamed(sections[old], like, name, keep))
    (root / DOCUMENT).write_text(f"{text.rstrip()}\n\n{section.rstrip()}\n")
    return old, new


def copy_files(root: Path, name: str, like: str, old: int, new: int) -> list[str]:
    """Copies of all files of a format. old, new: their sections of the document."""
    keep = not_renamed(root, like)
    written = []
    for path in files_of(root, like):
        target = next(p.format(name) for p in FILES if p.format(like) == path)
        text = renamed((root / path).read_text(), like, name, keep)
        text = re.sub(rf"(docs/format\.md,[\s*/#]+section[\s*/#]+){old}\b", rf"\g<1>{new}", text)
        (root / target).write_text(text)
        written.append(target)
    return written


def format_files(root: Path, paths: Iterable[str], bin: Path) -> bool:
    """Apply the formatters of the folder, or others that are installed. False where none are."""
    found = [shutil.which(tool, path=f"{bin}:{os.environ['PATH']}") for tool in TOOLS]
    python = [path for path in paths if path.endswith(".py")]
    for path in python:
        (root / path).write_text(wrapped((root / path).read_text()))
    if None in found:
        return False
    ruff, clang_format = map(str, found)
    for command in (("format", "-q"), ("check", "-q", "--fix")):
        subprocess.run([ruff, *command, *python], cwd=root, check=True)
    rest = [path for path in paths if not path.endswith(".py")]
    subprocess.run([clang_format, "-i", *rest], cwd=root, check=True)
    return True


def why_not(root: Path, name: str, like: str) -> str:
    """Why a format cannot be called so; empty when it can."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,15}", name):
        return f"{name!r} is not a name. Use 2 to 16 lower case letters and digits."
    if name in formats(root):
        return f"There is a format {name!r} already."
    if like not in formats(root):
        return f"--like {like} is unknown. Choose one of {', '.join(formats(root))}."
    if files_of(root, name):
        return f"{files_of(root, name)[0]} exists already. Choose another name."
    texts = [(root / path).read_text() for path in files_of(root, like)]
    words = {word.lower() for text in texts for word in re.findall(r"[A-Za-z0-9]+", text)}
    if name == "auto" or name in words or keyword.iskeyword(name):
        return f"{name!r} has another meaning in the files of {like}. Choose another name."
    return ""


def how_to_undo(name: str) -> str:
    """The commands that bring back what there was."""
    changed = " ".join((SPEC, DOCUMENT, *GENERATED, *VECTORS))
    added = " ".join((*(pattern.format(name) for pattern in FILES), *VECTORS))
    return (
        "Some files were written before that. These commands remove them, and with them every\n"
        "other change in these places that is not committed:\n"
        f"  git checkout -- {changed}\n"
        f"  git clean -f -- {added}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="lower case letters and digits")
    parser.add_argument("--like", default="rle", help="the format to copy; default: rle")
    arguments = parser.parse_args()
    name, like = arguments.name, arguments.like
    if why := why_not(ROOT, name, like):
        parser.error(why)

    try:
        add_to_spec(ROOT, name)
        subprocess.run([sys.executable, ROOT / "spec/generate.py"], check=True)
        written = copy_files(ROOT, name, like, *add_to_document(ROOT, name, like))
        venv = os.environ.get("VENV", ".venv")
        if not format_files(ROOT, written, ROOT / venv / "bin"):
            subprocess.run(["make", f"{venv}/.develop"], cwd=ROOT, check=True)
            format_files(ROOT, written, ROOT / venv / "bin")
        subprocess.run(["make", "vectors"], cwd=ROOT, check=True)
    except BaseException as error:
        print(f"scripts/new_format.py: {error or type(error).__name__}", file=sys.stderr)
        print(how_to_undo(name), file=sys.stderr)
        sys.exit(1)

    print(f"Format {name} is a copy of {like}. These files are its own:", *written, sep="\n  ")
    print(f"It has a line in {SPEC} and a section at the end of {DOCUMENT}.")
    print("tests/vectors holds its vectors: `make vectors` writes them again after a change.")
    print("Next: `make check`. When it is what it should be: `make bench-m55`, and CHANGELOG.md.")


if __name__ == "__main__":
    main()
