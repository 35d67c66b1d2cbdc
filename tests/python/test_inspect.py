# SPDX-License-Identifier: Apache-2.0
"""`inspect`: the order of its rows, its colours, and how it looks on a terminal of 80 columns."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call, run
from rich.console import Console

from stridepack.cli import output
from stridepack.plan.measure import measure_all
from stridepack.plan.options import PackOptions
from stridepack.report.sizes import sizes_table
from stridepack.tensor import WeightTensor

__all__ = ["call"]  # a fixture

ARRAYS = {
    "b": random_array(5000, 0.3, 1),
    "c": random_array(9000, 0.6, 2),
    "a": random_array(3000, 0.95, 3),
    "d": random_array(8000, 0.0, 4),
}


@pytest.fixture(scope="module")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inspect") / "weights.npz"
    np.savez(path, **ARRAYS)
    return path


def best(row: dict[str, Any]) -> int:
    return int(row["nbytes"][row["best"]])


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("order", lambda row: list(ARRAYS).index(row["name"])),
        ("name", lambda row: row["name"]),
        ("elements", lambda row: -row["n_elements"]),
        ("zeros", lambda row: -row["sparsity"]),
        ("bytes", lambda row: -best(row)),
        ("gain", lambda row: best(row) - row["n_elements"]),
    ],
)
def test_sort(call: Call, npz: Path, sort: str, key: Any) -> None:
    rows = json.loads(call("inspect", npz, "--json", "--sort", sort)[1])["tensors"]
    assert rows == sorted(rows, key=key)
    names = [row["name"] for row in rows]
    tables = call("inspect", npz, "--sort", sort, "--target", "cortex-m55")[1]
    assert re.findall(r"^ ([a-d]) ", tables, re.MULTILINE) == names * 2


def test_all_orders_are_different(call: Call, npz: Path) -> None:
    orders = set()
    for sort in ("order", "name", "elements", "zeros", "bytes", "gain"):
        rows = json.loads(call("inspect", npz, "--json", "--sort", sort)[1])["tensors"]
        orders.add(tuple(row["name"] for row in rows))
    assert len(orders) == 6


def test_an_unknown_order(npz: Path) -> None:
    assert "'size' is not one of" in run("inspect", npz, "--sort", "size", code=2)


@pytest.mark.parametrize(
    ("values", "colour"),
    [
        (random_array(9000, 0.95), "1;32"),
        (random_array(9000, 0.4), "32"),
        (random_array(9000, 0.06), "33"),
        (np.random.default_rng(0).integers(-128, 128, 9000, np.int8), "31"),
    ],
    ids=["bold green", "green", "yellow", "red"],
)
def test_the_colour_says_what_is_gained(values: Any, colour: str) -> None:
    (measured,) = measure_all([WeightTensor("w", values)], PackOptions())
    file = io.StringIO()
    console = Console(file=file, width=200, force_terminal=True, color_system="standard")
    console.print(sizes_table("title", [measured]))
    size = f"{measured.nbytes[measured.best]:,}"
    row = next(line for line in file.getvalue().splitlines() if line.startswith(" w"))
    assert f"\x1b[{colour}m{size}\x1b[0m" in row


def test_no_colour_in_a_pipe(npz: Path) -> None:
    assert "\x1b" not in run("inspect", npz)


def test_sentences_are_folded_between_words_on_a_terminal() -> None:
    sentence = " ".join(f"word{i}" for i in range(60))
    for terminal in (True, False):
        file = io.StringIO()
        console = Console(file=file, width=80, force_terminal=terminal, color_system=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(output, "OUT", console)
            output.say([sentence])
        lines = file.getvalue().splitlines()
        assert " ".join(line.strip() for line in lines) == sentence
        assert (len(lines) == 1) is not terminal
        assert not terminal or max(map(len, lines)) <= 80
