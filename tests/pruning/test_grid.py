"""GridQuantizer: training on a grid towards a number of bytes, and the way to int8."""

import copy
import functools
import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

import pruned_models  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import (  # noqa: E402
    GridQuantizer,
    MagnitudePruner,
    distillation_loss,
    linear,
    to_arrays,
    to_tflite,
)
from stridepack.pruning.on_grid import grid_of  # noqa: E402
from stridepack.pruning.weights import Weight  # noqa: E402

network = functools.partial(pruned_models.network, width=24, classes=4)


def brightest_quarters(n=256, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (n,), generator=generator)
    images = torch.randn(n, 3, 8, 8, generator=generator)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        image[:, row * 4 : row * 4 + 4, column * 4 : column * 4 + 4] += 1
    return images, labels


def trained(model, quantizer, optimizer, epochs, start=0):
    images, labels = brightest_quarters()
    for epoch in range(start, epochs):
        for i, (x, y) in enumerate(zip(images.split(32), labels.split(32), strict=True)):
            quantizer.step(epoch + i / 8)
            loss = cross_entropy(model(x), y) + quantizer.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


@pytest.fixture(scope="module")
def small():
    """A network that was trained down to 3,000 bytes, and its quantizer."""
    model = network()
    quantizer = GridQuantizer(model, 3000, end=6)
    trained(model, quantizer, sgd(model), 10)
    quantizer.fit()
    return model.eval(), quantizer


@pytest.fixture(scope="module")
def small_file(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "small.tflite"
    images, _ = brightest_quarters()
    to_tflite(small[0], images[:50].split(1), path)
    return path


# --- training -----------------------------------------------------------------------------------


def test_the_packed_file_takes_the_target_and_the_network_still_works(small, small_file, tmp_path):
    model, quantizer = small
    images, labels = brightest_quarters(seed=1)
    accuracy = (model(images).argmax(1) == labels).float().mean()
    sp.pack_file(small_file, tmp_path / "small.spk")
    nbytes = (tmp_path / "small.spk").stat().st_size
    assert 0.97 * 3000 < nbytes <= 3000  # of 6,216 weights
    assert nbytes == quantizer.nbytes()
    assert accuracy > 0.9


def test_weights_are_whole_multiples_of_the_steps(small):
    model, quantizer = small
    levels = quantizer.levels()["3.weight"]
    steps = grid_of(Weight(model[3], "weight")).steps().detach().numpy()
    assert np.allclose(model[3].weight.detach().numpy(), levels * steps, atol=1e-6)
    assert 3 <= len(np.unique(levels)) < 40
    assert list(quantizer.levels()) == ["3.weight"]  # the others are too small to be packed


def test_the_steps_are_learned(small):
    model, _ = small
    assert abs(float(grid_of(Weight(model[3], "weight")).log_growth)) > 0.01


def test_the_size_follows_the_schedule():
    model = network()
    quantizer = GridQuantizer(model, 3000, start=1, end=5, schedule=linear)
    first = quantizer.nbytes()
    assert quantizer.target(0) == quantizer.target(1) == pytest.approx(first)
    assert quantizer.target(3) == pytest.approx((first * 3000) ** 0.5)
    assert quantizer.target(5) == quantizer.target(9) == pytest.approx(3000)


@pytest.mark.parametrize("target", [2500, 4500])
def test_a_short_training_ends_just_below_the_target(target):
    model = network()  # 3,200 bytes on the usual grid
    quantizer = GridQuantizer(model, target, end=6)
    trained(model, quantizer, sgd(model), 10)
    quantizer.fit()
    assert 0.97 * target < quantizer.nbytes() <= target
    images, labels = brightest_quarters(seed=1)
    assert (model.eval()(images).argmax(1) == labels).float().mean() > 0.95


def test_a_target_above_the_usual_size_starts_with_finer_steps():
    usual, fine = (GridQuantizer(network(), target, end=1) for target in (2000, 5000))
    assert usual.nbytes() < 3300
    assert 0.98 * 5000 < fine.nbytes() <= 5000
    largest = max(np.abs(levels).max() for levels in fine.levels().values())
    assert largest <= 127
    # more bytes than 127 levels can use: the finest grid
    finest = GridQuantizer(network(), 50_000, end=1)
    assert np.abs(finest.levels()["3.weight"]).max() == 127


def test_steps_get_finer_where_the_size_fell_below_the_schedule():
    model = network()
    quantizer = GridQuantizer(model, 2500, end=2)
    quantizer.step(0)
    before = quantizer.nbytes()
    parameter = model[3].parametrizations.weight.original
    with torch.no_grad():
        parameter[parameter.abs() < parameter.abs().median()] *= 0.1
    assert quantizer.nbytes() < 0.9 * before
    quantizer.step(0)
    assert 0.98 * before < quantizer.nbytes() <= before


def test_the_penalty_is_the_entropy_where_weights_lie_on_levels():
    model = nn.Sequential(nn.Linear(64, 64))
    quantizer = GridQuantizer(model, 1000, end=1)
    grid = grid_of(Weight(model[0], "weight"))
    levels = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)).round()
    bits = float(grid.bits(levels * grid.steps()))
    counts = np.unique(np.abs(levels.numpy()), return_counts=True)[1]
    assert (np.diff(counts[1:]) <= 0).all()  # larger levels are not cheaper
    entropy = float(-(counts * np.log2(counts / 4096)).sum()) + float((levels != 0).sum())
    assert bits == pytest.approx(entropy, rel=1e-4)
    quantizer.penalty().backward()
    weight = model[0].parametrizations.weight.original
    slope = weight.grad * weight
    assert (slope >= 0).all()
    assert (slope > 0).any()


