# SPDX-License-Identifier: Apache-2.0
"""Run what README.md and docs/*.md show, and write into them what it prints.

    python scripts/document_outputs.py            # rewrite the outputs
    python scripts/document_outputs.py --check    # write nothing; exit 1 if a document differs

The blocks of a document run in their order, in one empty folder that has a copy of the bundled
model, as examples/resnet8_cifar10_50.tflite and as model.tflite.

    ```sh       commands; what they print is not shown
    ```console  lines that start with "$ ", each followed by what it prints
    ```python   a program; a ```text block right after it is what it prints
    ```c        a program that is saved as main.c and must compile without a warning

Every command must succeed. A comment <!-- not run: why --> above a block leaves it out.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODEL = "examples/resnet8_cifar10_50.tflite"
COMPILE = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'runtime/include'}", "-I."]
NOT_RUN = "<!-- not run:"


class SnippetError(Exception):
    """A snippet that does not run."""


@dataclass
class Block:
    """A fenced block, or a line of text outside of them."""

    language: str | None  # None: text outside
    lines: list[str]


def blocks(text: str) -> Iterator[Block]:
    """Cut a document into blocks and the lines between them."""
    block: Block | None = None
    for line in text.splitlines():
        if block is not None and line != "```":
            block.lines.append(line)
        elif block is not None:
            yield block
            block = None
        elif match := re.fullmatch(r"```(\w*)", line):
            block = Block(match[1], [])
        else:
            yield Block(None, [line])


def rewritten(text: str) -> str:
    """A document as it should be: with the outputs that its snippets give now."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").mkdir()
        shutil.copy(ROOT / MODEL, folder / MODEL)
        shutil.copy(ROOT / MODEL, folder / "model.tflite")
        printed: list[str] | None = None  # what a program printed, until text follows
        leave_out = False
        new: list[str] = []
        for block in blocks(text):
            lines = block.lines
            if block.language is None:
                new += lines
                if lines[0]:
                    printed, leave_out = None, lines[0].startswith(NOT_RUN)
                continue
            if not leave_out:
                if block.language == "sh":
                    run(["bash", "-ec", "\n".join(lines)], folder)
                elif block.language == "console":
                    lines = console(lines, folder)
                elif block.language == "c":
                    (folder / "main.c").write_text("\n".join(lines) + "\n")
                    run([*COMPILE, "-c", "main.c", "-o", os.devnull], folder)
                elif block.language == "text" and printed is not None:
                    lines = printed
            is_program = block.language == "python" and not leave_out
            printed = program(lines, folder) if is_program else None
            leave_out = False
            new += [f"```{block.language}", *lines, "```"]
        return "\n".join(new) + "\n"


def console(lines: list[str], folder: Path) -> list[str]:
    """Run every line that starts with "$ "; give it back with what it prints."""
    new: list[str] = []
    for line in lines:
        if line.startswith("$ "):
            new += [line, *run(["bash", "-ec", line[2:]], folder)]
    return new


def program(lines: list[str], folder: Path) -> list[str]:
    """Run a Python program; give what it prints."""
    (folder / "example.py").write_text("\n".join(lines) + "\n")
    return run([sys.executable, "example.py"], folder)


def run(command: list[str], folder: Path) -> list[str]:
    """Run a command; give the lines it prints, errors among them, without trailing spaces."""
    path = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    result = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if result.returncode:
        raise SnippetError(f"exit code {result.returncode} of: {command[-1]}\n{result.stdout}")
    return [line.rstrip() for line in result.stdout.splitlines()]


def main() -> None:
    """Rewrite the documents that show other outputs, or only check all of them."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    for path in DOCUMENTS:
        name, old = os.path.relpath(path, ROOT), path.read_text()
        try:
            new = rewritten(old)
        except SnippetError as error:
            sys.exit(f"{name}: {error}")
        if new == old:
            continue
        if check:
            sys.exit(
                f"{name} shows outputs that are not those of today: "
                "run python scripts/document_outputs.py"
            )
        path.write_text(new)


if __name__ == "__main__":
    main()
