# SPDX-License-Identifier: Apache-2.0
"""What goes wrong outside of stridepack is explained, with exit code 2; a defect of it has 3."""

import io
import os
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call

import stridepack as sp
from stridepack.cli.nbytes import nbytes

__all__ = ["call"]

WEIGHTS = random_array(4000, 0.6)


def npy(header: str, data: bytes = b"\1" * 100) -> bytes:
    text = header.encode("latin1")
    text += b" " * (-(len(text) + 11) % 16) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data


def array_of(shape: str, descr: str = "'|i1'") -> bytes:
    return npy(f"{{'descr':{descr},'fortran_order':False,'shape':{shape},}}")


def npz(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def saved(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_flags(data: bytes, offsets: dict[bytes, int], value: int) -> bytes:
    """A ZIP archive of which a byte is set in each header of some kinds."""
    changed = bytearray(data)
    for magic, offset in offsets.items():
        at = changed.find(magic)
        while at >= 0:
            changed[at + offset] = value
            at = changed.find(magic, at + 4)
    return bytes(changed)


GOOD = npz(("a.npy", saved(WEIGHTS)), ("b.npy", saved(WEIGHTS)))
HEADERS = {
    "a dimension of 8,589,934,592": array_of(f"(0,{2**33})"),
    "a dimension of 1,180,591,620,717,411,303,424": array_of(f"({2**70},)"),
    "has 1000 dimensions. At most 8": array_of(f"({'1,' * 1000})"),
    "has 9 dimensions. At most 8": array_of(f"({'1,' * 9})"),
    "has the shape (-1,)": array_of("(-1,)"),
    "has the shape (True,)": array_of("(True,)"),
    "its shape needs 200 bytes of data, but 100 are there": array_of("(200,)"),
    "it holds no int8 arrays": array_of("(1,)", "'|O'"),
    "not a valid dtype": array_of("(1,)", "5"),
    "header cannot be read": npy("(((((((("),
    "cannot be read: ": npy("{'descr':'|i1',"),
    "its header": npy("x" * 100),
}


@pytest.mark.parametrize("match", HEADERS)
def test_broken_headers(tmp_path: Path, call: Call, match: str) -> None:
    (tmp_path / "w.npy").write_bytes(HEADERS[match])
    (tmp_path / "w.npz").write_bytes(npz(("w.npy", HEADERS[match])))
    for name in ("w.npy", "w.npz"):
        code, _, said = call("pack", tmp_path / name, "-o", tmp_path / "w.spk")
        assert code == 2, said
        assert said.startswith("stridepack: error: ")
        assert match in said


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (npz(("a.npy", saved(WEIGHTS)), ("a.npy", saved(WEIGHTS))), "two arrays with the name 'a'"),
        (npz(("a.npy", saved(WEIGHTS)), ("a", saved(WEIGHTS))), "two arrays with the name 'a'"),
        (with_flags(GOOD, {b"PK\1\2": 8, b"PK\3\4": 6}, 1), "is encrypted, password required"),
        (with_flags(GOOD, {b"PK\1\2": 10}, 99), "That compression method is not supported"),
        (GOOD[:300] + bytes([GOOD[300] ^ 1]) + GOOD[301:], "Bad CRC-32"),
        (npz(("readme.txt", b"hello")), "only readme.txt (another kind of file)"),
    ],
)
def test_foreign_archives(tmp_path: Path, call: Call, data: bytes, match: str) -> None:
    (tmp_path / "w.npz").write_bytes(data)
    code, _, said = call("inspect", tmp_path / "w.npz")
    assert code == 2, said
    assert match in said


def test_a_foreign_member_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(npz(("readme.txt", b"hello"), ("a.npy", saved(WEIGHTS))))
    with pytest.warns(UserWarning, match=r"array readme\.txt is left out"):
        (tensor,) = sp.read_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(tensor.values, WEIGHTS)


def test_fortran_order(tmp_path: Path) -> None:
    values = np.asfortranarray(WEIGHTS.reshape(40, 10, 10))
    np.savez(tmp_path / "w.npz", a=values)
    (tensor,) = sp.read_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(tensor.values, values)


def test_many_arrays_that_are_left_out_are_one_line(tmp_path: Path) -> None:
    floats = {f"f{i}": np.zeros(3, np.float32) for i in range(400)}
    np.savez(tmp_path / "w.npz", a=WEIGHTS, **floats)
    with pytest.warns(UserWarning, match="400 arrays are left out") as warned:
        sp.read_weights(tmp_path / "w.npz")
    assert len(warned) == 1


