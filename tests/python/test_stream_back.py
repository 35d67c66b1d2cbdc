# SPDX-License-Identifier: Apache-2.0
"""`verify` and `unpack` of large files: tensor by tensor, little memory, all or nothing."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call
from safetensors.numpy import save_file

import stridepack as sp
from stridepack.errors import CorruptDataError
from stridepack.files.spk import build_bundle, parse_bundle
from stridepack.files.spk_read import BundleReader

__all__ = ["call"]

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
ARRAYS = {
    "a": random_array(6000, 0.6).reshape(20, 300),
    "b/c": random_array(900, 0.1),
    "scalar": np.array(7, np.int8),
    "empty": np.zeros((0, 3), np.int8),
}
INDEX = "model.safetensors.index.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a model and what it was packed into."""
    monkeypatch.chdir(tmp_path)
    save_file(ARRAYS, "w.safetensors")
    sp.pack_file("w.safetensors", "w.spk")
    return tmp_path


def names_here() -> set[str]:
    return {path.name for path in Path().iterdir()}


def checkpoint(n_shards: int) -> None:
    """So many shards of a tensor each, and their index."""
    weight_map = {}
    for i in range(n_shards):
        name = f"model-{i:05}.safetensors"
        save_file({f"t{i}": random_array(100 + i, 0.5)}, name)
        weight_map[f"t{i}"] = name
    Path(INDEX).write_text(json.dumps({"weight_map": weight_map}))


@pytest.mark.parametrize("kind", ["valid", "invalid"])
def test_reads_what_the_c_library_reads(kind: str) -> None:
    """The same error for every bundle that must fail, and the same blobs for the others."""
    paths = sorted((VECTORS / kind).glob("*.spk"))
    assert len(paths) >= 3
    for path in paths:
        data = path.read_bytes()
        try:
            expected = parse_bundle(data, str(path))
        except CorruptDataError as error:
            with pytest.raises(CorruptDataError, match=re.escape(str(error))):
                [entry.packed() for entry in BundleReader(path).entries]
            continue
        bundle = BundleReader(path)
        assert {entry.name: entry.packed() for entry in bundle.entries} == expected
        assert bool(bundle.hashes) == (not data[5] and bool(expected))


def test_every_damaged_bit() -> None:
    """Of a file with names and of one without: both readers say the same, bit by bit."""
    tensors = {name: sp.pack(array, "rle") for name, array in list(ARRAYS.items())[1:]}
    for names in (True, False):
        data = build_bundle(tensors, names=names)
        for bit in range(0, 8 * min(len(data), 150), 5):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            Path("damaged.spk").write_bytes(damaged)
            with pytest.raises(CorruptDataError) as expected:
                parse_bundle(bytes(damaged), "damaged.spk")
            with pytest.raises(CorruptDataError, match=re.escape(str(expected.value))):
                [entry.packed() for entry in BundleReader(Path("damaged.spk")).entries]


@pytest.mark.parametrize("names", [True, False])
def test_unpack(call: Call, names: bool) -> None:
    """The .npz is what it was when all tensors were in memory: np.savez of them."""
    sp.pack_file("w.safetensors", "w.spk", names=names)
    code, said, errors = call("unpack", "w.spk", "-o", "w.npz")
    assert (code, errors) == (0, "")
    assert f"wrote w.npz: {Path('w.npz').stat().st_size:,} bytes" in said
    with np.load("w.npz") as archive:
        in_order = sp.read_bundle("w.spk")
        assert list(archive) == list(in_order)
        for array, packed in zip(archive.values(), in_order.values(), strict=True):
            assert array.shape == packed.shape
            np.testing.assert_array_equal(array, packed.unpack())
    assert sp.verify_files("w.safetensors", "w.spk").ok


def test_verify_finds_differences(call: Call) -> None:
    changed = dict(ARRAYS)
    changed["a"] = ARRAYS["a"].copy()
    changed["a"][3, 4] += 1
    changed["b/c"] = changed["b/c"][:-1]
    save_file(changed, "w.safetensors")
    code, said, _ = call("verify", "w.safetensors", "w.spk")
    assert code == 1
    assert "differs: a: 1 of 6000 elements differs. The first is element 904, which is" in said
    assert "differs: b/c: its shape is (900,) in the packed file and (899,) in the model." in said


