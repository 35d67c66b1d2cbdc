# SPDX-License-Identifier: Apache-2.0
"""What all charts of a report share."""

from typing import Any

import altair as alt

# Okabe and Ito: colours that people with any colour vision can tell apart, on light and on dark
# ground. The vermilion of these eight is that of budgets.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")
GREY = "#888888"

Numbers = dict[str, Any]


def data(rows: list[Numbers]) -> Any:
    """Rows, as the data of a chart."""
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def spec(chart: Any, height: Any) -> Numbers:
    """As a dictionary: as wide as its place. The page gives texts and axes their colours."""
    made: Numbers = (
        chart.properties(
            width="container",
            height=height,
            background="transparent",
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure_view(stroke=None)
        .configure_axis(
            gridColor=GREY, gridOpacity=0.25, domainColor=GREY, tickColor=GREY, labelSeparation=6
        )
        .configure_legend(orient="top")
        .to_dict()
    )
    return made
