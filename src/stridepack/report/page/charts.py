"""The charts of a report, as Vega-Lite specifications that Altair checks."""

from typing import Any

import altair as alt

from stridepack.cost import unit_of

# Okabe and Ito: colours that people with any colour vision can tell apart.
_COLOURS = ("#0072B2", "#E69F00", "#009E73")
_BUDGET = "#D55E00"

Numbers = dict[str, Any]


def front(numbers: Numbers, budgets: dict[str, float]) -> Numbers:
    """Bytes against cycles: the plans on the hull, the stored one, and budgets as lines."""
    total = numbers["total"]
    points = []
    for point in numbers["front"]:
        formats = ", ".join(f"{name} {count}" for name, count in point["formats"].items())
        points.append(point | {"plan": "alternative", "formats": formats})
    if total["cycles"] is not None:
        chosen = {"nbytes": total["nbytes"], "cycles": total["cycles"], "plan": "this plan"}
        points.append(chosen | {"formats": ", ".join(total["formats"])})
    tooltip = [
        alt.Tooltip("plan:N"),
        alt.Tooltip("nbytes:Q", format=",", title="bytes"),
        alt.Tooltip("cycles:Q", format=","),
        alt.Tooltip("formats:N", title="formats (tensors)"),
    ]
    base = alt.Chart(_data(points)).encode(
        x=alt.X("nbytes:Q", title="bytes of Flash for all blobs", scale=alt.Scale(zero=False)),
        y=alt.Y("cycles:Q", title=f"{unit_of(numbers['target'])} on {numbers['target']}"),
        tooltip=tooltip,
    )
    layers = [
        base.transform_filter("datum.plan == 'alternative'").mark_line(color="#888"),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            color=alt.Color("plan:N", scale=alt.Scale(range=list(_COLOURS[:2])), title=None),
            shape=alt.Shape("plan:N", title=None),
        ),
    ]
    for name, mark in (("flash", "x"), ("cycles", "y")):
        if name in budgets:
            rule = alt.Chart(_data([{"budget": budgets[name]}])).mark_rule(
                strokeDash=[6, 4], color=_BUDGET
            )
            layers.append(rule.encode(**{mark: "budget:Q"}))
    return _spec(alt.layer(*layers), 320)


def bytes_by_tensor(numbers: Numbers) -> Numbers:
    """For each tensor: dense, stored and the entropy bound."""
    kinds = ("dense", "stored", "entropy bound")
    rows = [
        {"tensor": row["name"], "order": number, "what": kind, "format": format, "bytes": nbytes}
        for number, row in enumerate(numbers["tensors"])
        for kind, format, nbytes in (
            ("dense", "dense", row["n_elements"]),
            ("stored", row["format"], row["stored_nbytes"]),
            ("entropy bound", "", row["entropy_nbytes"]),
        )
    ]
    chart = (
        alt.Chart(_data(rows))
        .mark_bar()
        .encode(
            y=alt.Y("tensor:N", sort=alt.EncodingSortField("order"), title=None),
            yOffset=alt.YOffset("what:N", sort=kinds),
            x=alt.X("bytes:Q", title="bytes"),
            color=alt.Color(
                "what:N",
                sort=kinds,
                scale=alt.Scale(domain=kinds, range=["#999999", *_COLOURS[:2]]),
                title=None,
            ),
            tooltip=["tensor:N", "format:N", alt.Tooltip("bytes:Q", format=",")],
        )
    )
    return _spec(chart, alt.Step(9))


def histogram(row: Numbers) -> Numbers:
    """How often each value occurs; the axis is logarithmic, because 0 is so frequent."""
    return _bars(row["histogram"], "value:Q", "count:Q", "value", logarithmic=True)


def groups(row: Numbers) -> Numbers:
    """Non-zeros by the size of their group."""
    chart = (
        alt.Chart(_data(row["groups"]))
        .mark_bar(color=_COLOURS[2])
        .encode(
            y=alt.Y("size:N", sort=None, title="group size"),
            x=alt.X("n_non_zero:Q", title="non-zeros"),
            tooltip=["size:N", alt.Tooltip("n_non_zero:Q", format=",")],
        )
    )
    return _spec(chart, 120)


def residuals(row: Numbers) -> Numbers:
    """How far non-zeros lie from an even spacing."""
    return _bars(row["residuals"], "residual:Q", "count:Q", "distance from an even spacing")


def density(row: Numbers) -> Numbers:
    """Share of non-zeros along rows and along columns."""
    points = [
        {"axis": axis, "place": place / max(len(values) - 1, 1), "density": value}
        for axis, values in (
            ("rows", row["zeros"]["row_density"]),
            ("columns", row["zeros"]["column_density"]),
        )
        for place, value in enumerate(values)
    ]
    chart = (
        alt.Chart(_data(points))
        .mark_line()
        .encode(
            x=alt.X("place:Q", title="first to last", axis=alt.Axis(format="%")),
            y=alt.Y("density:Q", title="non-zeros", axis=alt.Axis(format="%")),
            color=alt.Color("axis:N", scale=alt.Scale(range=list(_COLOURS[:2])), title=None),
            strokeDash=alt.StrokeDash("axis:N", title=None),
        )
    )
    return _spec(chart, 120)


def _bars(rows: list[Numbers], x: str, y: str, title: str, *, logarithmic: bool = False) -> Numbers:
    scale = alt.Scale(type="symlog") if logarithmic else alt.Scale()
    chart = (
        alt.Chart(_data(rows))
        .mark_bar(color=_COLOURS[0], width=2)
        .encode(
            x=alt.X(x, title=title),
            y=alt.Y(y, scale=scale),
            tooltip=[alt.Tooltip(x), alt.Tooltip(y, format=",")],
        )
    )
    return _spec(chart, 120)


def _data(rows: list[Numbers]) -> Any:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _spec(chart: Any, height: Any) -> Numbers:
    """As a dictionary: as wide as its place, readable on light and on dark ground."""
    grey = "#888"
    axis = {"labelColor": grey, "titleColor": grey, "gridOpacity": 0.25, "domainColor": grey}
    spec: Numbers = (
        chart.properties(width="container", height=height, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(**axis)
        .configure_legend(labelColor=grey, titleColor=grey, orient="top")
        .to_dict()
    )
    return spec
