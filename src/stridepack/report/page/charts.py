# SPDX-License-Identifier: Apache-2.0
"""The charts of a whole model, as Vega-Lite specifications that Altair checks."""

from collections.abc import Mapping

import altair as alt

from stridepack.report.page.chart import COLOURS, GREY, Numbers, data, spec

# Bars of so many tensors can be told apart; the largest are shown.
_MOST_BARS = 100
_BUDGET = "#D55E00"


def front(numbers: Numbers, budgets: Mapping[str, int]) -> Numbers:
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
        alt.Tooltip("cycles:Q", format=",", title=numbers["unit"]),
        alt.Tooltip("formats:N", title="formats (tensors)"),
    ]
    base = alt.Chart(data(points)).encode(
        x=alt.X("nbytes:Q", title="bytes of Flash for all blobs", scale=alt.Scale(zero=False)),
        y=alt.Y("cycles:Q", title=f"{numbers['unit']} on {numbers['target']}"),
        tooltip=tooltip,
    )
    layers = [
        base.transform_filter("datum.plan == 'alternative'").mark_line(color=GREY),
        *_points(base, ("alternative", "this plan")),
        *_rules(budgets, {"flash": "x", "cycles": "y"}, [point["nbytes"] for point in points]),
    ]
    return spec(alt.layer(*layers), 320)


def sums(numbers: Numbers) -> Numbers:
    """The whole model in three bars, stacked from its tensors by their formats."""
    number_of = {name: number for number, name in enumerate(numbers["total"]["formats"])}
    rows = [
        {
            "what": kind,
            "tensor": row["name"],
            "format": row["format"],
            "number": number_of[row["format"]],
            "bytes": nbytes,
        }
        for row in numbers["tensors"]
        for kind, nbytes in _sizes(row)
    ]
    if len(numbers["tensors"]) > _MOST_BARS:
        rows = _summed_up(rows)
    chart = (
        alt.Chart(data(rows))
        .mark_bar(stroke="white", strokeWidth=0.4)
        .encode(
            y=alt.Y("what:N", sort=_KINDS, title=None),
            x=alt.X("bytes:Q", title="bytes"),
            color=_of_format(numbers),
            order=alt.Order("number:Q"),
            tooltip=["what:N", "tensor:N", "format:N", alt.Tooltip("bytes:Q", format=",")],
        )
    )
    return spec(chart, 110)


def bytes_by_tensor(numbers: Numbers) -> Numbers:
    """For each tensor: dense in grey, stored in the colour of its format, the bound as a mark."""
    largest = sorted(numbers["tensors"], key=lambda row: -int(row["n_elements"]))[:_MOST_BARS]
    kept = {row["name"] for row in largest}
    rows = [
        {"tensor": row["name"], "format": row["format"], **dict(_sizes(row))}
        for row in numbers["tensors"]
        if row["name"] in kept
    ]
    names = [row["tensor"] for row in rows]
    sizes = [alt.Tooltip(f"{kind}:Q", format=",") for kind in _KINDS]
    tooltip = [alt.Tooltip("tensor:N"), alt.Tooltip("format:N"), *sizes]
    base = alt.Chart(data(rows)).encode(
        y=alt.Y(
            "tensor:N",
            sort=names,
            title=None,
            axis=alt.Axis(labelExpr=_label(names)),
        ),
        tooltip=tooltip,
    )
    layers = [
        base.mark_bar(color=GREY, opacity=0.45, size=15).encode(x=alt.X("dense:Q", title="bytes")),
        base.mark_bar(size=9).encode(x="stored:Q", color=_of_format(numbers)),
        # black with a white edge, which is seen on every ground
        base.mark_tick(
            color="black", stroke="white", strokeWidth=0.7, thickness=3.5, size=17
        ).encode(x=f"{_KINDS[2]}:Q"),
    ]
    return spec(alt.layer(*layers), 19 * max(len(rows), 1))


def n_bars(numbers: Numbers) -> int:
    """How many tensors `bytes_by_tensor` shows."""
    return min(len(numbers["tensors"]), _MOST_BARS)


