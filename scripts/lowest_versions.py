# SPDX-License-Identifier: Apache-2.0
"""Print the lowest versions of what stridepack needs, which pip takes as constraints.

python scripts/lowest_versions.py >lowest.txt
"""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
# Those of the package. PyTorch's are exact versions, and the others are for its own tests.
EXTRAS = ("tflite", "safetensors", "onnx", "shrink", "report", "cluster")


def lowest() -> list[str]:
    """A constraint for each requirement with a lower bound."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *(one for name in EXTRAS for one in extras[name])]
    return [one.replace(">=", "==") for one in needed if re.fullmatch(r"[\w-]+>=[\w.]+", one)]


if __name__ == "__main__":
    print("\n".join(lowest()))
