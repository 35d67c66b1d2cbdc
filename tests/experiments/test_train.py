# SPDX-License-Identifier: Apache-2.0
"""Training runs of the experiments: they resume, and do not mix with others."""

import dataclasses
import io

import pytest

for package in ("torch", "matplotlib", "lightning"):
    pytest.importorskip(package, reason=f"{package} is not installed (stridepack[experiments])")

import torch  # noqa: E402

from experiments import loop, measures, points, train  # noqa: E402
from experiments.data import Images  # noqa: E402
from experiments.device import MORE_TO_DO, TimeIsUp, Trainer  # noqa: E402
from experiments.networks import RECIPES  # noqa: E402
from stridepack.sweep import remote  # noqa: E402

RUN = train.Run("resnet8", "cifar10", 3, 0.6, dense_epochs=2, pruning_epochs=2, retraining_epochs=1)


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (256, 32, 32, 3), dtype=torch.uint8, generator=generator)
    return Images(pixels, torch.randint(0, 10, (256,), generator=generator))


@pytest.fixture(scope="module")
def expected(images, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "RUNS", tmp_path_factory.mktemp("whole"))
        return RUN.train(images).state_dict()


@pytest.mark.parametrize("epochs_done", [1, 3])
def test_a_killed_run_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, images, expected, epochs_done
):
    monkeypatch.setattr(train, "RUNS", tmp_path)
    write, saved = remote.write, []

    def killed(file, content):
        if len(saved) == epochs_done:
            raise KeyboardInterrupt  # in the middle of an epoch's end: its work is lost
        saved.append(file)
        write(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(remote, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            RUN.train(images)
    resumed = RUN.train(images).state_dict()
    assert list(resumed) == list(expected)
    for name, value in expected.items():
        assert torch.equal(resumed[name], value), name
    pruned = resumed["stacks.2.conv2.weight"]
    assert int((pruned == 0).sum()) == round(0.6 * pruned.numel())
    assert int((resumed["conv.weight"] == 0).sum()) == 0


@pytest.mark.parametrize(
    ("accelerator", "devices"), [("cuda", "auto"), ("abacus", "1"), ("cpu", "many"), ("cpu", "0")]
)
def test_a_device_that_is_not_there_is_said(accelerator, devices):
    if accelerator == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    said = f"`--accelerator {accelerator} --devices {devices}` is not possible here: "
    with pytest.raises(SystemExit, match=said):
        Trainer("resnet8", accelerator=accelerator, devices=devices)


def test_a_time_limit_stops_at_an_epoch(tmp_path, monkeypatch, images, expected):
    monkeypatch.setattr(train, "RUNS", tmp_path)
    trainer = Trainer("resnet8", accelerator="cpu", minutes=60)
    asked = []

    def allows(seconds):
        asked.append(seconds)
        return len(asked) < 4

    monkeypatch.setattr(trainer.limit, "allows", allows)
    with pytest.raises(TimeIsUp) as stop:
        RUN.train(images, trainer)
    assert stop.value.code == MORE_TO_DO
    assert stop.value.state.endswith(
        "sparsity_60.pt: stopped after epoch 1/3, because the time is up"
    )
    assert asked[0] == 0
    assert asked[3] == max(asked) > 0  # the longest epoch so far
    resumed = RUN.train(images).state_dict()
    assert all(torch.equal(resumed[name], value) for name, value in expected.items())


def test_a_checkpoint_of_other_options_is_refused(tmp_path, monkeypatch, images):
    monkeypatch.setattr(train, "RUNS", tmp_path)
    short = dataclasses.replace(RUN, dense_epochs=1, pruning_epochs=1, retraining_epochs=0)
    short.train(images)
    with pytest.raises(SystemExit, match="belongs to the run"):
        dataclasses.replace(short, pruning_epochs=2).train(images)
    with pytest.raises(SystemExit, match="belongs to the run"):
        dataclasses.replace(short, dense_epochs=3).train(images)


def test_learning_rates_are_those_of_the_paper():
    rate = loop.pruning_rate(RECIPES["resnet8"], 30, 10)
    assert [rate(e) for e in (0, 29.9, 31.9)] == [0.05] * 3
    assert rate(32) == rate(36.9) == pytest.approx(0.005)
    assert rate(37) == rate(39.9) == pytest.approx(0.0005)
    rate = loop.pruning_rate(RECIPES["mobilevit_xxs"], 20, 0)
    assert rate(0) == pytest.approx(1e-4)
    assert rate(20) == pytest.approx(1e-5)


def test_groups_and_remainder_make_up_the_tensor():
    values = torch.randint(-3, 4, (5000,), generator=torch.Generator().manual_seed(1))
    values = values.to(torch.int8).numpy()
    counts = measures.grouped([values])
    assert sum(counts[name] for name in ("16", "12", "8", "4", "remainder")) == (values != 0).sum()
    effect = measures.occupancy_effect([values], 0.8)
    parts = effect["parts"].values()
    assert sum(p["non_zeros"] + p["overhead"] for p in parts) == effect["nbytes"]
    histogram = measures.residuals([values])
    assert sum(histogram.values()) == (values != 0).sum() // 16 * 16


def test_a_recorded_point_is_not_replaced_by_one_of_other_epochs(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "RESULTS", tmp_path)
    entry = {"sparsity": RUN.sparsity, "seed": RUN.seed, "epochs": points.epochs(RUN)}
    points.record(RUN, entry | {"accuracy": 0.5})
    points.record(RUN, entry | {"accuracy": 0.6})  # the same run once more
    (point,) = points.recorded(RUN)
    assert point["accuracy"] == 0.6
    longer = dataclasses.replace(RUN, pruning_epochs=RUN.pruning_epochs + 1)
    with pytest.raises(SystemExit, match=r"'pruning': 2.*'pruning': 3.*--label"):
        points.recorded(longer)
    assert points.recorded(dataclasses.replace(longer, label="longer")) == []
    assert points.recorded(dataclasses.replace(longer, seed=4)) == [point]


def test_smaller_and_fewer_images_are_a_run_of_their_own(capsys):
    def run(network, *options):
        return train.run_of(train.options_of([network, "tinyimagenet", *options]), 0.5, 1)

    whole = run("resnet34", "--resolution", "64", "--images", "100000")
    assert whole == run("resnet34")  # the data set as it is
    assert whole.name == "resnet34_tinyimagenet_50_seed1"
    assert not {"resolution", "images"} & set(whole.facts())
    less = run("resnet34", "--resolution", "32", "--images", "20000", "--label", "trial")
    assert less.name == "resnet34_tinyimagenet_32px_20000images_trial_50_seed1"
    assert less == train.Run(**less.facts())
    note = points.note_of(less)
    assert "20,000 of the training images" in note
    assert "resized to 32x32" in note
    with pytest.raises(SystemExit, match=r"`--resolution 32`: mobilevit_xxs takes images of its"):
        run("mobilevit_xxs", "--resolution", "32")
    with pytest.raises(SystemExit, match="2"):
        run("resnet34", "--resolution", "0")
    assert "argument --resolution" in capsys.readouterr().err


def test_a_finished_training_needs_no_optimizer(tmp_path, monkeypatch, images):
    monkeypatch.setattr(train, "RUNS", tmp_path)
    short = dataclasses.replace(RUN, dense_epochs=2, pruning_epochs=1, retraining_epochs=0)
    trainer = Trainer("resnet8", accelerator="cpu")
    write, states = remote.write, []

    def kept(file, content):
        states.append(torch.load(io.BytesIO(content)))
        write(file, content)

    monkeypatch.setattr(remote, "write", kept)
    short.train_dense(images, trainer)
    assert ["optimizer" in state for state in states] == [True, False]
    short.train(images, trainer)  # goes on from there
    assert len(states) == 3