def curve(shrink: Numbers, what: str) -> Numbers:
    """What is left of the outputs against bytes, for all plans that `shrink` measured.

    Parameters
    ----------
    shrink : dict
    what : str
        "accuracy", "agreement" or "snr".
    """
    title, of = {
        "accuracy": ("accuracy", ".2%"),
        "agreement": ("classes unchanged", ".2%"),
        "snr": ("signal-to-noise ratio in dB", ".1f"),
    }[what]
    named = {"before": "before", "after": "this model"}
    sizes = {shrink[name]["nbytes"]: name for name in named}
    points = [
        point | {"plan": "other plans"}
        for point in shrink["points"]
        if point["nbytes"] not in sizes
    ]
    points += [shrink[name] | {"plan": plan} for name, plan in named.items()]
    points = [point for point in points if point[what] is not None]
    base = alt.Chart(data(points)).encode(
        x=alt.X("nbytes:Q", title="bytes of the packed file", scale=alt.Scale(zero=False)),
        y=alt.Y(
            f"{what}:Q",
            title=title,
            scale=alt.Scale(zero=False),
            axis=alt.Axis(format="%" if of.endswith("%") else ""),
        ),
        tooltip=[
            alt.Tooltip("plan:N"),
            alt.Tooltip("nbytes:Q", format=",", title="bytes"),
            alt.Tooltip(f"{what}:Q", format=of, title=title),
        ],
    )
    layers = [
        base.mark_line(color=GREY),
        *_points(base, ("other plans", "this model", "before")),
    ]
    return spec(alt.layer(*layers), 220)


_KINDS = ("dense", "stored", "entropy bound")
_LONGEST = 34


def _label(names: list[str]) -> str:
    """What is shown of a name, as an expression of Vega.

    Names often begin and end alike, and differ near their beginning: the folder that all of them
    lie in is left out, and then the middle of a name that is long.
    """
    first, last = min(names, default=""), max(names, default="")
    pairs = enumerate(zip(first, last, strict=False))
    shared = next((i for i, (one, other) in pairs if one != other), 0)
    start = max(first.rfind("/", 0, shared), first.rfind(".", 0, shared)) + 1
    tail = 12
    head = start + _LONGEST - len("…") - tail
    return (
        f"length(datum.label) > {start + _LONGEST} ? slice(datum.label, {start}, {head}) + '…'"
        f" + slice(datum.label, -{tail}) : slice(datum.label, {start})"
    )


def _summed_up(rows: list[Numbers]) -> list[Numbers]:
    """One piece for all tensors of a format: thousands could not be told apart."""
    pieces: dict[tuple[str, str], Numbers] = {}
    for row in rows:
        empty = row | {"tensor": "all of them", "bytes": 0}
        pieces.setdefault((row["what"], row["format"]), empty)["bytes"] += row["bytes"]
    return list(pieces.values())


def _sizes(row: Numbers) -> tuple[tuple[str, int], ...]:
    sizes = (row["n_elements"], row["stored_nbytes"], row["entropy_nbytes"])
    return tuple(zip(_KINDS, sizes, strict=True))


def _of_format(numbers: Numbers) -> alt.Color:
    """A colour for each format that the model has; dense is grey."""
    used = [name for name in numbers["total"]["formats"] if name != "dense"]
    domain = [*used, "dense"]
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(used))]
    scale = alt.Scale(domain=domain, range=[*colours, GREY])
    return alt.Color("format:N", scale=scale, title="format")


def _points(base: alt.Chart, plans: tuple[str, ...]) -> list[alt.Chart]:
    """Points that differ in colour and shape, and a larger place around each to point at."""
    colours = alt.Scale(domain=plans, range=list(COLOURS[: len(plans)]))
    return [
        base.mark_point(filled=True, size=80, opacity=1).encode(
            color=alt.Color("plan:N", scale=colours, title=None),
            shape=alt.Shape("plan:N", scale=alt.Scale(domain=plans), title=None),
        ),
        base.mark_point(filled=True, size=500, opacity=0),
    ]


def _rules(
    budgets: Mapping[str, int], axes: Mapping[str, str], nbytes: list[int]
) -> list[alt.LayerChart]:
    """A dashed line with its name for each budget."""
    layers = []
    for name, axis in axes.items():
        if name not in budgets:
            continue
        row = {"budget": budgets[name], "name": f"budget: {name} {budgets[name]:,}"}
        base = alt.Chart(data([row]))
        at = {axis: "budget:Q"}
        line = base.mark_rule(strokeDash=[6, 4], color=_BUDGET, strokeWidth=2)
        # Beside the line, where there is room: left of it in the right half of the plot.
        if axis == "x":
            left = 2 * budgets[name] > min(nbytes) + max(nbytes)
            text = base.mark_text(align="right" if left else "left", dx=-6 if left else 6)
            place = {"y": alt.value(10)}
        else:
            text = base.mark_text(align="right", dx=-6, dy=-8)
            place = {"x": alt.value("width")}
        layers.append(
            line.encode(**at, tooltip=alt.Tooltip("name:N", title=" "))
            + text.encode(**at, **place, text="name:N")
        )
    return layers