@pytest.mark.parametrize("options", [[], ["--no-names"]])
def test_verify_a_checkpoint(call: Call, options: list[str]) -> None:
    checkpoint(3)
    assert call("pack", INDEX, "-o", "out", *options)[0] == 0
    for arguments in ((INDEX, "out"), ("out", INDEX)):
        code, said, errors = call("verify", *arguments)
        assert (code, errors) == (0, "")
        assert "all 3 tensors are equal" in said
    assert "The packed file was given first" in said
    save_file({"t1": random_array(101, 0.4)}, "model-00001.safetensors")
    code, said, _ = call("verify", INDEX, "out")
    assert code == 1
    assert said.count("differs: model-00001.spk: t1: ") == said.count("differs:") == 1
    Path("out/model-00002.spk").unlink()
    code, _, said = call("verify", INDEX, "out")
    assert (code, "out/model-00002.spk: there is no such file" in said) == (2, True)
    code, _, said = call("verify", INDEX, "w.spk")
    assert code == 2
    assert "Give the directory into which it was packed." in said


def test_unpack_killed_in_the_middle() -> None:
    """Nothing is there of what was written; what was there stays."""
    Path("w.npz").write_text("old")
    code = (
        "import time, stridepack as sp\nfrom stridepack.files import spk_read\n"
        "def wait(self):\n"
        "    if self.name == 'b/c': print('second', flush=True); time.sleep(60)\n"
        "    return read(self)\n"
        "read, spk_read.BundleEntry.read = spk_read.BundleEntry.read, wait\n"
        "sp.unpack_file('w.spk', 'w.npz')\n"
    )
    before = names_here()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"second\n"
        child.send_signal(signal.SIGKILL)
    if hasattr(os, "O_TMPFILE"):
        assert names_here() == before
    assert Path("w.npz").read_text() == "old"
    sp.unpack_file("w.spk", "w.npz")
    assert names_here() == before


def test_a_damaged_last_tensor(call: Call) -> None:
    """It is only found when all others are written: nothing of them is left."""
    data = bytearray(Path("w.spk").read_bytes())
    data[-5] ^= 1
    Path("w.spk").write_bytes(data)
    for command in (("unpack", "w.spk", "-o", "w.npz"), ("verify", "w.safetensors", "w.spk")):
        code, said, errors = call(*command)
        assert (code, said) == (2, "")
        assert "w.spk: the CRC-32 does not match (status 8, checksum)." in errors
    assert names_here() == {"w.safetensors", "w.spk"}


@pytest.mark.parametrize("hard", [4096, 90])
def test_more_shards_than_files_may_be_open(hard: int) -> None:
    """The soft limit is raised where that is allowed, and else this is said at once."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip("so many files may not be open here")
    checkpoint(80)
    code = (
        "import resource, stridepack as sp\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (60, {hard}))\n"
        f"sp.pack_file({INDEX!r}, 'out', 'rle')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    if hard == 4096:
        assert (ran.returncode, ran.stderr) == (0, "")
        assert len(list(Path("out").glob("*.spk"))) == 80
        return
    assert "The output has 80 files, which are all open" in ran.stderr
    assert "may have 90 files open at most, and needs 144" in ran.stderr
    assert not Path("out").exists()


@pytest.mark.slow
def test_memory() -> None:
    """At most 300 MB and four times the largest tensor, whatever the size of the file."""
    largest, n = 8_000_000, 25
    arrays = {f"w{i}": random_array(largest, 0.8, i) for i in range(n)}
    save_file(arrays, "w.safetensors")
    sp.write_bundle("w.spk", {name: sp.pack(array, "bitmap") for name, array in arrays.items()})
    del arrays
    for call_of in ("verify_files('w.safetensors', 'w.spk')", "unpack_file('w.spk', 'w.npz')"):
        code = f"import stridepack as sp\nsp.{call_of}\nprint(open('/proc/self/status').read())"
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peak = int(re.search(r"VmHWM:\s+(\d+)", said)[1]) * 1024  # type: ignore[index]
        assert peak < 100_000_000 + 4 * largest
        assert peak < n * largest
