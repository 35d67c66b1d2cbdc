# SPDX-License-Identifier: Apache-2.0
"""`report --shrink`: what `shrink` measured, in the numbers and on the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from commands import run
from shrink_models import classifier, correlated_inputs

INPUTS = correlated_inputs(80, 8, 8, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model before and after, and both forms of what `shrink` says."""
    folder = tmp_path_factory.mktemp("shrunk")
    (folder / "model.tflite").write_bytes(classifier())
    np.savez(folder / "data.npz", inputs=INPUTS, labels=np.arange(len(INPUTS)) % 10)
    arguments = ("shrink", folder / "model.tflite", "--data", folder / "data.npz", "--step", 8)
    output = ("-o", folder / "small.tflite", "--curve", folder / "curve.json")
    printed = run(*arguments, *output, "--json")
    (folder / "printed.json").write_text(printed[printed.index("{") :])
    return folder


def numbers(folder: Path, name: str) -> Any:
    return json.loads(run("report", folder / "small.tflite", "--shrink", folder / name, "--json"))


def test_the_numbers_are_those_of_shrink(folder: Path) -> None:
    said = json.loads((folder / "curve.json").read_text())
    assert json.loads((folder / "printed.json").read_text()) == said
    report = numbers(folder, "curve.json")
    assert report["shrink"]["before"]["nbytes"] > report["shrink"]["after"]["nbytes"]
    assert report["shrink"]["after"]["snr"] == said["after"]["snr"]
    sizes = [point["nbytes"] for point in report["shrink"]["points"]]
    assert sizes == sorted({point["nbytes"] for point in said["points"]}, reverse=True)
    steps = {tensor["name"]: tensor["step"] for tensor in said["tensors"]}
    assert 8 in steps.values()
    assert {row["name"]: row["shrink"]["step"] for row in report["tensors"]} == steps
    shares = [row["shrink"]["error_share"] for row in report["tensors"]]
    assert sum(shares) == pytest.approx(1)


def test_without_it_nothing_is_said_of_it(folder: Path) -> None:
    report = json.loads(run("report", folder / "small.tflite", "--json"))
    assert report["shrink"] is None
    assert "shrink" not in report["tensors"][0]


def test_the_model_before_is_refused(folder: Path) -> None:
    arguments = ("--shrink", folder / "curve.json", "--json")
    said = " ".join(run("report", folder / "model.tflite", *arguments, code=2).split())
    assert "zeros there" in said
    assert "Give the model that `shrink` wrote, not the one before." in said


def broken(content: Any, change: str) -> str:
    if change == "cut off":
        return json.dumps(content)[:100]
    if change == "another file":
        return "[1, 2]"
    if change == "a text for a number":
        content["after"]["nbytes"] = "many"
    elif change == "no number":
        content["before"]["agreement"] = float("nan")
    elif change == "a key is missing":
        del content["tensors"][0]["error_share"]
    elif change == "a tensor is missing":
        del content["tensors"][0]
    elif change == "null":
        content["tensors"][0]["step"] = None
    return json.dumps(content)


@pytest.mark.parametrize(
    "change",
    [
        "cut off",
        "another file",
        "a text for a number",
        "no number",
        "a key is missing",
        "a tensor is missing",
        "null",
    ],
)
def test_other_files_are_refused(folder: Path, tmp_path: Path, change: str) -> None:
    content = json.loads((folder / "curve.json").read_text())
    file = tmp_path / "other.json"
    file.write_text(broken(content, change))
    output = tmp_path / "r.html"
    said = run("report", folder / "small.tflite", "--shrink", file, "-o", output, code=2)
    expected = "it says nothing of" if change == "a tensor is missing" else "does not hold what"
    assert expected in " ".join(said.split())
    assert not output.exists()
    run("report", folder / "small.tflite", "--shrink", tmp_path / "none.json", "--json", code=2)


def test_on_the_page(folder: Path, browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    budgets = tmp_path / "budgets.toml"
    budgets.write_text("[budgets]\nfile = 100000\n")
    arguments = ("--shrink", folder / "curve.json", "--check", budgets, "-o", page)
    run("report", folder / "small.tflite", *arguments)
    browser.get(page.as_uri())
    browser.implicitly_wait(20)
    for name in ("accuracy", "snr"):
        assert browser.find_elements("css selector", f"#curve-{name} svg")
    headings = browser.find_elements("css selector", "#tensors thead th")
    assert [heading.text for heading in headings[-2:]] == ["step", "error"]
    headings[-1].find_element("tag name", "button").send_keys("\n")
    script = (
        "return [...document.querySelectorAll('#tensors tbody tr')]"
        ".map(row => Number(row.cells[10].dataset.value))"
    )
    shares = browser.execute_script(script)
    assert shares == sorted(shares)
    assert shares[-1] > 0
    assert "gave it the step 8" in page.read_text()
    assert browser.get_log("browser") == []
