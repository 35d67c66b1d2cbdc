# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/: every snippet runs and prints what the document shows; every link leads
somewhere."""

import re
import sys
from pathlib import Path

import pytest

from scripts import document_outputs
from scripts.document_outputs import DOCUMENTS, ROOT, SnippetError, blocks, rewritten

LANGUAGES = {"sh", "console", "python", "c", "cpp", "cmake", "rust", "toml", "text"}
PLAIN = {"format.md"}  # its blocks are bytes, which test_format_document.py checks
MARKDOWN = [*DOCUMENTS, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_snippets_print_what_is_shown(path: Path) -> None:
    pytest.importorskip("tflite_micro")
    text = path.read_text()
    assert rewritten(text) == text, "run python scripts/document_outputs.py"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_block_says_its_language(path: Path) -> None:
    languages = {block.language for block in blocks(path.read_text())} - {None}
    assert languages <= LANGUAGES | ({""} if path.name in PLAIN else set())


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


WRONG = {
    "console": "```console\n$ echo b\na\n```\n",
    "python": "```python\nprint('b')\n```\n\n```text\na\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_another_output_is_noticed(text: str) -> None:
    assert rewritten(text) == text.replace("a\n", "b\n")


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nfalse\n```\n",
        "```console\n$ false\n```\n",
        "```python\n1 / 0\n```\n",
        "```c\nint main(void) { int unused; return 0; }\n```\n",
    ],
)
def test_a_snippet_that_fails_is_noticed(text: str) -> None:
    with pytest.raises(SnippetError):
        rewritten(text)
    left_out = f"<!-- not run: an example -->\n\n{text}"
    assert rewritten(left_out) == left_out


@pytest.mark.parametrize("check", [True, False])
def test_only_documents_that_differ_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    right, wrong = tmp_path / "right.md", tmp_path / "wrong.md"
    right.write_text("```console\n$ echo a\na\n```\n")
    wrong.write_text("```console\n$ echo a\nb\n```\n")
    right.chmod(0o444)
    written = right.stat().st_mtime_ns
    monkeypatch.setattr(document_outputs, "DOCUMENTS", [right, wrong])
    monkeypatch.setattr(sys, "argv", ["document_outputs.py", *["--check"][:check]])
    if check:
        with pytest.raises(SystemExit, match=r"wrong\.md shows outputs"):
            document_outputs.main()
        assert "\nb\n" in wrong.read_text()
    else:
        document_outputs.main()
        assert wrong.read_text() == right.read_text()
    assert right.stat().st_mtime_ns == written
