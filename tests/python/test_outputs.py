# SPDX-License-Identifier: Apache-2.0
"""What becomes of files that are in the way of an output, and of runs that are killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call

import stridepack as sp
from stridepack.files import atomic

__all__ = ["call"]

MODEL = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"


@pytest.fixture
def npz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.savez("w.npz", a=random_array(4000, 0.6))
    return tmp_path / "w.npz"


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.fixture(params=["without a name", "with a temporary name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to write a file, whatever this system can do."""
    if request.param == "with a temporary name":
        monkeypatch.setattr(atomic.os, "O_TMPFILE", 0, raising=False)


@pytest.mark.usefixtures("way")
def test_a_symbolic_link_stays_one(npz: Path) -> None:
    Path("folder").mkdir()
    Path("folder/old.spk").write_text("old")
    for name, target in (("to_file.spk", "folder/old.spk"), ("to_nothing.spk", "folder/new.spk")):
        Path(name).symlink_to(target)
        sp.pack_file(npz, name)
        assert Path(name).is_symlink()
        assert sp.verify_files(npz, target).ok
    assert not leftovers(Path("folder"))


@pytest.mark.usefixtures("way")
def test_modes_are_kept(npz: Path) -> None:
    for mode in (0o600, 0o640, 0o644, 0o666):
        path = Path(f"{mode:o}.spk")
        path.touch()
        path.chmod(mode)
        sp.pack_file(npz, path)
        assert path.stat().st_mode & 0o777 == mode
    before = os.umask(0o027)
    try:
        sp.pack_file(npz, "new.spk")
    finally:
        os.umask(before)
    assert Path("new.spk").stat().st_mode & 0o777 == 0o640


def test_a_read_only_file_stays(npz: Path, call: Call) -> None:
    path = Path("w.spk")
    path.write_text("precious")
    path.chmod(0o444)
    code, _, said = call("pack", npz, "-o", path)
    assert code == 2
    assert "w.spk cannot be written, because it is read-only." in said
    assert path.read_text() == "precious"


def test_a_pipe_is_refused_and_stays(npz: Path, call: Call) -> None:
    os.mkfifo("w.spk")
    code, _, said = call("pack", npz, "-o", "w.spk")
    assert code == 2
    assert "it is a pipe, a socket or a device and not a file" in said
    assert Path("w.spk").is_fifo()


def test_a_header_of_others_is_not_replaced(npz: Path, call: Call) -> None:
    Path("main.h").write_text("int my_own_work;\n")
    code, _, said = call("pack", npz, "-o", "main.c")
    assert code == 2
    assert "main.h is there already, and stridepack has not written it." in said
    assert Path("main.h").read_text() == "int my_own_work;\n"
    assert not Path("main.c").exists()
    for _ in range(2):  # its own header is replaced
        assert call("pack", npz, "-o", "weights.c")[0] == 0


@pytest.mark.parametrize("second", [["w.c"], ["w.spk", "--no-names"]])
@pytest.mark.parametrize("first", [["w.c"], ["w.spk", "--no-names"]])
def test_a_header_of_another_output_is_not_replaced(
    npz: Path, call: Call, first: list[str], second: list[str]
) -> None:
    assert call("pack", npz, "-o", *first)[0] == 0
    header = Path("w.h").read_text()
    code, _, said = call("pack", npz, "-o", *second)
    assert code == (0 if first == second else 2)
    if first != second:
        assert f"w.h is there already, and it belongs to {first[0]}." in said
        assert "Choose another name for the output." in said
        assert not Path(second[0]).exists()
    assert Path("w.h").read_text() == header
    Path(first[0]).unlink()  # nobody needs the header any more
    assert call("pack", npz, "-o", *second)[0] == 0


@pytest.mark.usefixtures("npz")  # changes into a folder of its own
def test_a_header_of_another_array_is_not_replaced(call: Call) -> None:
    for suffix in ("cc", "cpp"):
        code, _, said = call("pack", MODEL, "-o", f"m.{suffix}")
        assert code == (0 if suffix == "cc" else 2)
    assert "m.h is there already, and it belongs to m.cc." in said


@pytest.mark.parametrize("name", ["a\nb.c", 'a"b.c', "a\\b.c", "a\udcff.c"])
def test_names_that_no_compiler_can_include(npz: Path, call: Call, name: str) -> None:
    code, _, said = call("pack", npz, "-o", name)
    assert code == 2
    assert "which an #include cannot have. Choose another name." in said
    assert list(Path().iterdir()) == [Path("w.npz")]


def test_the_longest_possible_name(npz: Path) -> None:
    name = "x" * (os.pathconf(".", "PC_NAME_MAX") - 4) + ".spk"
    sp.pack_file(npz, name)
    assert sp.verify_files(npz, name).ok


