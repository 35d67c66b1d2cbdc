# SPDX-License-Identifier: Apache-2.0
"""Tables: whole in a pipe, in parts that fit on a terminal, and names that cannot act on it."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from rich.console import Console

import stridepack as sp
from stridepack.cli import output
from stridepack.cli.table import fitting
from stridepack.files import Stored
from stridepack.plan.measure import measure_all
from stridepack.plan.options import PackOptions
from stridepack.report.arena import arena_sentences
from stridepack.report.gain import no_gain_sentences, pack_gain_sentences
from stridepack.report.sizes import sizes_table
from stridepack.report.stored import why_dense_sentences
from stridepack.report.tables import dense_sentences, new_table
from stridepack.report.text import escape, printable
from stridepack.tensor import WeightTensor
from stridepack.tflite.arena.goal import RamUse

LONG = "model/" + "x" * 200 + "/kernel"
NAMES = ("conv", LONG, "[red]hot[/red]", "esc\x1b[2Jape", "two\nlines", ":smile:", "größe")
TENSORS = [WeightTensor(name, random_array(3000 + 10**i, 0.5, i)) for i, name in enumerate(NAMES)]


def shown(width: int, *, terminal: bool) -> list[str]:
    """The lines of `inspect`'s table on a console of that width."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, emoji=False, color_system=None
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "OUT", console)
        output.show(sizes_table("[b]file[/b].npz", measure_all(TENSORS, PackOptions())))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 140, 400])
def test_a_terminal_of_any_width(width: int) -> None:
    lines = shown(width, terminal=True)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    sizes = [f"{size:,}" for m in measure_all(TENSORS, PackOptions()) for size in m.nbytes.values()]
    numbers = re.findall(r"[\d,.]+", text)
    for size in sizes:
        assert numbers.count(size) >= sizes.count(size), size
    for name in ("conv", "[red]hot[/red]", r"esc\x1b[2Jape", r"two\nlines", ":smile:", "größe"):
        assert name in text
    assert "[b]file[/b].npz: bytes in every format" in text
    assert "/kernel" in re.sub(r"\s", "", text)  # the end of a long name says most
    assert "…" not in text
    assert not set(text) & {"\x1b", "\r", "\x07"}


def test_in_a_pipe_a_row_is_a_line() -> None:
    lines = shown(80, terminal=False)
    (row,) = (line for line in lines if LONG in line)
    sizes = measure_all(TENSORS, PackOptions())[NAMES.index(LONG)].nbytes.values()
    for size in sizes:
        assert f"{size:,}" in row


def test_a_reason_is_never_cut() -> None:
    """The column of text is folded, and its words stay."""
    table = new_table(None, "tensor", ("format", "bytes"))
    table.add_column("why")
    why = " ".join(f"word{i}" for i in range(40))
    table.add_row("a" * 30, "dense", "1,000", why)
    console = Console(width=80, force_terminal=True, color_system=None)
    with console.capture() as capture:
        for part in fitting(table, console):
            console.print(part)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    words = re.findall(r"word\d+", "\n".join(lines))
    assert words == why.split()


@pytest.mark.parametrize("character", [*map(chr, (0, 7, 10, 13, 27, 127, 0x9B, 0x202E)), "\udcff"])
def test_characters_that_a_terminal_acts_on(character: str) -> None:
    shown_as = printable(f"a{character}b")
    assert character not in shown_as
    assert shown_as.isprintable()
    assert shown_as.startswith("a\\")
    assert escape(f"[red]{character}").startswith("\\[red]")


def test_reasons_are_grouped() -> None:
    """400 tensors that stay dense for one kind of reason are one sentence."""
    reasons = [f"it takes {i:,} bytes dense and would take {i + 9:,} packed" for i in range(400)]
    (sentence,) = dense_sentences(reasons)
    assert sentence == (
        "400 tensors stay dense for reasons like this one: it takes 0 bytes dense and would take 9 "
        "packed."
    )
    stored = [Stored(TENSORS[0], "dense", 10, reason) for reason in [*reasons, "it is empty"]]
    assert len(why_dense_sentences(stored)) == 2


