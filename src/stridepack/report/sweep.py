# SPDX-License-Identifier: Apache-2.0
"""`sweep`: the points that were asked for, and how many of them were measured in this run."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from stridepack._words import counted
from stridepack.report.tables import new_table, ratio
from stridepack.report.text import escape
from stridepack.sweep import Summary

_COLUMNS = {
    "format": "format",
    "tile": "tile",
    "sparsity": "asked sparsity",
    "flash": "asked bytes",
}


def sweep_table(records: Sequence[dict[str, Any]]) -> Table:
    """Model, options, zeros and bytes of each point that has a result."""
    done = [record for record in records if "result" in record]
    options = [name for name in _COLUMNS if any(name in record["point"] for record in done)]
    headings = [*(_COLUMNS[name] for name in options), "zeros", "bytes", "of dense"]
    with_accuracy = any("accuracy" in record["result"] for record in done)
    table = new_table(None, "model", (*headings, *(["accuracy"] if with_accuracy else [])))
    for record in done:
        point, result = record["point"], record["result"]
        row = [
            *(escape(f"{point.get(name, '-')}") for name in options),
            f"{result['sparsity']:.1%}",
            f"{result['nbytes']:,}",
            ratio(result["nbytes"], result["dense_nbytes"]),
        ]
        if with_accuracy:
            row.append(f"{result['accuracy']:.2%}" if "accuracy" in result else "-")
        table.add_row(escape(point["model"]), *row)
    return table


def sweep_sentences(summary: Summary, output: str) -> Iterator[str]:
    """What failed, and how many points are in the results now."""
    for record in summary.records:
        if "error" in record:
            what = ", ".join(f"{name}={value}" for name, value in record["point"].items())
            yield f"failed: {what}: {record['error']}"
    yield (
        f"{output}: {counted(summary.finished, 'point')} measured, "
        f"{summary.skipped:,} there before, {summary.failed:,} failed"
    )
