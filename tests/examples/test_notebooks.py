# SPDX-License-Identifier: Apache-2.0
"""The notebooks run from top to bottom, in a folder that holds nothing of this repository."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples/notebooks"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["formats_drawn", "from_pytorch_to_flash"])
def test_runs(tmp_path: Path, name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "commit it without outputs"
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    printed = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.get("name") == "stdout"
    ]
    assert printed
