"""`report` without a browser: it runs, with every option of packing and for every shape."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Call, call

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


@pytest.mark.slow
def test_page_of_an_empty_tensor(call: Call, tmp_path: Path) -> None:
    model, page = tmp_path / "empty.npz", tmp_path / "report.html"
    np.savez(model, empty=np.zeros((0, 3), np.int8), one=np.ones((1, 1), np.int8))
    code, _, err = call("report", model, "-o", page)
    assert code == 0, err
    assert page.read_text().count("data:image/png;base64,") == 1
