# SPDX-License-Identifier: Apache-2.0
"""scripts/new_format.py copies every format, without what `make check` does: compile and run."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import stridepack as sp

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("spec", "core", "runtime/include", "runtime/src", "tests/vectors")
FILES = ("pyproject.toml", ".clang-format", "docs/format.md")
LONGEST = 100  # characters of a line of Python

# As many formats as there are, with names that are longer than theirs
NAMES = {like: f"specimennumber{i:02}" for i, like in enumerate(sp.formats(), 10)}

each_format = pytest.mark.parametrize("like", sp.formats())


@pytest.fixture(scope="module")
def script() -> ModuleType:
    sys.path.insert(0, str(REPOSITORY / "scripts"))
    try:
        return importlib.import_module("new_format")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, script: ModuleType) -> Path:
    """A copy of the sources in which every format has been copied."""
    root = tmp_path_factory.mktemp("copy")
    python = ("src/stridepack", *(f"src/stridepack/{part}" for part in ("formats", "reference")))
    only = shutil.ignore_patterns("valid", "invalid", "__pycache__")
    for folder in (*FOLDERS, *python[1:], "src/stridepack/cost/work"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=only)
    for file in (*FILES, "src/stridepack/_spec.py"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, root / file)
    for like, name in NAMES.items():
        assert script.why_not(root, name, like) == ""
        script.add_to_spec(root, name)
        script.copy_files(root, name, like, *script.add_to_document(root, name, like))
    written = [path for name in NAMES.values() for path in script.files_of(root, name)]
    script.format_files(root, written, Path(sys.executable).parent)
    return root


def section(root: Path, name: str) -> tuple[int, str]:
    """Number and text of the section of a format."""
    text = (root / "docs/format.md").read_text()
    number, body = re.search(rf"(?ms)^## (\d+)\. (`{name}`.*?)(?=^## |\Z)", text).groups()
    return int(number), body


@each_format
def test_every_file_is_copied(script: ModuleType, root: Path, like: str) -> None:
    there = [path.replace(like, NAMES[like]) for path in script.files_of(REPOSITORY, like)]
    assert script.files_of(root, NAMES[like]) == there
    assert len(there) >= 5


@each_format
def test_the_old_name_is_gone(script: ModuleType, root: Path, like: str) -> None:
    """But for limits, what shared headers declare, and the code of Huffman."""
    spec = tomllib.loads((root / "spec/spec.toml").read_text())
    allowed = {prefix + name.upper() for name in spec["limits"] for prefix in ("", "SPK_")}
    shared = ("spk_bitmap_ends", "spk_bitmap_count", "spk_expand_bitmap")
    for path in script.files_of(root, NAMES[like]):
        text = re.sub(r"\bHuffman\s+codes?\b", "", (root / path).read_text())
        words = re.findall(r"\w+", text)
        pattern = re.compile(rf"(?<![A-Za-z])({like}|{like.upper()}|{like.capitalize()})(?![a-z])")
        left = {word for word in words if pattern.search(word)}
        assert left <= allowed.union(shared), path
        assert any(NAMES[like] in word for word in words), path


@each_format
def test_names_from_elsewhere_stay(script: ModuleType, root: Path, like: str) -> None:
    """A name of the new format is one that its own files define, or that follows from its name."""
    name = NAMES[like]
    texts = [(root / path).read_text() for path in script.files_of(root, name)]
    of_c = [text for text in texts if "#include" in text]
    functions = {f for text in of_c for f in re.findall(rf"\b(\w*{name}_\w+|\w+_{name})\(", text)}
    for function in functions:
        defined = rf"(?m)^(?! *return)[\w *]*\b{function}\([^;]*?\) \{{"
        assert any(re.search(defined, text) for text in of_c), function
    macros = {m for text in of_c for m in re.findall(rf"\bSPK_{name.upper()}\w*", text)}
    for macro in macros:
        defined = rf"#define {macro}\b|\b{macro} = "
        assert any(re.search(defined, text) for text in of_c), macro


@each_format
def test_section_of_the_document(script: ModuleType, root: Path, like: str) -> None:
    number, body = section(root, NAMES[like])
    old, original = section(root, like)
    assert f"example {NAMES[like]}\n" in body
    assert body.count("\n") >= original.rstrip().count("\n")
    for path in script.files_of(root, NAMES[like]):
        # Lines of comments as one line
        text = re.sub(r"\s*\n[ */#]*", " ", (root / path).read_text())
        references = {int(n) for n in re.findall(r"docs/format\.md, section (\d+)", text)}
        assert old not in references, path
        if f"section {old}" in (REPOSITORY / path.replace(NAMES[like], like)).read_text():
            assert number in references, path


def test_numbers_are_unique(root: Path) -> None:
    wire_ids = tomllib.loads((root / "spec/spec.toml").read_text())["formats"]
    assert list(wire_ids) == [*sp.formats(), *NAMES.values()]
    assert len({*wire_ids.values()}) == len(wire_ids)
    headings = re.findall(r"(?m)^## (\d+)\. ", (root / "docs/format.md").read_text())
    assert [int(number) for number in headings] == [*range(1, len(headings) + 1)]
    subprocess.run([sys.executable, root / "spec/generate.py"], check=True)
    constants = (root / "src/stridepack/_spec.py").read_text()
    assert all(f'"{name}": {wire_id},' in constants for name, wire_id in wire_ids.items())


def test_copies_are_formatted(script: ModuleType, root: Path) -> None:
    written = [path for name in NAMES.values() for path in script.files_of(root, name)]
    python = [path for path in written if path.endswith(".py")]
    tools = [shutil.which(tool, path=Path(sys.executable).parent) for tool in script.TOOLS]
    for path in python:
        ast.parse((root / path).read_text(), path)
    if None in tools:
        pytest.skip("ruff or clang-format is not installed beside Python")
    ruff, clang_format = tools
    for command in (
        [ruff, "format", "--check", *python],
        [ruff, "check", *python],
        [clang_format, "--dry-run", "-Werror", *(path for path in written if path not in python)],
    ):
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "like", "why"),
    [
        ("Foo", "rle", "is not a name"),
        ("rle", "psr", "There is a format 'rle' already"),
        ("specimen", "zip", "Choose one of dense, psr"),
        ("blob", "rle", "src/stridepack/reference/blob.py exists already"),
        ("values", "rle", "another meaning in the files of rle"),
        ("auto", "dense", "another meaning"),
        ("lambda", "dense", "another meaning"),
    ],
)
def test_names_that_cannot_be(script: ModuleType, name: str, like: str, why: str) -> None:
    assert why in script.why_not(REPOSITORY, name, like)


def test_says_how_to_undo(script: ModuleType) -> None:
    """Everything that it writes is named: what git has, and what it has not."""
    checkout, clean = re.findall(
        r"(?m)^  git (?:checkout|clean -f) -- (.*)$", script.how_to_undo("rle")
    )
    for path in ("spec/spec.toml", "docs/format.md", *script.GENERATED, *script.VECTORS):
        assert path in checkout.split()
    assert {*script.files_of(REPOSITORY, "rle"), *script.VECTORS} <= {*clean.split()}
