# SPDX-License-Identifier: Apache-2.0
"""Numbers to one self-contained HTML page."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import jinja2
import markupsafe
import vl_convert

from stridepack import __version__
from stridepack.report.page import charts, tensor_charts
from stridepack.report.page.budgets import budget_value

# A page has at most so many bytes, so that it can be mailed: the charts of the largest tensors
# that fit are in it.
_MOST = 2_900_000
_BESIDE_CHARTS = 2_000  # what a tensor takes in the page apart from its data and its picture

_TITLES = {
    "histogram": "Values",
    "density": "Density of rows and columns",
    "groups": "Groups of equidistant non-zeros",
    "residuals": "Distance from an even spacing",
}


def render(numbers: Mapping[str, Any], budgets: Mapping[str, int] | None = None) -> str:
    """The page. It needs no network: the charting library is inside.

    Parameters
    ----------
    numbers : mapping
        As `model_numbers` gives them.
    budgets : mapping of str to int, optional
        They are compared with the numbers; "flash" and "cycles" are drawn as lines, too.
    """
    numbers, budgets = dict(numbers), dict(budgets or {})
    model: dict[str, Any] = {
        "front": charts.front(numbers, budgets),
        "sums": charts.sums(numbers),
        "bytes": charts.bytes_by_tensor(numbers),
    }
    curves = _curves(numbers["shrink"])
    for name in curves:
        model[f"curve-{name}"] = charts.curve(numbers["shrink"], name)
    of_tensors = [tensor_charts.columns(row) for row in numbers["tensors"]]
    template = _environment().from_string(_file("page.html"))

    def page(drawn: Sequence[int]) -> str:
        drawings = {
            "model": model,
            "templates": tensor_charts.templates(),
            "tensors": {number: of_tensors[number] for number in drawn},
        }
        return template.render(
            numbers=numbers,
            budgets=[
                {"name": name, "value": budget_value(numbers, name), "most": most}
                for name, most in budgets.items()
            ],
            curves=curves,
            charts=of_tensors,
            titles=_TITLES,
            drawn=frozenset(drawn),
            n_bars=charts.n_bars(numbers),
            version=__version__,
            style=_file("page.css"),
            script=_file("page.js"),
            drawings=_json(drawings),
            library=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
        )

    everything = page(range(len(of_tensors)))
    if len(everything.encode()) <= _MOST:
        return everything
    sizes = [
        len(_json(columns)) + len(row["zeros"]["png"]) + _BESIDE_CHARTS
        for row, columns in zip(numbers["tensors"], of_tensors, strict=True)
    ]
    return page(_largest(numbers["tensors"], sizes, _MOST - len(page([]).encode())))


def _largest(rows: Sequence[Mapping[str, Any]], sizes: Sequence[int], room: int) -> list[int]:
    """The numbers of the largest tensors whose parts of the page fit, in the model's order."""
    chosen: list[int] = []
    for number in sorted(range(len(rows)), key=lambda number: -int(rows[number]["n_elements"])):
        room -= sizes[number]
        if room < 0:
            break
        chosen.append(number)
    return sorted(chosen)


def _curves(shrink: Mapping[str, Any] | None) -> list[str]:
    """What `shrink` measured of the outputs, such as ["accuracy", "snr"]."""
    if not shrink:
        return []
    measured = [name for name in ("accuracy", "agreement") if shrink["after"][name] is not None]
    return [*measured[:1], "snr"]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["breakable"] = _breakable
    environment.filters["n"] = lambda value: "unknown" if value is None else f"{value:,.0f}"
    return environment


def _breakable(name: str) -> markupsafe.Markup:
    """A name that is broken where its parts end, and not within a word."""
    parts = map(markupsafe.escape, re.split(r"(?<=[/.])", name))
    return markupsafe.Markup("<wbr>").join(parts)


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """JSON that may stand in a script element, whatever names are in it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
