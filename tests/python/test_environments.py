# SPDX-License-Identifier: Apache-2.0
"""What the surroundings of a command may be: its locale, its limits, its streams, its NumPy."""

import errno
import io
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call
from rich.console import Console
from rich.progress import Progress

import stridepack as sp
from stridepack.cli import interrupt, output
from stridepack.cli.main import main
from stridepack.cost import work_of
from stridepack.errors import explained

__all__ = ["call"]


@pytest.fixture
def npz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.savez("w.npz", a=random_array(4000, 0.6), f=np.zeros(3, np.float32))
    return tmp_path / "w.npz"


def started(*arguments: str | bytes, before: str = "", after: str = "", **environment: str) -> Any:
    """A command in a process of its own; a shell does something before it, and redirects it."""
    return subprocess.run(
        ["bash", "-c", f'{before} "$0" -m stridepack "$@" {after}', sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.usefixtures("npz")
def test_budgets_are_utf8_in_any_locale() -> None:
    Path("budgets.toml").write_text('[budgets]\n# größe\nflash = "60 KiB"\n', encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = started("report", "w.npz", "--check", "budgets.toml", **ascii_only)
    assert ended.returncode == 0, ended.stderr
    assert b"All budgets of budgets.toml are kept." in ended.stdout


def test_a_page_about_a_name_that_is_not_utf8(npz: Path) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("vl_convert")
    pytest.importorskip("altair")
    try:
        npz.rename("\udcff.npz")
    except OSError:
        pytest.skip("this file system takes no such names")
    ended = started("report", "\udcff.npz", "-o", "page.html")
    assert ended.returncode == 0, ended.stderr
    assert r"\udcff.npz" in Path("page.html").read_text(encoding="utf-8")


def test_warnings_that_are_errors(npz: Path, call: Call) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, _, said = call("pack", npz, "-o", "w.spk")
    assert code == 2
    assert "array f is left out, because it is float32 and not int8. Python was told to" in said
    assert not Path("w.spk").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_wrong_option_where_messages_cannot_be_written() -> None:
    assert started("pack", "--nothing", after="2>/dev/full").returncode == 2


def test_a_process_that_may_start_no_thread(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(interrupt.signal, "getsignal", lambda _: interrupt.end_at_once)
    monkeypatch.setattr(interrupt.signal, "signal", lambda *_: None)
    monkeypatch.setattr(interrupt.signal, "set_wakeup_fd", lambda *_, **__: -1)
    monkeypatch.setattr(interrupt.threading.Thread, "start", refuse)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(sys, "argv", ["stridepack", "--version"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "The system starts no further thread for this process." in capsys.readouterr().err


def test_a_process_that_may_open_no_more_files() -> None:
    error = explained(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    assert "This process cannot open any more files." in str(error)


def test_a_bar_that_is_not_shown_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress bars of early versions of rich end with an empty line, shown or not."""
    file = io.StringIO()
    monkeypatch.setattr(output, "ERR", Console(file=file))
    monkeypatch.setattr(Progress, "stop", lambda bar: bar.console.print())
    with output.progress("packing"):
        pass
    assert file.getvalue() == ""


def test_numpy_1_counts_only_what_an_int64_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy 2 also counts unsigned integers of 64 bits."""
    real = np.bincount

    def as_in_numpy_1(values: Any, **options: Any) -> Any:
        assert np.can_cast(values.dtype, np.int64), values.dtype
        return real(values, **options)

    monkeypatch.setattr(np, "bincount", as_in_numpy_1)
    for format in sp.formats():
        assert work_of(sp.pack(random_array(4000, 0.6), format))["tiles"] == 1


@pytest.mark.usefixtures("npz")
def test_workers_of_a_sweep_say_warnings_on_one_line() -> None:
    pytest.importorskip("distributed", reason="needs stridepack[cluster]")
    program = (
        "import distributed\n"
        "from types import SimpleNamespace\n"
        "from stridepack.sweep.engines import _tell\n"
        "from stridepack.sweep.models import measure\n"
        "here = SimpleNamespace(address='here', log_event=lambda *_: None)\n"
        "distributed.get_worker = lambda: here\n"
        "_tell('sweep', 0, measure, {'model': 'w.npz', 'format': 'rle'})\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    said = b"warning: w.npz: array f is left out, because it is float32 and not int8.\n"
    assert ended.stderr == said
