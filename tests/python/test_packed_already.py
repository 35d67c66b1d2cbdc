# SPDX-License-Identifier: Apache-2.0
"""A packed .tflite is packed again: what is said of it is true."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import stridepack as sp
from stridepack.cli import cli

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"


@pytest.mark.parametrize("decoder", ["tflm", "stridepack"])
def test_what_is_said_of_a_packed_model(tmp_path: Path, decoder: str) -> None:
    """That it is packed already; not that it is dense, not pruned, or gains nothing."""
    packed = tmp_path / "p.tflite"
    first = sp.pack_file(EXAMPLE, packed, decoder=decoder)
    again = sp.pack_file(packed, tmp_path / "q.tflite", decoder=decoder)
    assert again.model_nbytes == (packed.stat().st_size, packed.stat().st_size)
    assert [(s.format, s.nbytes) for s in again.tensors if s.format != "dense"] == [
        (s.format, s.nbytes) for s in first.tensors if s.format != "dense"
    ]
    n = sum(s.format != "dense" for s in first.tensors)
    assert again.remarks == [
        f"{n} tensors were packed in the model already, and stay as they are. To pack the model in "
        "another way, unpack it first with `stridepack unpack`."
    ]
    assert first.firmware is not None
    assert again.firmware is not None
    assert again.firmware.since == first.firmware.since
    assert again.firmware.n_more == 0
    text = CliRunner().invoke(cli, ["pack", str(packed), "-o", str(tmp_path / "r.tflite")]).output
    assert "gains" not in text
    with pytest.raises(
        sp.BudgetError,
        match=r"`arena=100` .* of tensor arena as it is, .* The model is packed already, .*Unpack",
    ):
        sp.pack_file(packed, tmp_path / "s.tflite", arena=100)
