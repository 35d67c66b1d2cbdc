# SPDX-License-Identifier: Apache-2.0
"""Tables of README.md and docs/ where results are not complete, as those of a new format."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import counts  # noqa: E402
import documents  # noqa: E402

M55 = json.loads(counts.RESULTS.read_text())


def without(name: str, results: Any, sparsity: float | None = None) -> Any:
    """Results in which a format is missing, everywhere or at one sparsity."""
    if isinstance(results, dict):
        return {
            key: without(name, value, sparsity)
            for key, value in results.items()
            if key != name or sparsity is not None
        }
    if isinstance(results, list):
        return [
            without(name, each, sparsity)
            for each in results
            if not (
                isinstance(each, dict)
                and each.get("format") == name
                and sparsity in (None, each["sparsity"])
            )
        ]
    return results


# Proofs have bounds and times, which depend on no results.
@pytest.mark.parametrize("table", sorted(documents.TABLES.keys() - {"proofs"}))
@pytest.mark.parametrize("sparsity", [None, 0.5])
def test_a_format_without_results(
    table: str, sparsity: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = documents.TABLES[table]()
    load = documents.load
    monkeypatch.setattr(documents, "load", lambda name: without("rans", load(name), sparsity))
    m55 = without("rans", M55, sparsity)
    monkeypatch.setattr(
        counts,
        "records",
        lambda workload, path=None: [
            r
            for r in m55
            if (r["workload"], r["compiler"]) == (workload, counts.COMPILER)
            and path in (None, r["path"])
        ],
    )
    cores = without("rans", counts.of_cores(), sparsity)
    monkeypatch.setattr(counts, "of_cores", lambda: cores)
    lines = documents.TABLES[table]().splitlines()
    had_it = "`rans`" in complete
    assert len(lines) == len(complete.splitlines()) - (had_it and sparsity is None)
    if had_it and sparsity and table not in ("frontier", "estimates", "riscv_code"):
        # which has a column for each sparsity
        assert any(line.startswith("| `rans`") and " - " in line for line in lines)


def test_a_format_that_some_workloads_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = documents.load("frontier")
    del entries[1]["formats"]["rans"]
    monkeypatch.setattr(documents, "load", lambda name: entries)
    row = next(line for line in documents.frontier().splitlines() if line.startswith("| `rans`"))
    assert row.split("|")[3].strip() == "-"
    assert row.split("|")[2].strip() != "-"


def test_a_model_without_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "load", lambda name: [])
    assert len(documents.models().splitlines()) == 2