def test_a_mask_of_the_pruner_stays():
    model = network()
    pruner = MagnitudePruner(model, 0.5, end=0, larger_than=2047)
    pruner.step(0)
    zeros = model[3].weight == 0
    quantizer = GridQuantizer(model, 3000, end=2)
    trained(model, quantizer, sgd(model), 2)
    assert (model[3].weight[zeros] == 0).all()
    assert (quantizer.levels()["3.weight"][zeros.numpy()] == 0).all()


def test_a_resumed_run_is_the_same_run():
    def fresh():
        model = network()
        return model, GridQuantizer(model, 3000, end=3), sgd(model)

    whole = fresh()
    trained(*whole, 4)
    first = fresh()
    trained(*first, 2)
    buffer = io.BytesIO()
    torch.save({"model": first[0].state_dict(), "optimizer": first[2].state_dict()}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer)
    second = fresh()
    second[0].load_state_dict(saved["model"])
    second[2].load_state_dict(saved["optimizer"])
    assert second[1].target(1) == first[1].target(1)
    trained(*second, 4, start=2)
    # the time from the last call before to the first one after is not counted
    sizes = whole[1].nbytes(), second[1].nbytes()
    assert sizes[0] == pytest.approx(sizes[1], rel=0.03)


def test_it_trains_under_autocast():
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    images, labels = brightest_quarters(32)
    with torch.autocast("cpu", torch.bfloat16):
        loss = cross_entropy(model(images), labels) + quantizer.penalty()
    loss.backward()
    gradient = model[3].parametrizations.weight.original.grad
    assert gradient.dtype == torch.float32
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_it_trains_with_channels_last_and_transposed_convolutions():
    model = nn.Sequential(nn.ConvTranspose2d(16, 24, 3), nn.Conv2d(24, 24, 3))
    model = model.to(memory_format=torch.channels_last)
    quantizer = GridQuantizer(model, 3000, end=1)
    grid = grid_of(Weight(model[0], "weight"))
    assert grid.steps().shape == (1, 24, 1, 1)
    model(torch.randn(2, 16, 8, 8)).square().mean().add(quantizer.penalty()).backward()
    quantizer.step(0.5)
    assert quantizer.levels()["0.weight"].shape == (16, 24, 3, 3)


def test_fit_moves_as_few_levels_as_the_target_asks_for():
    model = network()
    quantizer = GridQuantizer(model, 2000, end=1)
    quantizer.target_nbytes = 10_000
    before, nbytes = quantizer.levels()["3.weight"].astype(int), quantizer.nbytes()
    quantizer.fit()
    assert np.array_equal(quantizer.levels()["3.weight"], before)  # it is small enough
    quantizer.target_nbytes = nbytes - 100
    quantizer.fit()
    assert nbytes - 160 < quantizer.nbytes() <= nbytes - 100
    after = quantizer.levels()["3.weight"].astype(int)
    moved = before - after
    assert np.array_equal(moved[moved != 0], np.sign(before)[moved != 0])
    assert 0 < np.count_nonzero(moved) < 0.2 * moved.size
    quantizer.target_nbytes = nbytes // 2
    with pytest.raises(sp.BudgetError, match=r"Train for longer after `end`, or allow more"):
        quantizer.fit()


