# SPDX-License-Identifier: Apache-2.0
"""Images in small files, training within a time limit, and what comes back of it."""

import json
from pathlib import Path

import pytest

for package in ("torch", "matplotlib", "lightning", "tflite_micro", "pyarrow"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from curve_commands import write_data  # noqa: E402

import stridepack as sp  # noqa: E402
from experiments import borrowed, data, int8, measures, points, small, train  # noqa: E402
from experiments.device import MORE_TO_DO, Limit, Trainer  # noqa: E402

OPTIONS = "--label there --dense-epochs 2 --pruning-epochs 1 --retraining-epochs 0"
RUN = train.Run("resnet8", "cifar10", 1, 0.5, 2, 1, 0, label="there", images=300)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with data, to run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measures, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(points, "RESULTS", tmp_path / "results")
    write_data(tmp_path)
    (tmp_path / "plan.txt").write_text(f"# a plan\nresnet8 cifar10 --sparsity 0.5 {OPTIONS}\n")
    return tmp_path


def pack(options):
    borrowed.main(["pack", "cifar10", "packed", "--data", "data", *options.split()])


def run(command):
    return borrowed.main([*command.split(), "--cache", "cache"])


def test_the_images_travel_in_parts_and_are_those_of_the_option(folder):
    pack("--images 300 --megabytes 0.5")
    files = sorted((folder / "packed").iterdir())
    assert len(files) > 1
    assert all(file.stat().st_size <= 500_000 for file in files)
    some = data.load("cifar10", folder / "data", "train", count=300)
    for count in (None, 300):
        there = data.load("cifar10", folder / "packed", "train", count=count)
        assert torch.equal(there.pixels, some.pixels)
        assert torch.equal(there.labels, some.labels)
    with pytest.raises(SystemExit, match=r"has 300 training images: `--images 512` asks for more"):
        data.load("cifar10", folder / "packed", "train", count=512)


def test_smaller_images_are_almost_those_of_the_option(folder):
    pack("--images 20 --resolution 16")
    there = data.load("cifar10", folder / "packed", "train", resolution=16)
    here = data.load("cifar10", folder / "data", "train", resolution=16, count=20)
    assert there.pixels.shape == (20, 16, 16, 3)
    assert (there.pixels.float() - here.pixels.float()).abs().mean() < 20  # noise is hard for JPEG
    with pytest.raises(SystemExit, match=r"images of \(16, 16, 3\), expected \(32, 32, 3\)"):
        data.load("cifar10", folder / "packed", "train")


def test_what_was_trained_elsewhere_within_a_limit_is_recorded_here(folder, monkeypatch, capsys):
    pack("--images 300")
    command = "train packed out --plan plan.txt --accelerator cpu --threads 1 --minutes 60"
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(
            Limit, "allows", lambda self, seconds: asked.append(seconds) or len(asked) < 3
        )
        assert run(command) == MORE_TO_DO
    said = capsys.readouterr().out
    assert "resnet8: trains on cpu, 1 device, " in said  # a GPU that is not used would be a pity
    assert "dense.pt: stopped after epoch 2/2" not in said
    assert not list((folder / "out").glob("resnet8_cifar10_300images_there_50*"))
    dense = folder / "out/resnet8_cifar10_300images_there_dense_seed1.part00"
    assert dense.exists()  # it ended in time
    dense.unlink()
    assert run(command + " --part-megabytes 0.1") == 0
    names = {file.name for file in (folder / "out").iterdir()}
    assert names == {
        f"resnet8_cifar10_300images_there_50_seed1.part0{i}" for i in range(len(names))
    }  # and the baseline does not come twice
    assert run(command) == 0
    assert len(list((folder / "out").iterdir())) == len(names)

    assert run("take out --data data") == 0
    (point,) = json.loads(next((folder / "results").glob("*.json")).read_text())["points"]
    assert (point["sparsity"], point["training_images"]) == (0.5, 300)
    assert point["accuracy"] > 0.4
    whole = RUN.train(data.load("cifar10", folder / "packed", "train"), Trainer("resnet8"))
    sets = [data.load("cifar10", folder / "data", split) for split in ("train", "test")]
    expected, *_ = int8.to_int8("whole", whole, *sets)
    (folder / "whole.tflite").write_bytes(expected)
    ours = sp.read_tflite(folder / "results" / point["tflite"])
    for a, b in zip(ours, sp.read_tflite(folder / "whole.tflite"), strict=True):
        np.testing.assert_array_equal(a.values, b.values)


def test_a_baseline_goes_to_the_next_machine(folder, capsys):
    model = RUN.model()
    about = {"kind": "dense", "run": RUN.facts()}
    (folder / "out").mkdir()
    n = small.write_parts(small.packed(model, about), folder / "out", "some_dense_seed1", 50_000)
    assert n > 1
    borrowed.restore_baselines(folder / "out")
    assert capsys.readouterr().out.count("wrote ") == 1
    images = data.Images(torch.zeros((256, 32, 32, 3), dtype=torch.uint8), torch.zeros(256).long())
    restored = RUN.train_dense(images, Trainer("resnet8"))
    assert not capsys.readouterr().out  # no epoch is left to train
    for name, value in model.state_dict().items():
        near = restored.state_dict()[name]
        assert torch.allclose(near.float(), value.float(), atol=value.abs().max() / 127), name
    borrowed.restore_baselines(folder / "out")
    assert not capsys.readouterr().out  # what is there stays


def test_a_plan_is_refused_before_anything_of_it_is_trained(folder):
    (folder / "plan.txt").write_text(
        f"mobilenetv2 cifar10 {OPTIONS}\nmobilevit_xxs cifar10 {OPTIONS}\n"
    )
    with pytest.raises(SystemExit, match="mobilevit_xxs takes images of its data set's size only"):
        run("train data out --plan plan.txt --accelerator cpu --resolution 48")
    assert not list(Path(train.RUNS).rglob("*.pt"))


def test_parts_that_are_missing_or_damaged_are_named(tmp_path):
    with pytest.raises(SystemExit, match="has no file that `train` has written"):
        list(small.read(tmp_path))
    content = small.packed(RUN.model(), {"kind": "dense", "run": RUN.facts()})
    n = small.write_parts(content, tmp_path, "one", len(content) // 110)
    assert n > 100
    ((name, about, _),) = small.read(tmp_path)  # part100 comes after part99
    assert (name, about["kind"]) == ("one", "dense")
    last = tmp_path / f"one.part{n - 1}"
    last.unlink()
    with pytest.raises(SystemExit, match=r"one: the .* are damaged, or a last part is missing"):
        list(small.read(tmp_path))
    for number in ("03", "00"):
        (tmp_path / f"one.part{number}").unlink()
        with pytest.raises(SystemExit, match=rf"one\.part{number} is missing"):
            list(small.read(tmp_path))


def test_images_of_two_calls_do_not_mix(folder):
    pack("--images 300 --megabytes 0.5")
    with pytest.raises(SystemExit, match=r"has train-00000-of-.* already, and `train` would"):
        pack("--images 200")


@pytest.mark.parametrize(
    "option",
    ["--images 0", "--images -4", "--resolution 0", "--megabytes 0", "--megabytes nan"],
)
def test_numbers_without_a_sense_are_refused(folder, option, capsys):
    with pytest.raises(SystemExit):
        pack(option)
    assert f"argument {option.split()[0]}: {option.split()[1]} is not" in capsys.readouterr().err
    assert not (folder / "packed").exists()


@pytest.mark.parametrize("minutes", ["nan", "0", "-1", "inf", "x"])
def test_minutes_in_which_nothing_can_end_are_refused(minutes, capsys):
    with pytest.raises(SystemExit):
        borrowed.options_of(["train", "images", "out", "--minutes", minutes])
    assert f"{minutes} is not a number above 0" in capsys.readouterr().err


def test_fewer_images_than_a_batch_are_refused(folder):
    pack("--images 100")
    with pytest.raises(SystemExit, match="100 training images are too few: a batch has 128"):
        run("train packed out --plan plan.txt --accelerator cpu --threads 1")


def test_the_plan_can_be_read(tmp_path):
    with pytest.raises(SystemExit, match=r"`--plan .*none.txt` cannot be read: No such file"):
        borrowed.plan_of(tmp_path / "none.txt")
    for line in borrowed.plan_of(Path(__file__).parents[2] / borrowed.PLAN):
        options = train.options_of(line.split())
        assert 0 in options.sparsity
        train.run_of(options, 0, 1)