def test_names_that_do_not_fit_an_archive(tmp_path: Path, call: Call) -> None:
    for name in ("n" * 65535, "n" * 65532):
        sp.write_bundle(tmp_path / "w.spk", {name: sp.pack(WEIGHTS)})
        assert call("inspect", tmp_path / "w.spk")[0] == 0
        code, _, said = call("unpack", tmp_path / "w.spk", "-o", tmp_path / "w.npz")
        assert code == 2
        assert "a name has at most 65,531 bytes" in said
    sp.write_bundle(tmp_path / "w.spk", {"n" * 65531: sp.pack(WEIGHTS)})
    assert call("unpack", tmp_path / "w.spk", "-o", tmp_path / "w.npz")[0] == 0


def test_bombs(tmp_path: Path, call: Call) -> None:
    """Small files that unpack to much are refused before they do, unless that is allowed."""
    nothing = sp.pack(np.zeros(2**20, np.int8), "rle")
    sp.write_bundle(tmp_path / "w.spk", {f"{i}": nothing for i in range(100)})
    zeros = np.zeros(2**27, np.int8)
    np.savez_compressed(tmp_path / "w.npz", a=zeros)
    with zipfile.ZipFile(tmp_path / "w.npz") as archive:
        assert archive.infolist()[0].compress_size < 2**18
    for name, size in (("w.spk", 100 * 2**20), ("w.npz", 2**27)):
        code, _, said = call("inspect", tmp_path / name)
        assert code == 2
        assert f"its tensors take at least {size:,} bytes when they are unpacked" in said
        assert "allow more with `--max-memory BYTES`" in said
    try:
        output = tmp_path / "u.npz"
        assert call("unpack", tmp_path / "w.spk", "-o", output, "--max-memory", "100MiB")[0] == 0
        assert call("unpack", tmp_path / "w.spk", "-o", output, "--max-memory", "99MiB")[0] == 2
    finally:
        sp.set_max_memory(None)
    with pytest.raises(sp.InputError, match=r"max_memory=1\.5"):
        sp.set_max_memory(1.5)  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may search every directory")