def test_remove_leaves_the_rounded_weights():
    model = network()
    keys = set(model.state_dict())
    quantizer = GridQuantizer(model, 3000, end=1)
    rounded = model[3].weight.detach().clone()
    quantizer.remove()
    assert set(model.state_dict()) == keys
    assert torch.equal(model[3].weight, rounded)


def test_remove_twice_is_as_once_and_nothing_goes_on_afterwards():
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    quantizer.remove()
    rounded = model[3].weight.detach().clone()
    quantizer.remove()
    assert torch.equal(model[3].weight, rounded)
    for method in (quantizer.nbytes, quantizer.levels, quantizer.penalty, quantizer.fit):
        with pytest.raises(sp.InputError, match=r"^3\.weight is not on its grid any more, because"):
            method()
    with pytest.raises(sp.InputError, match=r"Create another GridQuantizer to train on\.$"):
        quantizer.step(0)
    assert GridQuantizer(model, 3000, end=1).nbytes() <= 3300


def test_a_model_has_one_quantizer():
    model = network()
    GridQuantizer(model, 3000, end=1)
    message = (
        "3.weight is on the grid of a GridQuantizer already, and a model can have only one. Use "
        "that one, or call its `remove()` first. A MagnitudePruner must be created before it."
    )
    with pytest.raises(sp.InputError) as caught:
        GridQuantizer(model, 3000, end=1)
    assert str(caught.value) == message
    with pytest.raises(sp.InputError) as caught:
        MagnitudePruner(model, 0.5, end=1, larger_than=2047)
    assert str(caught.value) == message


def test_a_model_with_a_mask_has_one_quantizer_too():
    model = network()
    MagnitudePruner(model, 0.5, end=1, larger_than=2047)
    GridQuantizer(model, 3000, end=1)
    with pytest.raises(sp.InputError, match="is on the grid of a GridQuantizer already"):
        GridQuantizer(model, 3000, end=1)


def test_step_without_penalty_is_noticed():
    quantizer = GridQuantizer(network(), 3000, end=1)
    for _ in range(100):
        quantizer.step(0)
    with pytest.raises(sp.InputError, match=r"Add `penalty\(\)` to the loss of each batch"):
        quantizer.step(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_nbytes": 0, "end": 1}, "`target_nbytes=0` is out of range. It must be above 0."),
        (
            {"target_nbytes": 1000, "end": 1},
            "`target_nbytes=1000` is too small. The weights that are left out take 1,124 bytes "
            "alone. See `larger_than` and `exclude`.",
        ),
        (
            {"target_nbytes": "2kB", "end": 1},
            "`target_nbytes='2kB'` is not a whole number. Give the number of bytes as an integer, "
            "such as 2000 for 2 kB.",
        ),
        (
            {"target_nbytes": 2000.5, "end": 1},
            "`target_nbytes=2000.5` is not a whole number. Give the number of bytes as an integer, "
            "such as 2000 for 2 kB.",
        ),
        (
            {"target_nbytes": 2000, "end": float("nan")},
            "`end=nan` is not a finite number. Give the time in epochs, or in steps of the "
            "optimiser.",
        ),
        ({"target_nbytes": 9, "end": 1, "start": 1}, "`end=1` must be later than `start=1`."),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(sp.InputError) as caught:
        GridQuantizer(network(), **options)
    assert str(caught.value) == message


def test_weights_that_are_not_finite_are_refused():
    model = network()
    model[3].weight.data[0, 0, 0, 0] = torch.nan
    with pytest.raises(sp.InputError, match=r"^3\.weight: 1 of its values are NaN or infinite\.$"):
        GridQuantizer(model, 3000, end=1)
    assert "3.weight" in dict(model.named_parameters())  # nothing was changed


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_training_that_diverges_is_noticed(value):
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    with torch.no_grad():
        model[3].parametrizations.weight.original[0, :2] = value
    wrong = r"^3\.weight: 18 of its 5,184 values are NaN or infinite\. Has the training diverged\?"
    for method in (quantizer.nbytes, quantizer.penalty, quantizer.levels, quantizer.fit):
        with pytest.raises(sp.InputError, match=wrong):
            method()
    with pytest.raises(sp.InputError, match=wrong):
        quantizer.step(0.5)
    with pytest.raises(sp.InputError, match=wrong):
        to_arrays(model)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_step_that_diverges_is_noticed(value):
    model = network()
    quantizer = GridQuantizer(model, 3000, end=1)
    with torch.no_grad():
        grid_of(Weight(model[3], "weight")).log_growth.fill_(value)
    with pytest.raises(sp.InputError, match=r"^3\.weight: its step is 0, NaN or infinite\."):
        quantizer.step(0.5)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), "1", None])