def test_why_nothing_is_gained() -> None:
    full = np.full(10_000, 7, np.int8)
    full[:60] = 0
    (said,) = no_gain_sentences([WeightTensor("w", full)], 10_000)
    assert said.startswith("Packing gains nothing here: 0.6% of the weights are zero, so the model")
    (said,) = no_gain_sentences([WeightTensor("w", full)], 9_500)
    assert said.startswith("Packing gains little here: 0.6% of the weights are zero, so the model")
    assert not no_gain_sentences([WeightTensor("w", full)], 8_900)
    assert not no_gain_sentences([], 0)
    (said,) = no_gain_sentences([WeightTensor("w", random_array(5000, 0.8))], 5000)
    assert "80.6% of the weights are zero, but most of them are in tensors that stay dense" in said
    (said,) = no_gain_sentences([WeightTensor("w", full, zero_point=3)], 10_000)
    assert "zero point other than 0" in said
    few = WeightTensor("few", full[:5000], zero_point=3)
    (said,) = no_gain_sentences([WeightTensor("w", full), few], 15_000)
    assert "so the model is not pruned" in said


def test_a_file_that_is_larger_than_its_weights(tmp_path: Path) -> None:
    """It is said by how much, and what it takes without names is exact."""
    values = {f"a/rather/long/name/of/layer/{i}": random_array(100, 0.0) for i in range(20)}
    np.savez(tmp_path / "w.npz", **values)
    named = sp.pack_file(tmp_path / "w.npz", tmp_path / "named.spk")
    bare = sp.pack_file(tmp_path / "w.npz", tmp_path / "bare.spk", names=False)
    stored = sum(one.nbytes for one in named.tensors)
    size, less = named.files[tmp_path / "named.spk"], bare.files[tmp_path / "bare.spk"]
    assert size > less > 2000
    larger, why = pack_gain_sentences(named)
    assert larger == (
        f"The packed file takes {size:,} bytes. The weights take 2,000 bytes as they are, so the "
        f"file is larger. The packed tensors take {stored:,} bytes of it, and the table of tensors "
        f"with their names takes {size - stored:,}. With `--no-names` the file takes {less:,} "
        "bytes, which is not less than the weights take."
    )
    assert why.startswith("Packing gains nothing here: ")
    larger, why = pack_gain_sentences(bare)
    assert larger.endswith(f"bytes of it, and the table of tensors takes {less - stored:,}.")

    tensors = [WeightTensor("w", random_array(5000, 0.8))]  # of which the names eat up the gain
    (said,) = no_gain_sentences(tensors, 2000, file_nbytes=5001, nameless_nbytes=2100)
    assert said.endswith("the file takes 2,100 bytes, which is less than the weights take.")
    assert not no_gain_sentences(tensors, 2000, file_nbytes=5000, nameless_nbytes=2100)


def test_entropy_without_a_copy_of_integers() -> None:
    """The same as from all values at once, also across the parts that are counted one by one."""
    values = random_array(3 * 2**20 + 5, 0.4)
    p = np.bincount(values.view(np.uint8), minlength=256) / values.size
    expected = -(p[p > 0] * np.log2(p[p > 0])).sum() * values.size / 8
    assert WeightTensor("w", values).entropy_nbytes == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 tensor that could be packed stays dense. Packing it as well would"),
        (2, "2 tensors that could be packed stay dense. Packing them as well would"),
    ],
)
def test_tensors_that_stay_dense_for_their_ram(count: int, said: str) -> None:
    use = RamUse(1000, 1000, measured=True, left_out=(count, 500, 600))
    (_, sentence) = arena_sentences(use, None, in_ram=False, file=2000)
    assert said in sentence
    assert sentence.endswith(f" `--objective size` packs {'it' if count == 1 else 'them'}.")
