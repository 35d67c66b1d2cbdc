# SPDX-License-Identifier: Apache-2.0
"""Tensors of .safetensors files stream through: the same bytes, little memory, all or nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arrays import random_array
from commands import Call, call
from safetensors.numpy import save_file

import stridepack as sp
from stridepack._threads import one_after_the_other
from stridepack.files import Stored, atomic, spk, stream
from stridepack.report.stored import stored_table
from stridepack.tensor import TensorCounts

__all__ = ["call"]

SHARDS = {
    "model-00001-of-00003": {"a.weight": random_array(6000, 0.6).reshape(20, 300)},
    "model-00002-of-00003": {"b.weight": random_array(900, 0.1), "c": random_array(40, 0.8)},
    "model-00003-of-00003": {"d": random_array(2000, 0.9), "e": np.zeros((0, 3), np.int8)},
}
INDEX = "model.safetensors.index.json"


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The index of three shards, in the current directory."""
    monkeypatch.chdir(tmp_path)
    weight_map = {}
    for name, arrays in SHARDS.items():
        save_file(arrays, f"{name}.safetensors")
        weight_map |= dict.fromkeys(arrays, f"{name}.safetensors")
    Path(INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return tmp_path / INDEX


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


SPK = {f"{name}.spk" for name in SHARDS}


@pytest.mark.parametrize("options", [[], ["--no-names"], ["--format", "dense", "--tile", "100"]])
def test_the_same_as_from_arrays(tmp_path: Path, call: Call, options: list[str]) -> None:
    """Bytes, header and what is said: a .npz is packed with all tensors in memory."""
    arrays = {name: array for of in SHARDS.values() for name, array in of.items()}
    save_file(arrays, tmp_path / "w.safetensors")
    np.savez(tmp_path / "w.npz", **arrays)
    said = []
    for kind in ("npz", "safetensors"):
        (tmp_path / kind).mkdir()
        output = tmp_path / kind / "w.spk"
        code, out, errors = call("pack", tmp_path / f"w.{kind}", "-o", output, *options)
        assert (code, errors) == (0, "")
        said.append(out.replace(str(output.parent), ""))
    assert said[0] == said[1]
    one, other = (
        {p.name: p.read_bytes() for p in (tmp_path / k).iterdir()} for k in ("npz", "safetensors")
    )
    assert one == other


@pytest.mark.usefixtures("checkpoint")
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("unnamed", [False, True])
def test_a_checkpoint(
    call: Call, there: bool, unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unnamed:
        monkeypatch.setattr(atomic.os, "O_TMPFILE", 0, raising=False)
    if there:
        Path("out").mkdir()
        Path("out/other").touch()
    code, said, errors = call("pack", INDEX, "-o", "out")
    assert (code, errors) == (0, "")
    assert "total of 5" in said
    assert names_in(Path("out")) == SPK | ({"other"} if there else set())
    for name, arrays in SHARDS.items():
        bundle = sp.read_bundle(f"out/{name}.spk")
        assert bundle.keys() == arrays.keys()
        for tensor, array in arrays.items():
            np.testing.assert_array_equal(bundle[tensor].unpack(), array)
        assert f"wrote out/{name}.spk: {Path(f'out/{name}.spk').stat().st_size:,} bytes" in said
    assert not [name for name in names_in(Path()) if name.startswith(".")]


@pytest.mark.usefixtures("checkpoint")
@pytest.mark.parametrize("there", [False, True])
def test_all_or_nothing(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last shard fails: nothing of the others is left, and what was there stays."""
    if there:
        Path("out").mkdir()
        for name in SPK:
            Path("out", name).write_text("old")
    before = names_in(Path())
    of_one = stream.choose_one

    def fail_at_last(tensor: sp.WeightTensor, *others: Any) -> Any:
        if tensor.name == "e":
            raise sp.StridepackError("the last one")
        return of_one(tensor, *others)

    monkeypatch.setattr(stream, "choose_one", fail_at_last)
    with pytest.raises(
        sp.StridepackError,
        match=r"the last one This happened in file 3 of 3, model-00003-of-00003\.safetensors\. "
        "Nothing was written",
    ):
        sp.pack_file(INDEX, "out")
    assert names_in(Path()) == before
    if there:
        assert names_in(Path("out")) == SPK
        assert all(Path("out", name).read_text() == "old" for name in SPK)


@pytest.mark.usefixtures("checkpoint")
def test_killed_in_the_middle() -> None:
    code = (
        "import time, stridepack as sp\nfrom stridepack.files import stream\n"
        "def wait(job, shard, new, results):\n"
        "    if '00003' in shard.output.name: print('last', flush=True); time.sleep(60)\n"
        "    return write(job, shard, new, results)\n"
        "write, stream._write = stream._write, wait\n"
        f"sp.pack_file({INDEX!r}, 'out')\n"
    )
    before = names_in(Path())
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"last\n"
        child.send_signal(signal.SIGKILL)
    if hasattr(os, "O_TMPFILE"):
        assert names_in(Path()) == before
    sp.pack_file(INDEX, "out")
    assert names_in(Path()) == before | {"out"}


@pytest.mark.usefixtures("checkpoint")
def test_what_a_checkpoint_must_be(call: Call) -> None:
    Path("file").touch()
    for output in ("out.spk", "out.c", "file"):
        code, _, said = call("pack", INDEX, "-o", output)
        assert code == 2
        assert "each of them becomes a .spk file. Give the name of a directory" in said
    assert "there is no directory" in call("pack", INDEX, "-o", "no/out")[2]
    assert "Leave the budgets," in call("pack", INDEX, "-o", "out", "--flash", "900")[2]
    assert "give one of its .safetensors files" in call("inspect", INDEX)[2]
    for weight_map, message in (
        ({"a.weight": "../x.safetensors"}, "not the name of a file beside the index"),
        ({"a.weight": "x.bin"}, "Only .safetensors files are read here"),
        ({"a.weight": "x.safetensors"}, "there is no such file"),
        ({"z": "model-00001-of-00003.safetensors"}, "it has no tensor 'z'"),
        ({}, "names no tensors"),
    ):
        Path(INDEX).write_text(json.dumps({"weight_map": weight_map}))
        assert message in call("pack", INDEX, "-o", "out")[2]
    for text in ("{", "[]", "{}"):
        Path(INDEX).write_text(text)
        assert "this is not the index of a checkpoint" in call("pack", INDEX, "-o", "out")[2]
    assert not Path("out").exists()


@pytest.mark.usefixtures("checkpoint")
def test_a_tensor_is_in_one_shard_only(call: Call) -> None:
    """Which of two is meant is not known; of what is not packed, such as a scale, two may be."""
    save_file(
        {"a.weight": np.ones((2, 3), np.int8), "norm": np.ones(3, np.float32)},
        "model-00004.safetensors",
    )
    save_file({"z": np.ones(4, np.int8), "norm": np.ones(3, np.float32)}, "model-00005.safetensors")
    names = {"a.weight": "model-00004.safetensors", "z": "model-00005.safetensors"}
    Path(INDEX).write_text(json.dumps({"weight_map": names}))
    assert call("pack", INDEX, "-o", "good")[0] == 0
    names["norm"] = "model-00006.safetensors"
    save_file(
        {"a.weight": np.ones((2, 3), np.int8), "norm": np.ones(3, np.float32)},
        "model-00006.safetensors",
    )
    Path(INDEX).write_text(json.dumps({"weight_map": names}))
    said = "model-00006.safetensors: it has a tensor 'a.weight', and so has model-00004.safetensors"
    for command in (["pack", INDEX, "-o", "out"], ["verify", INDEX, "good"]):
        code, _, errors = call(*command)
        assert code == 2
        assert said in " ".join(errors.split())
    assert not Path("out").exists()


def test_shards_without_int8(checkpoint: Path) -> None:
    """They get no .spk. One warning tells of all that is left out."""
    save_file({"norm": np.ones(3, np.float32)}, "model-00002-of-00003.safetensors")
    names = {"a.weight": "model-00001-of-00003", "norm": "model-00002-of-00003"}
    weight_map = {tensor: f"{name}.safetensors" for tensor, name in names.items()}
    checkpoint.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.warns(UserWarning, match="json: 1 tensor is left out, because only int8 tensors"):
        sp.pack_file(INDEX, "out")
    assert names_in(Path("out")) == {"model-00001-of-00003.spk"}


@pytest.mark.usefixtures("checkpoint")
def test_too_large_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is encoded where all is dense, and else with the first blob too much."""
    sizes: list[int] = []

    def limit(nbytes: int) -> None:
        sizes.append(nbytes)
        if nbytes >= 3000:
            raise sp.InputError("too large")

    monkeypatch.setattr(stream, "check_file_size", limit)
    with pytest.raises(sp.InputError, match="too large"):
        sp.pack_file(INDEX, "out", "dense")
    assert sizes == [24 + 8 + 12 + 6000 + 16]
    monkeypatch.undo()
    with pytest.raises(sp.InputError, match="larger than 4 GiB"):
        spk.check_file_size(1 << 32)
    spk.check_file_size((1 << 32) - 1)


def test_few_items_wait() -> None:
    """Sizes of what is worked on and of results that nobody has taken stay within the limit."""
    begun: list[int] = []
    results = one_after_the_other(lambda n: begun.append(n) or n, [3, 3, 3, 20, 1], int, 6)
    assert next(results) == 3
    time.sleep(0.1)
    assert sum(begun) <= 9
    assert list(results) == [3, 3, 20, 1]


def test_many_names_are_linear() -> None:
    """Reading 50,000 long names takes about ten times as long as 5,000 of them."""
    packed = sp.pack(np.zeros(1, np.int8))
    seconds = []
    for n in (5_000, 50_000):
        data = spk.build_bundle({f"{'long.' * 40}{i}": packed for i in range(n)})
        start = time.process_time()
        status, tensors = spk._core.open_bundle(np.frombuffer(data, np.uint8))
        seconds.append(time.process_time() - start)
        assert (status, len(tensors)) == (0, n)
    assert seconds[1] < 40 * max(seconds[0], 0.005)


def test_very_many_tensors_have_a_row_for_each_format() -> None:
    def rows(n: int) -> list[str]:
        counts = (TensorCounts(f"t{i}", (4, 5), 10) for i in range(n))
        formats = ("rle", "bitmap", "dense")
        stored = [Stored(one, formats[i % 3], 12) for i, one in enumerate(counts)]
        return list(map(str, stored_table(stored).columns[0].cells))

    assert rows(6) == ["t0", "t1", "t3", "t4", "2 tensors stay dense", "total of 6"]
    many = ["1,000 tensors", "1,000 tensors", "1000 tensors stay dense", "total of 3000"]
    assert rows(3000) == many


@pytest.mark.slow
def test_memory_of_a_large_file(tmp_path: Path) -> None:
    """At most 300 MB and four times the largest tensor, whatever the size of the file."""
    largest, n = 8_000_000, 25
    values = random_array(largest, 0.8)
    text = json.dumps(
        {
            f"w{i}": {
                "dtype": "I8",
                "shape": [largest],
                "data_offsets": [i * largest, (i + 1) * largest],
            }
            for i in range(n)
        }
    ).encode()
    model = tmp_path / "w.safetensors"
    with model.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(n):
            file.write(values.tobytes())
    code = (
        "import sys, stridepack as sp; sp.pack_file(*sys.argv[1:], 'bitmap')\n"
        "print(open('/proc/self/status').read())"
    )
    command = [sys.executable, "-c", code, str(model), str(tmp_path / "w.spk")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peak = int(re.search(r"VmHWM:\s+(\d+)", said)[1]) * 1024  # type: ignore[index]
    assert peak < 300_000_000 + 4 * largest
    assert peak < n * largest