def test_a_time_that_is_no_number_is_refused(time):
    quantizer = GridQuantizer(network(), 3000, end=1)
    with pytest.raises(sp.InputError) as caught:
        quantizer.step(time)
    assert str(caught.value) == (
        f"`time={time!r}` is not a finite number. Give the time in epochs, or in steps of the "
        "optimiser."
    )
    quantizer.step(0.5)


# --- int8 ---------------------------------------------------------------------------------------


def test_the_file_has_exactly_the_levels(small, small_file):
    model, quantizer = small
    (stored,) = [t for t in sp.read_tflite(small_file) if t.name == "3.weight"]
    levels = np.moveaxis(quantizer.levels()["3.weight"], 1, -1)
    assert np.array_equal(stored.values, levels)
    arrays = to_arrays(model)
    assert np.array_equal(arrays["3.weight"].values, quantizer.levels()["3.weight"])
    steps = grid_of(Weight(model[3], "weight")).steps().detach().numpy().reshape(-1)
    assert np.array_equal(arrays["3.weight"].scales, steps)


def test_the_file_computes_what_the_model_does(small, small_file):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    model, _ = small
    images, _ = brightest_quarters(64, seed=2)
    interpreter = litert.Interpreter(str(small_file))
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = source["quantization"]
    outputs = []
    for image in images:
        x = np.rint(image.permute(1, 2, 0).numpy()[None] / scale) + zero
        interpreter.set_tensor(source["index"], np.clip(x, -128, 127).astype(np.int8))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"])[0].copy())
    scale, zero = sink["quantization"]
    int8 = (np.stack(outputs).astype(np.float32) - zero) * scale
    real = model(images).detach().numpy()
    noise = np.square(int8 - real).mean() / real.var()
    assert 10 * np.log10(noise) < -20


def test_batch_normalisation_of_either_sign_keeps_the_levels(tmp_path):
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(16, 32, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 16, 3)
    )
    with torch.no_grad():
        model[1].weight.uniform_(-2, 2)
        model[1].running_var.uniform_(0.5, 2)
        model[0].weight[5] = 0  # a dead channel
    quantizer = GridQuantizer(model, 3000, end=1)
    inputs = torch.randn(20, 16, 8, 8).split(1)
    to_tflite(model, inputs, tmp_path / "x.tflite")
    stored = {t.name: t.values for t in sp.read_tflite(tmp_path / "x.tflite")}
    signs = np.where(model[1].weight.detach().numpy() < 0, -1, 1).reshape(-1, 1, 1, 1)
    levels = quantizer.levels()
    assert np.array_equal(stored["0.weight"], np.moveaxis(levels["0.weight"], 1, -1) * signs)
    assert np.array_equal(stored["3.weight"], np.moveaxis(levels["3.weight"], 1, -1))
    assert not stored["0.weight"][5].any()


def test_the_original_is_not_changed(small):
    model, _ = small
    before = copy.deepcopy(model.state_dict())
    to_arrays(model)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


# --- distillation -------------------------------------------------------------------------------


def test_distillation_is_cross_entropy_without_a_teacher_and_nothing_from_an_equal_one():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 5), torch.randint(0, 5, (8,))
    other = torch.randn(8, 5)
    assert torch.equal(
        distillation_loss(logits, other, labels, weight=0), cross_entropy(logits, labels)
    )
    same = distillation_loss(logits, logits, labels, weight=1)
    assert float(same) == pytest.approx(0, abs=1e-6)
    assert distillation_loss(logits, other, labels, weight=1) > 0.1


@pytest.mark.parametrize("wrong", [{"weight": 1.5}, {"temperature": 0}])
def test_distillation_refuses_values_out_of_range(wrong):
    logits, labels = torch.randn(8, 5), torch.randint(0, 5, (8,))
    ((name, value),) = wrong.items()
    with pytest.raises(sp.InputError, match=f"`{name}={value}` is out of range"):
        distillation_loss(logits, logits, labels, **wrong)


def test_distillation_refuses_other_shapes():
    with pytest.raises(sp.InputError, match="the shape"):
        distillation_loss(torch.randn(8, 5), torch.randn(8, 4), torch.zeros(8, dtype=int))
