# SPDX-License-Identifier: Apache-2.0
"""bench/results/estimates.json, which docs/benchmarks.md shows, follows from the counts."""

import json
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_errors_are_those_of_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    monkeypatch.syspath_prepend(BENCH / "m55")
    for name in ("workloads", "errors"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import errors

    recorded = json.loads(errors.OUTPUT.read_text())
    assert recorded == errors.summary(), "run python bench/m55/errors.py"
    for of_paths in recorded.values():
        for of in of_paths.values():
            assert of["networks"] < 0.12
            assert max(of["extremes"], of["short"]) < 0.15
