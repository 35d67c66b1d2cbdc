# SPDX-License-Identifier: Apache-2.0
"""Settings of the documentation site. `make docs` builds it into build/site."""

from importlib.metadata import version as installed

project = "stridepack"
author = "The stridepack authors"
copyright = author
release = version = installed("stridepack")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "stridepack"
html_copy_source = False
html_show_sphinx = False

myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # an excerpt need not be a whole program

napoleon_google_docstring = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True


def _plain_stars(app: object, context: object, lines: list[str]) -> None:
    """A * in an example, such as models/*.tflite, starts no emphasis."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def setup(app: object) -> None:
    app.connect("sphinx-click-process-description", _plain_stars)  # type: ignore[attr-defined]
