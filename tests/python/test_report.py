# SPDX-License-Identifier: Apache-2.0
"""`report` without a browser: it runs, with every option of packing and for every shape."""

import json
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call

import stridepack as sp
from stridepack.plan.measure import measure_all
from stridepack.plan.options import PackOptions
from stridepack.report.page.numbers import model_numbers

__all__ = ["call"]


def test_transforms_can_be_left_out(call: Call, tmp_path: Path) -> None:
    values = np.zeros((64, 100), np.int8)
    values[::4] = np.random.default_rng(1).integers(-9, 10, (16, 100))
    np.save(tmp_path / "dead_rows.npy", values)
    sizes = []
    for flag in ("--transforms", "--no-transforms"):
        code, out, err = call("report", tmp_path / "dead_rows.npy", "--json", flag)
        assert code == 0, err
        sizes.append(json.loads(out)["tensors"][0]["nbytes"]["rans"])
    assert sizes[0] < sizes[1]


def test_empty_tensors(call: Call, tmp_path: Path) -> None:
    shapes = [(0,), (0, 3), (3, 0), (1, 0), (1, 3, 0), (2, 0, 3)]
    model = tmp_path / "empty.npz"
    np.savez(model, **{f"empty {i}": np.zeros(shape, np.int8) for i, shape in enumerate(shapes)})
    code, out, err = call("report", model, "--json")
    assert code == 0, err
    rows = json.loads(out)["tensors"]
    assert [tuple(row["shape"]) for row in rows] == shapes
    for row in rows:
        zeros = row["zeros"]
        assert (zeros["png"], zeros["row_density"], zeros["column_density"]) == ("", [], [])


def test_what_speaks_for_a_format() -> None:
    """A blob in a .tflite has a shorter header, and may be smaller than the smallest that is."""
    tensor = sp.WeightTensor("a", random_array(3000, 0.7))
    measured = measure_all([tensor], PackOptions(), "cortex-m55")
    nbytes = measured[0].nbytes
    smallest, second = sorted(nbytes, key=nbytes.__getitem__)[:2]
    for more, said in (
        (2, f"{smallest} would take 2 bytes less."),
        (0, f"{second} is the smallest format."),
        (-4, f"{second} is the smallest format."),
    ):
        stored = {"a": sp.Stored(tensor, second, nbytes[smallest] + more)}
        numbers = model_numbers("a.npy", measured, stored, "cortex-m55", files={})
        assert numbers["tensors"][0]["why"].startswith(said)


@pytest.mark.slow
def test_page_of_an_empty_tensor(call: Call, tmp_path: Path) -> None:
    model, page = tmp_path / "empty.npz", tmp_path / "report.html"
    np.savez(model, empty=np.zeros((0, 3), np.int8), one=np.ones((1, 1), np.int8))
    code, _, err = call("report", model, "-o", page)
    assert code == 0, err
    assert page.read_text().count("data:image/png;base64,") == 1
