# SPDX-License-Identifier: Apache-2.0
"""Sweeps in this process: points, their results, and what is left out the next time."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ARRAYS, Call, call  # noqa: F401
from sweep_work import square

import stridepack as sp
from stridepack.errors import BudgetError, InputError, ModelError, OutputError, StridepackError
from stridepack.sweep import Here, Summary, grid, models, run
from stridepack.sweep.results import Results

POINTS = grid(number=[1, 2, 3])


def records_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_importing_the_package_imports_no_engine() -> None:
    code = (
        "import sys, stridepack, stridepack.cli\n"
        "assert not {'dask', 'distributed', 'fsspec', 'bokeh'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_second_run_does_what_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    calls = []

    def work(point: dict) -> dict:
        calls.append(point["number"])
        return square(point)

    first = run(work, POINTS[:2], str(file), Here())
    assert (first.finished, first.skipped, first.failed) == (2, 0, 0)
    seen = []
    second = run(work, POINTS, str(file), Here(), on_start=lambda *n: seen.append(n))
    assert (second.finished, second.skipped) == (1, 2)
    assert seen == [(1, 2)]
    assert calls == [1, 2, 3]
    assert [r["result"]["square"] for r in second.records] == [1, 4, 9]
    assert second.records == records_of(file)


def test_errors_are_lines_too_and_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    points = [
        {"number": 1, "folder": str(tmp_path), "fails": 2},
        {"number": 2, "folder": str(tmp_path), "fails": 3},
        {"number": 3, "folder": str(tmp_path), "refused": True},
    ]
    summary = run(square, points, str(file), Here(), retries=2)
    assert (summary.finished, summary.failed) == (1, 2)
    assert summary.records[1]["error"] == "ConnectionError: the network is down"
    assert summary.records[2]["error"] == "No plan takes so few bytes."
    assert len(list(tmp_path.glob("3-*"))) == 1  # it would be refused again
    summary = run(square, points, str(file), Here(), retries=2)
    assert (summary.finished, summary.skipped, summary.failed) == (1, 1, 1)
    assert [r["point"]["number"] for r in records_of(file)] == [1, 2, 3, 2, 3]


def test_what_a_killed_run_has_left_of_a_line_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    run(square, POINTS, str(file), Here())
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    summary = run(square, POINTS, str(file), Here())
    assert (summary.finished, summary.skipped) == (1, 2)
    strip = [{**r, "seconds": 0} for r in records_of(file)]
    assert strip == [{**json.loads(line), "seconds": 0} for line in whole.splitlines()]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"point": {}, "result": {}}\n[1]\n', "line 2 is not a result of a sweep"),
        (b"name,size\n", "line 1 is not a result of a sweep"),
        (b"\xff\xfe\n", "is not a text of JSON lines"),
        (b'{"my": "settings"}', "does not end with a result of a sweep"),
        (b"one line\nanother", "does not end with a result of a sweep"),
        (b'one line\n{"point": {', "line 1 is not a result of a sweep"),
    ],
)
def test_another_file_is_not_touched(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        run(square, POINTS, str(file), Here())
    assert file.read_bytes() == content


@pytest.mark.parametrize("place", ["/dev/full", "no/such/a.jsonl", "."])
def test_results_are_a_file_in_a_directory(tmp_path: Path, place: str) -> None:
    with pytest.raises(OutputError, match="cannot be written, because"):
        run(square, POINTS, str(tmp_path / place), Here())


def test_two_sweeps_do_not_write_one_file(tmp_path: Path) -> None:
    file = str(tmp_path / "a.jsonl")
    with Results(file), pytest.raises(OutputError, match="Another sweep writes"):
        run(square, POINTS, file, Here())
    assert run(square, POINTS, file, Here()).finished == 3


def test_models_and_results_in_a_store(call: Call, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("fsspec", reason="needs stridepack[cluster]")
    import fsspec

    np.savez(tmp_path / "weights.npz", **ARRAYS)
    store = fsspec.filesystem("memory")
    store.pipe_file("/models/weights.npz", (tmp_path / "weights.npz").read_bytes())
    command = ["sweep", "memory://models/weights.npz", "-o", "memory://results/a.jsonl"]
    command += ["--format", "auto", "--format", "rle", "--tile", 0, "--tile", 4096]
    command += ["--keep", "memory://packed", "--workers", 0]
    code, said, _ = call(*command)
    assert code == 0
    assert "memory://results/a.jsonl: 4 points measured, 0 there before, 0 failed" in said
    records = [json.loads(line) for line in store.cat_file("/results/a.jsonl").splitlines()]
    assert len(records) == 4
    for record in records:
        file = tmp_path / "kept.spk"
        file.write_bytes(store.cat_file(record["result"]["file"].removeprefix("memory:/")))
        assert file.stat().st_size == record["result"]["nbytes"]
        for name, packed in sp.read_bundle(file).items():
            assert np.array_equal(packed.unpack(), ARRAYS[name])
        output = tmp_path / "alone.spk"
        options = {"tile": record["point"].get("tile")}
        sp.pack_file(tmp_path / "weights.npz", output, record["point"]["format"], **options)
        assert output.stat().st_size == record["result"]["nbytes"]
    assert "0 points measured, 4 there before" in call(*command)[1]
    store.rm("/", recursive=True)
    assert call(*command)[0] == 1  # every point fails, and says why
    code, said, _ = call(*command)
    assert "memory://models/weights.npz: there is no such file." in said


def test_sparsity_zeroes_the_smallest_weights(call: Call, tmp_path: Path) -> None:  # noqa: F811
    rng = np.random.default_rng(0)
    values = {"large": rng.integers(-128, 128, 5000).astype(np.int8), "small": np.ones(9, np.int8)}
    np.savez(tmp_path / "a.npz", **values)
    output, keep = tmp_path / "a.jsonl", tmp_path / "keep"
    options = ["--sparsity", 0.6, "--sparsity", 0, "--workers", 0, "--keep", keep]
    code, _, _ = call("sweep", tmp_path / "a.npz", "-o", output, *options)
    assert code == 0
    pruned, whole = (sp.read_bundle(r["result"]["file"]) for r in records_of(output))
    for name, packed in whole.items():
        assert np.array_equal(packed.unpack(), values[name])
    after = pruned["large"].unpack()
    assert (after == 0).sum() == 3000
    kept = after != 0
    assert np.array_equal(after[kept], values["large"][kept])
    magnitude = np.abs(values["large"].astype(int))
    assert magnitude[kept].min() >= magnitude[~kept].max()
    assert np.array_equal(pruned["small"].unpack(), values["small"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--flash", 9000], "--flash needs --data"),
        (["--data", "data.npz"], "--data is for --flash only"),
        (["--data", "d.npz", "--flash", 9000, "--sparsity", 0.5], "do not go together"),
        (["--cluster", "tcp://127.0.0.1:1", "--workers", 2], "`--workers 2` is for processes"),
        (["--cluster", "slurm"], "`--cluster slurm` needs the number of jobs"),
        (["--format", "zip"], "'zip' is not one of 'auto'"),
        (["--sparsity", 1], "not in the range"),
        (["--sparsity", "nan"], "'--sparsity': nan is not a number"),
        (["--keep", __file__], f"`--keep {__file__}` is a file"),
        ([], "model.tflite: there is no such file."),
    ],
)
def test_options_that_do_not_go_together(
    call: Call,  # noqa: F811
    tmp_path: Path,
    options: list[object],
    said: str,
) -> None:
    code, _, errors = call("sweep", "model.tflite", "-o", tmp_path / "a.jsonl", *options)
    assert code == 2
    assert said in " ".join(errors.split())
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_goes_file_by_file_and_its_tensors_stream(
    call: Call,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numpy = pytest.importorskip("safetensors.numpy", reason="needs stridepack[safetensors]")
    monkeypatch.chdir(tmp_path)
    shards = ["model-00001-of-00002", "model-00002-of-00002"]
    for shard in shards:
        values = np.random.default_rng(len(shard)).integers(-3, 4, 5000).astype(np.int8)
        numpy.save_file({f"{shard}.weight": values}, f"{shard}.safetensors")

    def whole(path: Path) -> None:
        raise AssertionError(f"all tensors of {path} at once")

    monkeypatch.setattr(models, "read_weights", whole)
    files = [f"{shard}.safetensors" for shard in shards]
    code, _, _ = call("sweep", *files, "-o", "a.jsonl", "--keep", "packed", "--workers", 0)
    assert code == 0
    for shard, record in zip(shards, records_of(Path("a.jsonl")), strict=True):
        sp.pack_file(f"{shard}.safetensors", "alone.spk")
        kept = Path(record["result"]["file"])
        assert kept.read_bytes() == Path("alone.spk").read_bytes()
        assert record["result"]["nbytes"] == kept.stat().st_size
        assert record["result"]["dense_nbytes"] == 5000


def test_shrink_targets(call: Call, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")
    from shrink_models import classifier, correlated_inputs

    inputs = correlated_inputs(80, 8, 8, 2)
    np.savez(tmp_path / "data.npz", inputs=inputs, labels=np.arange(80) % 10)
    (tmp_path / "model.tflite").write_bytes(classifier())
    command = ["sweep", tmp_path / "model.tflite", "-o", tmp_path / "a.jsonl", "--workers", 0]
    command += ["--data", tmp_path / "data.npz", "--flash", 7000, "--flash", 900]
    code, said, _ = call(*command)
    assert code == 1
    assert "1 point measured, 0 there before, 1 failed" in said
    good, bad = records_of(tmp_path / "a.jsonl")
    assert good["result"]["nbytes"] <= 7000
    assert 0 <= good["result"]["accuracy"] <= 1
    assert "flash" in bad["error"]
    point = good["point"]
    with pytest.raises(InputError, match="do not go together"):
        models.measure(point | {"sparsity": 0.9})
    with pytest.raises(BudgetError, match=r"`flash=7000` is exceeded.* 2,076 more"):
        models.measure(point | {"format": "dense"})


def test_a_summary_is_plain() -> None:
    assert Summary() == Summary(0, 0, 0, [])
    assert issubclass(OutputError, StridepackError)
