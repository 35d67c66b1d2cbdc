# SPDX-License-Identifier: Apache-2.0
"""Progress on a terminal: what is being done, and how long it will still take."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from stridepack.cli import output
from stridepack.files import verify_files

MODEL = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(output, "ERR", console)
    return file


def test_rounds_have_names_and_numbers(terminal: io.StringIO) -> None:
    with output.progress_in_rounds("starting") as advance:
        for what, total in [("reading", 2), ("reading", 2), *[("rounding", 3)] * 7]:
            advance(what, total)
    said = terminal.getvalue()
    assert "rounding, round 3" in said
    assert "33%" in said
    assert "left" in said


def test_nothing_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(output, "ERR", Console(file=file))
    with output.progress_in_rounds("starting") as advance:
        advance("rounding", 3)
    assert file.getvalue() == ""


def test_verify_says_what_it_does(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    from stridepack import pack_file

    pack_file(MODEL, tmp_path / "packed.tflite")
    said: list[tuple[str, int]] = []
    result = verify_files(
        MODEL,
        tmp_path / "packed.tflite",
        n_inputs=3,
        on_progress=lambda what, total: said.append((what, total)),
    )
    assert result.ok
    expected = [("comparing", 10)] * 10
    assert said == expected + [("running both models", 6)] * 6
