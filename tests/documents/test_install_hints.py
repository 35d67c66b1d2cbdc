# SPDX-License-Identifier: Apache-2.0
"""What documents and messages say of installing. `pip install 'stridepack[NAME]'` adds packages to
the stridepack that is installed, wherever that came from."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST = {"README.md", "docs/quickstart.md"}  # how stridepack itself is installed
HINT = re.compile(r"pip\s+install\s+[\"'\s]*(stridepack|\.)\[([\w,]+)\]")
FOLDERS = ("docs", "src", "examples", "experiments", "bench")


def hints() -> dict[str, list[tuple[str, str]]]:
    """For each file, what is to be installed, and with which extras."""
    found = {}
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in [ROOT / "README.md", *paths]:
        if path.suffix in (".md", ".py", ".ipynb", ".yml") and "build" not in path.parts:
            said = HINT.findall(path.read_text())
            if said:
                found[str(path.relative_to(ROOT))] = said
    return found


def test_extras_are_added_in_one_way() -> None:
    found = hints()
    assert {"README.md", "docs/python.md", "src/stridepack/files/onnx.py"} <= found.keys()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for name, said in found.items():
        for what, names in said:
            assert set(names.split(",")) <= extras.keys(), f"{name}: {names}"
            assert what == "stridepack" or name in FIRST, f"{name}: `pip install '.[{names}]'`"