def test_no_search_permission(tmp_path: Path, call: Call) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    try:
        for arguments in (["inspect", "closed/w.npz"], ["runtime", "closed/runtime"]):
            code, _, said = call(arguments[0], tmp_path / arguments[1])
            assert code == 2
            assert "Permission denied" in said
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_long_names_and_loops(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.npz").write_bytes(GOOD)
    for name in ("loop.npz", "loop.spk"):
        Path(name).symlink_to(name)
    long = "y" * 300
    for arguments, match in (
        (["inspect", "loop.npz"], "Too many levels of symbolic links"),
        (["pack", "good.npz", "-o", "loop.spk"], "Too many levels of symbolic links"),
        (["inspect", f"{long}.npz"], "File name too long"),
        (["pack", "good.npz", "-o", f"{long}.spk"], "File name too long"),
        (["unpack", f"{long}.spk", "-o", "w.npz"], "File name too long"),
        (["runtime", long], "File name too long"),
        (["inspect", "good.npz/below.npz"], "Not a directory"),
        (["pack", "good.npz", "-o", "good.npz/w.spk"], "cannot be written"),
    ):
        code, _, said = call(*arguments)
        assert code == 2, said
        assert match in said


def started(*arguments: str, shell: str = "", **more: Any) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own, through a shell that redirects it."""
    command = f'"$0" -m stridepack "$@" {shell}'
    return subprocess.run(
        ["bash", "-c", command, sys.executable, *arguments],
        capture_output=True,
        check=False,
        **more,
    )


def test_a_deleted_working_directory(tmp_path: Path) -> None:
    (tmp_path / "good.npz").write_bytes(GOOD)
    (tmp_path / "gone").mkdir()
    ended = started(
        "pack", str(tmp_path / "good.npz"), "-o", "w.spk",
        cwd=tmp_path / "gone", preexec_fn=(tmp_path / "gone").rmdir,
    )  # fmt: skip
    assert ended.returncode == 2
    assert b"stridepack: error: w.spk cannot be written" in ended.stderr


def test_standard_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "good.npz").write_bytes(GOOD)
    inspect = ("inspect", str(tmp_path / "good.npz"))
    for shell, match in (
        (">&-", b"Standard output is closed."),
        (">/dev/full", b"The output cannot be written: No space left on device."),
        ("--json >/dev/full", b"The output cannot be written: No space left on device."),
        ("> >(true); sleep 0.2", b""),
    ):
        ended = started(*inspect, shell=shell)
        assert b"Traceback" not in ended.stderr
        if match:
            assert ended.returncode == 2
            assert ended.stderr.startswith(b"stridepack: error: " + match)
    # A reader that goes away before anything is written
    ended = started(*inspect, shell="| true; exit ${PIPESTATUS[0]}")
    assert ended.returncode == 2
    assert b"Standard output was closed before everything was written." in ended.stderr
    ended = started(*inspect, shell="2>&-")
    assert ended.returncode == 0


def test_names_and_terminals_without_unicode(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"größe": WEIGHTS})
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for name in (os.fsencode(tmp_path) + b"/\xff.spk", os.fsencode(tmp_path) + "/ö.spk".encode()):
        for environment in ({}, ascii_only, {**ascii_only, "PYTHONIOENCODING": "ascii"}):
            ended = subprocess.run(
                [sys.executable, "-m", "stridepack", "pack", str(tmp_path / "w.npz"), "-o", name],
                capture_output=True,
                env={**os.environ, **environment},
                check=False,
            )
            assert ended.returncode == 0, ended.stderr
            assert b"wrote " in ended.stdout
            assert Path(os.fsdecode(name)).exists()


def test_out_of_memory(tmp_path: Path, call: Call) -> None:
    np.save(tmp_path / "w.npy", np.ones(2**26, np.int8))
    ended = started(
        "pack", str(tmp_path / "w.npy"), "-o", str(tmp_path / "w.spk"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29)),
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    assert b"There is not enough memory for this." in ended.stderr


def test_a_defect_is_reported_as_one(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr("stridepack.cli.unpack.unpack_file", broken)
    code, _, said = call("unpack", "w.spk", "-o", "w.npz")
    assert code == 3
    assert said.startswith("stridepack: this is a defect of stridepack. Please report it")
    assert "KeyError: 'nobody thought of this'" in said
    assert "cli/unpack.py:" in said
    assert len(said.splitlines()) == 1


def test_exit_codes_of_click(call: Call) -> None:
    assert call("--help")[0] == 0
    assert call("nothing")[0] == 2
    assert call("pack")[0] == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [("60000", 60000), ("60kB", 60000), ("48KiB", 49152), ("48k", 48000), ("1.5 MB", 1500000),
     ("60_000", 60000), ("60,000", 60000), ("2GiB", 2**31), ("7 B", 7), ("0", 0)],
)  # fmt: skip
def test_numbers_of_bytes(text: str, number: int) -> None:
    assert nbytes(text) == number


@pytest.mark.parametrize("text", ["", "k", "-1", "4x", "1e3", "0x10", "4 4", "nan", "٣"])
def test_what_is_no_number_of_bytes(tmp_path: Path, call: Call, text: str) -> None:
    code, _, said = call("pack", "w.npz", "-o", "w.spk", f"--flash={text}")
    assert code == 2
    assert "is not a number of bytes. Write it such as 60000, 60kB" in " ".join(said.split())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"format": "hybrid", "sizes": 4}, r"`sizes=4` is not possible\. It must be several"),
        ({"format": "hybrid", "sizes": "4"}, r"`sizes=4` is not possible"),
        ({"format": "hybrid", "strides": [1.5]}, r"`strides=\[1\.5\]` is not possible"),
        ({"format": "hybrid", "occupancy": "x"}, r"`occupancy=x` is not possible"),
        ({"tile": "x"}, r"`tile=x` is not possible"),
        ({"tile": 2.5}, r"`tile=2\.5` is not possible"),
        ({"tile": float("nan")}, r"`tile=nan` is not possible"),
    ],
)
def test_arguments_of_the_wrong_kind(options: dict[str, Any], match: str) -> None:
    with pytest.raises(sp.InputError, match=match):
        sp.pack(WEIGHTS, **options)
    with pytest.raises(sp.InputError, match="min_size=x"):
        sp.plan([], min_size="x")  # type: ignore[arg-type]
    with pytest.raises(sp.InputError, match="flash=x"):
        sp.Budget(flash="x")  # type: ignore[arg-type]
