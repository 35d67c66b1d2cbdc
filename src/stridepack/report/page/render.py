"""Numbers to one self-contained HTML page."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert

from stridepack import __version__
from stridepack.report.page import charts


def render(numbers: Mapping[str, Any], budgets: Mapping[str, float] | None = None) -> str:
    """The page. It needs no network: the charting library is inside.

    Parameters
    ----------
    numbers : mapping
        As `model_numbers` gives them.
    budgets : mapping of str to number, optional
        "flash" and "cycles" are drawn as lines.
    """
    numbers = dict(numbers)
    specs: dict[str, Any] = {
        "front": charts.front(numbers, dict(budgets or {})),
        "bytes": charts.bytes_by_tensor(numbers),
    }
    for number, row in enumerate(numbers["tensors"]):
        specs[f"histogram-{number}"] = charts.histogram(row)
        specs[f"density-{number}"] = charts.density(row)
        if row["groups"]:
            specs[f"groups-{number}"] = charts.groups(row)
        if row["residuals"]:
            specs[f"residuals-{number}"] = charts.residuals(row)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["n"] = lambda value: "unknown" if value is None else f"{value:,.0f}"
    template = environment.from_string(files(__package__).joinpath("page.html").read_text())
    return template.render(
        numbers=numbers,
        version=__version__,
        specs=_script(specs),
        library=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
    )


def _script(specs: Mapping[str, Any]) -> str:
    """JSON that may stand in a script element, whatever names are in it."""
    return json.dumps(specs, separators=(",", ":")).replace("<", "\\u003c")
