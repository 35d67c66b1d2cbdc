# SPDX-License-Identifier: Apache-2.0
"""The charts of one tensor.

The page has the specification of each chart once, and beside it only the data of every tensor: a
model may have thousands of them. Data are columns, which the charts make rows of.
"""

import altair as alt

from stridepack.report.page.chart import COLOURS, Numbers, data, spec

_HEIGHT = 120


def templates() -> dict[str, Numbers]:
    """Name of a chart to its specification without data."""
    return {
        "histogram": _bars("value", "value", logarithmic=True),
        "density": _density(),
        "groups": _groups(),
        "residuals": _bars("residual", "distance from an even spacing"),
    }


def columns(row: Numbers) -> dict[str, list[Numbers]]:
    """Name of a chart to the data of a tensor; without those that it has not."""
    zeros = row["zeros"]
    densities = (("rows", zeros["row_density"]), ("columns", zeros["column_density"]))
    charts = {
        "histogram": _columns(row["histogram"]),
        "density": [{"axis": axis, "density": values} for axis, values in densities if values],
        "groups": _columns(row["groups"]),
        "residuals": _columns(row["residuals"]),
    }
    return {name: values for name, values in charts.items() if values}


def _columns(rows: list[Numbers]) -> list[Numbers]:
    return [{key: [row[key] for row in rows] for key in rows[0]}] if rows else []


def _bars(x: str, title: str, *, logarithmic: bool = False) -> Numbers:
    """How often each integer occurs. 0 is so frequent that the axis may have to be logarithmic."""
    scale = alt.Scale(type="symlog") if logarithmic else alt.Scale()
    chart = (
        alt.Chart(data([]))
        .transform_flatten([x, "count"])
        .mark_bar(color=COLOURS[0], width=2)
        .encode(
            x=alt.X(f"{x}:Q", title=title, axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("count:Q", scale=scale, axis=alt.Axis(format=",d", tickCount=5)),
            tooltip=[alt.Tooltip(f"{x}:Q"), alt.Tooltip("count:Q", format=",")],
        )
    )
    return spec(chart, _HEIGHT)


def _groups() -> Numbers:
    """Non-zeros by the size of their group."""
    chart = (
        alt.Chart(data([]))
        .transform_flatten(["size", "n_non_zero"])
        .mark_bar(color=COLOURS[2])
        .encode(
            y=alt.Y("size:N", sort=None, title="group size"),
            x=alt.X("n_non_zero:Q", title="non-zeros", axis=alt.Axis(tickCount=5)),
            tooltip=["size:N", alt.Tooltip("n_non_zero:Q", format=",", title="non-zeros")],
        )
    )
    return spec(chart, _HEIGHT)


def _density() -> Numbers:
    """Share of non-zeros along rows and along columns."""
    chart = (
        alt.Chart(data([]))
        .transform_flatten(["density"])
        .transform_window(groupby=["axis"], number="row_number()")
        .transform_joinaggregate(groupby=["axis"], n="count()")
        .transform_calculate(place="(datum.number - 1) / max(datum.n - 1, 1)")
        .mark_line(point=alt.OverlayMarkDef(size=12))
        .encode(
            x=alt.X("place:Q", title="first to last", axis=alt.Axis(format="%", tickCount=5)),
            y=alt.Y("density:Q", title="non-zeros", axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color("axis:N", scale=alt.Scale(range=list(COLOURS[:2])), title=None),
            strokeDash=alt.StrokeDash("axis:N", title=None),
            tooltip=["axis:N", alt.Tooltip("density:Q", format=".1%", title="non-zeros")],
        )
    )
    return spec(chart, _HEIGHT)
