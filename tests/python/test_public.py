# SPDX-License-Identifier: Apache-2.0
"""The public package: its names, and the functions that read and write files."""

import inspect
import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from arrays import random_array

import stridepack as sp
from stridepack.files.table import TYPES

MODEL = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"

ARRAYS = {"conv": random_array(5000, 0.8).reshape(50, 100), "bias": random_array(20, 0.0)}


@pytest.fixture
def npz(tmp_path: Path) -> str:
    np.savez(tmp_path / "w.npz", **ARRAYS)
    return str(tmp_path / "w.npz")


def names_below(path: Path) -> set[str]:
    return {str(each) for each in path.rglob("*")}


def test_dir_shows_public_names_only() -> None:
    assert set(dir(sp)) == {*sp.__all__, "__version__"}
    assert len(set(sp.__all__)) == len(sp.__all__)
    for name in dir(sp):
        assert not isinstance(getattr(sp, name), types.ModuleType), name
    for name in ("pack_file", "unpack_file", "verify_files", "read_bundle", "write_bundle"):
        assert name in dir(sp), name


def test_every_public_name_is_documented() -> None:
    for name in sp.__all__:
        assert inspect.getdoc(getattr(sp, name)), name


def test_no_module_hides_a_public_name() -> None:
    """`plan` and `formats` are functions and packages: importing the latter must change nothing.

    In a process of its own, whose first import is that of the package.
    """
    code = """
import importlib, pkgutil, types
import stridepack as sp

before = {name: getattr(sp, name) for name in sp.__all__}
imported = []
for module in pkgutil.walk_packages(sp.__path__, "stridepack.", onerror=lambda name: None):
    if module.name == "stridepack.__main__":  # would run
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        assert isinstance(error, sp.MissingDependencyError), error
    imported.append(module.name)
some = {"stridepack.plan.smallest", "stridepack.formats.hybrid", "stridepack.cli.main"}
assert some <= {*imported}
for name, value in before.items():
    assert getattr(sp, name) is value, name
    assert not isinstance(value, types.ModuleType), name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_by_str_paths(npz: str, tmp_path: Path) -> None:
    packed, back = str(tmp_path / "w.spk"), str(tmp_path / "back.npz")
    result = sp.pack_file(npz, packed)
    assert [stored.tensor.name for stored in result.tensors] == list(ARRAYS)
    assert result.files == {Path(packed): Path(packed).stat().st_size}
    verified = sp.verify_files(npz, packed)
    assert (verified.ok, verified.n_tensors, verified.differences) == (True, len(ARRAYS), [])
    assert sp.unpack_file(packed, back) == Path(back).stat().st_size
    with np.load(back) as archive:
        assert archive.files == list(ARRAYS)
        for name, values in ARRAYS.items():
            np.testing.assert_array_equal(archive[name], values)
    # The bundle, read and written again, is the same file.
    blobs = sp.read_bundle(packed)
    assert {name: blob.format for name, blob in blobs.items()} == {
        stored.tensor.name: stored.format for stored in result.tensors
    }
    again = str(tmp_path / "again.spk")
    assert sp.write_bundle(again, blobs) == Path(packed).stat().st_size
    assert Path(again).read_bytes() == Path(packed).read_bytes()
    assert sp.read_bundle(again) == blobs
    # pathlib's paths do the same.
    assert sp.read_bundle(Path(again)) == blobs


def test_verify_files_finds_a_difference(npz: str, tmp_path: Path) -> None:
    wrong = ARRAYS["conv"].copy()
    wrong[1, 2] ^= 1
    path = str(tmp_path / "wrong.spk")
    sp.write_bundle(path, {"conv": sp.pack(wrong)})
    result = sp.verify_files(npz, path)
    assert not result.ok
    assert result.differences == [
        "conv: 1 of 5000 elements differs. The first is element 102, which is "
        f"{wrong[1, 2]} in the packed file and {ARRAYS['conv'][1, 2]} in the model.",
        "bias: the packed file does not have it.",
    ]


def test_write_bundle_leaves_nothing_half_written(tmp_path: Path) -> None:
    blobs = {"conv": sp.pack(ARRAYS["conv"])}
    path = tmp_path / "w.spk"
    path.write_text("what was there")
    folder = tmp_path / "folder.spk"
    folder.mkdir()
    before = names_below(tmp_path)
    for target, tensors, error, message in (
        (path, blobs | {"a\0b": blobs["conv"]}, sp.InputError, "has a zero byte"),
        (path, {"x" * 65_536: blobs["conv"]}, sp.InputError, "has 65,536 bytes"),
        (folder, blobs, sp.OutputError, "because it is a directory"),
        (
            tmp_path / "missing/w.spk",
            blobs,
            sp.OutputError,
            "there is no directory .*missing. Make it first",
        ),
    ):
        with pytest.raises(error, match=message):
            sp.write_bundle(str(target), tensors)
        assert names_below(tmp_path) == before
        assert path.read_text() == "what was there"


def test_write_bundle_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.spk"
    path.write_text("what was there")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(sp.OutputError, match=r"w\.spk cannot be written: No space left on device"):
        sp.write_bundle(str(path), {"conv": sp.pack(ARRAYS["conv"])})
    assert names_below(tmp_path) == {str(path)}
    assert path.read_text() == "what was there"


@pytest.mark.parametrize("suffix", TYPES)
def test_what_can_be_written_can_be_read(suffix: str) -> None:
    """All but what .c files hold, which a compiler reads. As input they hold a .tflite."""
    file_type = TYPES[suffix]
    assert file_type.read is not None
    assert (file_type.choose is None) == (file_type.write is None)
    for output in file_type.unpack:
        assert file_type.write is not None
        assert TYPES[output].read is not None


@pytest.mark.parametrize(
    ("suffix", "output"), [(suffix, output) for suffix, t in TYPES.items() for output in t.unpack]
)
def test_what_is_packed_is_unpacked_to_the_same_tensors(
    suffix: str, output: str, tmp_path: Path
) -> None:
    model = tmp_path / "w.npz"
    np.savez(model, **ARRAYS)
    if suffix in (".tflite", ".cc"):
        pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
        model = MODEL
    packed, unpacked = tmp_path / f"packed{suffix}", tmp_path / f"unpacked{output}"
    sp.pack_file(model, packed)
    assert sp.unpack_file(packed, unpacked) == unpacked.stat().st_size
    tensors = {tensor.name: tensor.values for tensor in sp.read_weights(unpacked)}
    expected = {tensor.name: tensor.values for tensor in sp.read_weights(model)}
    assert list(tensors) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(tensors[name], values)


def test_threads_that_write_one_file(tmp_path: Path) -> None:
    """Whoever reads it finds the whole of what one of them wrote, and nothing else is left."""
    path = tmp_path / "w.spk"
    bundles = [
        {f"t{i}": sp.pack(random_array(3000 + i, 0.5), "bitmap") for i in range(n)} for n in (1, 9)
    ]

    def write_and_read(i: int) -> int:
        sp.write_bundle(path, bundles[i % 2])
        return len(sp.read_bundle(path))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(write_and_read, range(200))) <= {1, 9}
    assert names_below(tmp_path) == {str(path)}


def test_a_new_process_imports_little() -> None:
    """NumPy, the extension, and some of the standard library: no interpreter, no tables, no CLI."""
    code = "import sys, stridepack; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    for name in ("click", "rich", "flatbuffers", "tflite_micro", "torch", "subprocess", "scipy"):
        assert name not in loaded
    for name in ("onnx", "safetensors", "google.protobuf"):
        assert name not in loaded