def test_a_model_by_another_name_is_not_overwritten(npz: Path) -> None:
    sp.pack_file(npz, "w.spk")
    before = Path("w.spk").read_bytes()
    Path("link.spk").symlink_to("w.spk")
    os.link("w.spk", "hard.spk")
    for name in ("link.spk", "hard.spk", "./w.spk"):
        with pytest.raises(sp.InputError, match="the output would overwrite the model"):
            sp.pack_file("w.spk", name, "dense")
    assert Path("w.spk").read_bytes() == before


@pytest.mark.usefixtures("way")
def test_many_threads_write_one_path(npz: Path) -> None:
    contents = [bytes([i]) * (100_000 + i) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda data: atomic.write_files({Path("one"): data}), contents * 4))
    assert Path("one").read_bytes() in contents
    assert not leftovers(Path())


def in_the_middle_of_writing(first: str = "") -> subprocess.Popen[bytes]:
    """A process that has written a file, but not put it in its place yet."""
    code = (
        f"{first}import time\nfrom stridepack.files import atomic\n"
        "atomic.os.fsync = lambda file: (print('writing', flush=True), time.sleep(60))\n"
        "atomic.write_files({__import__('pathlib').Path('x'): b'data'})\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"writing\n"
    return child


def test_what_a_killed_run_leaves_is_removed(npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file under a temporary name goes when nobody writes it any more, and stays before."""
    child = in_the_middle_of_writing("import os; os.O_TMPFILE = 0\n")
    assert len(leftovers(Path())) == 1
    sp.pack_file(npz, "w.spk")
    assert len(leftovers(Path())) == 1
    child.kill()
    child.wait()
    assert len(leftovers(Path())) == 1
    sp.pack_file(npz, "w.spk")
    assert not leftovers(Path())
    assert not Path("x").exists()


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name: Linux only")
def test_a_killed_run_leaves_nothing(npz: Path) -> None:
    child = in_the_middle_of_writing()
    try:
        os.close(os.open(".", os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system has no files without a name")
    finally:
        child.kill()
        child.wait()
    assert list(Path().iterdir()) == [Path("w.npz")]


def test_runtime_leaves_nothing_behind_when_it_fails(tmp_path: Path, call: Call) -> None:
    target = tmp_path / "new/runtime"
    (tmp_path / "file").touch()
    assert call("runtime", tmp_path / "file/below")[0] == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic.os, "fsync", _no_space)
        code, _, said = call("runtime", target)
    assert code == 2
    assert "No space left on device" in said
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def _no_space(file: int) -> None:
    raise OSError(28, "No space left on device")


def test_runtime_does_not_replace_files_of_others(tmp_path: Path, call: Call) -> None:
    (tmp_path / "README.md").write_text("my project")
    code, _, said = call("runtime", tmp_path)
    assert code == 2
    assert "README.md is there already, and it is not a file of stridepack." in said
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert call("runtime", tmp_path / "own")[0] == 0
    assert call("runtime", tmp_path / "own")[0] == 0  # its own files are replaced
    (tmp_path / "own/README.md").write_text("notes of my own")
    code, _, said = call("runtime", tmp_path / "own")
    assert code == 2
    assert "README.md was changed after stridepack had written it." in said


@pytest.mark.slow
@pytest.mark.parametrize("presses", [1, 3])
def test_ctrl_c(tmp_path: Path, presses: int) -> None:
    """One press, within a second (and some more on a busy machine), exit code 130."""
    np.save(tmp_path / "w.npy", random_array(2**25, 0.5))
    command = [sys.executable, "-m", "stridepack", "pack", "w.npy", "-o", "w.spk"]
    child = subprocess.Popen(
        # Jobs in the background of a script ignore Ctrl-C, and so would what they start.
        ["env", "--default-signal=INT", *command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    time.sleep(2)
    while _processor_seconds(child.pid) < 1.5:  # until it packs
        assert child.poll() is None
        time.sleep(0.1)
    begin = time.monotonic()
    for _ in range(presses):
        child.send_signal(signal.SIGINT)
        time.sleep(0.02)
    said = child.communicate(timeout=60)[0]
    assert child.returncode == 130, said
    assert said.strip() == "stridepack: stopped. No file was left half-written."
    assert time.monotonic() - begin < 5
    assert [path.name for path in tmp_path.iterdir()] == ["w.npy"]


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_ctrl_c_in_python_ends_an_encoder() -> None:
    """In the main thread and in the threads of a plan: KeyboardInterrupt long before the end."""
    code = (
        "import os, signal, sys, threading, time, numpy as np, stridepack as sp\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "values = np.random.default_rng(0).integers(-9, 10, 2**25, np.int8)\n"
        "for work in (lambda: sp.pack(values, 'hybrid'),\n"
        "             lambda: sp.plan([sp.WeightTensor(n, values) for n in 'ab'])):\n"
        "    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    try: work()\n"
        "    except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    begin = time.monotonic()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "interrupted\n" * 2, said.stderr
    assert time.monotonic() - begin < 60
