"""stridepack.pruning: masks while training, and the way to int8."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from torch import nn  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import MagnitudePruner, cubic, linear, to_arrays, to_tflite  # noqa: E402

DOCUMENT = Path(__file__).parents[2] / "docs" / "pruning.md"


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(24 * 4, 5),
    )


def zeros_of(weight):
    return int((weight == 0).sum())


# --- masks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("sparsity", [0, 0.1, 1 / 3, 0.5, 0.9, 0.999])
def test_exactly_the_smallest_magnitudes_go(sparsity, channels_last):
    model = network()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    weight = model[3].weight
    before = weight.detach().clone()
    pruner = MagnitudePruner(model, sparsity, end=0, larger_than=1000)
    pruner.step(0)
    magnitudes = before.abs().flatten().sort().values
    count = round(sparsity * before.numel())
    expected = before.abs() >= magnitudes[count] if count else torch.ones_like(before, dtype=bool)
    assert zeros_of(model[3].weight) == count
    assert torch.equal(model[3].weight, before * expected)
    assert torch.equal(model[0].weight, dict(model.named_parameters())["0.weight"])  # too small
    assert pruner.sparsities() == {"3.weight": pytest.approx(sparsity, abs=1 / before.numel())}
    if channels_last:
        assert model[3].weight.is_contiguous(memory_format=torch.channels_last)


def test_equal_magnitudes_do_not_change_the_count():
    model = nn.Sequential(nn.Linear(8, 8))
    nn.init.constant_(model[0].weight, 0.5)
    MagnitudePruner(model, 0.25, end=0).step(0)
    assert zeros_of(model[0].weight) == 16


@pytest.mark.parametrize("schedule", [cubic, linear])
def test_the_schedule_rises_from_start_to_end_and_holds(schedule):
    model = network()
    pruner = MagnitudePruner(model, 0.8, start=2, end=6, larger_than=1000, schedule=schedule)
    reached = []
    for time in (0, 2, 2.5, 3, 4, 5, 5.9, 6, 7, 100):
        pruner.step(time)
        reached.append(zeros_of(model[3].weight) / model[3].weight.numel())
        assert reached[-1] == pytest.approx(pruner.target(time), abs=1e-3)
    assert reached[:2] == [0, 0]
    assert reached == sorted(reached)
    assert reached[-1] == reached[-3] == pytest.approx(0.8, abs=1e-3)
    assert pruner.target(4) == pytest.approx(0.8 * {cubic: 0.875, linear: 0.5}[schedule])


def test_held_masks_do_not_follow_the_weights():
    model = network()
    pruner = MagnitudePruner(model, 0.5, end=1, larger_than=1000)
    pruner.step(1)
    mask = pruner.masks["3.weight"].clone()
    with torch.no_grad():
        model[3].parametrizations.weight.original.normal_()
    pruner.step(2)
    assert torch.equal(pruner.masks["3.weight"], mask)


def train(model, pruner, optimizer, epochs):
    for epoch in epochs:
        generator = torch.Generator().manual_seed(epoch)
        for batch in range(4):
            pruner.step(epoch + batch / 4)
            x = torch.randn(8, 3, 8, 8, generator=generator)
            y = torch.randint(0, 5, (8,), generator=generator)
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()


def build():
    model = network()
    pruner = MagnitudePruner(model, 0.7, end=3, larger_than=1000)
    return model, pruner, torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=1e-3)


@pytest.mark.parametrize("stop", [1, 2, 4])
def test_a_resumed_run_ends_with_the_same_bits(stop):
    model, pruner, optimizer = build()
    train(model, pruner, optimizer, range(6))

    first, first_pruner, first_optimizer = build()
    train(first, first_pruner, first_optimizer, range(stop))
    file = io.BytesIO()
    torch.save({"model": first.state_dict(), "optimizer": first_optimizer.state_dict()}, file)
    second, second_pruner, second_optimizer = build()
    saved = torch.load(io.BytesIO(file.getvalue()))
    second.load_state_dict(saved["model"])
    second_optimizer.load_state_dict(saved["optimizer"])
    train(second, second_pruner, second_optimizer, range(stop, 6))

    for (name, a), b in zip(model.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert pruner.sparsities()["3.weight"] == pytest.approx(0.7, abs=1e-3)


def test_an_optimizer_made_before_the_pruner_goes_on():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    before = model[3].weight.detach().clone()
    pruner = MagnitudePruner(model, 0.5, end=0, larger_than=1000)
    train(model, pruner, optimizer, range(1))
    kept = pruner.masks["3.weight"].bool()
    assert not torch.equal(model[3].weight[kept], before[kept])
    assert zeros_of(model[3].weight) == before.numel() // 2


def test_remove_leaves_a_plain_module():
    model, plain = network(), network()
    pruner = MagnitudePruner(model, 0.5, end=0, larger_than=1000)
    pruner.step(0)
    pruner.remove()
    assert sorted(model.state_dict()) == sorted(plain.state_dict())
    assert zeros_of(model[3].weight) == model[3].weight.numel() // 2
    assert type(model[3]) is nn.Conv2d


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sparsity": 1}, "`sparsity=1` is out of range"),
        ({"sparsity": -0.1}, "`sparsity=-0.1` is out of range"),
        ({"sparsity": 0.5, "start": 3}, "`end=1` is before `start=3`"),
        ({"sparsity": 0.5, "larger_than": 10**6}, "more than 1000000 weights"),
        ({"sparsity": 0.5, "exclude": ("tail",)}, "tail"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(sp.InputError, match=re.escape(message)):
        MagnitudePruner(network(), **{"end": 1} | options)


def test_a_shared_weight_is_refused():
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    model[1].weight = model[0].weight
    with pytest.raises(sp.InputError, match="0 and 1 share one weight"):
        MagnitudePruner(model, 0.5, end=1)


def test_exclude():
    model = network()
    assert list(MagnitudePruner(model, 0.5, end=0, exclude=("0", "7")).masks) == ["3.weight"]


def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning", reason="lightning is not installed")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = network()
            self.pruner = MagnitudePruner(self.network, 0.6, end=6, larger_than=1000)

        def on_train_batch_start(self, batch, index):
            self.pruner.step(self.global_step)

        def training_step(self, batch, index):
            return cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.TensorDataset(torch.randn(32, 3, 8, 8), torch.randint(0, 5, (32,)))
    loader = torch.utils.data.DataLoader(data, batch_size=8)

    def fit(module, epochs, checkpoint=None):
        trainer = lightning.Trainer(
            max_epochs=epochs,
            default_root_dir=tmp_path,
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, loader, ckpt_path=checkpoint)
        return trainer

    fit(Module(), 1).save_checkpoint(tmp_path / "last.ckpt")
    module = Module()
    fit(module, 3, tmp_path / "last.ckpt")
    assert module.global_step == 12
    assert module.pruner.sparsities()["3.weight"] == pytest.approx(0.6, abs=1e-3)
    assert zeros_of(module.network[3].weight) == round(0.6 * 24 * 16 * 9)


# --- int8 ---------------------------------------------------------------------------------------


def test_to_arrays():
    model = network()
    MagnitudePruner(model, 0.5, end=0, larger_than=1000).step(0)
    with torch.no_grad():
        model[7].weight[2] = 0
    arrays = to_arrays(model)
    assert list(arrays) == ["0.weight", "3.weight", "7.weight"]
    for name, layer in (("3.weight", model[3]), ("7.weight", model[7])):
        weight, (values, scales) = layer.weight.detach().numpy(), arrays[name]
        assert values.dtype == np.int8
        assert values.shape == weight.shape
        scales = scales.reshape(-1, *[1] * (weight.ndim - 1))
        assert not values[weight == 0].any()
        assert np.abs(values * scales - weight).max() <= scales.max() / 2 * 1.001
    assert np.abs(arrays["7.weight"].values).max(axis=1).tolist() == [127, 127, 0, 127, 127]


def lite(content, x):
    """The float outputs of LiteRT for one NCHW input."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert source["dtype"] == sink["dtype"] == np.int8
    x = x.permute(0, 2, 3, 1).numpy() if x.ndim == 4 else x.numpy()
    scale, zero_point = source["quantization"]
    x = np.clip(np.rint(x / scale) + zero_point, -128, 127).astype(np.int8)
    interpreter.set_tensor(source["index"], x)
    interpreter.invoke()
    scale, zero_point = sink["quantization"]
    return (interpreter.get_tensor(sink["index"]).astype(np.float32) - zero_point) * scale


@pytest.fixture
def needs_converter():
    for package in ("litert_torch", "ai_edge_quantizer", "tflite_micro"):
        pytest.importorskip(package, reason=f"{package} is not installed")


@pytest.mark.usefixtures("needs_converter")
@pytest.mark.parametrize("channels_last", [False, True])
def test_to_tflite_keeps_each_zero_and_name(tmp_path, channels_last):
    model = network().eval()
    with torch.no_grad():
        model[1].weight.uniform_(-2, 2)  # batch normalisation turns the sign of some channels
        model[1].running_var.uniform_(0.3, 3)
        model[1].running_mean.normal_()
        model[3].weight[5] = 0  # a dead channel, whose bias must survive
        model[3].bias[5] = 0.8
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    pruner = MagnitudePruner(model, 0.6, end=0)
    pruner.step(0)
    inputs = [torch.randn(1, 3, 8, 8) for _ in range(30)]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    content = to_tflite(model, inputs, tmp_path / "model.tflite")

    assert (tmp_path / "model.tflite").read_bytes() == content
    assert all(torch.equal(state[n], v) for n, v in model.state_dict().items())
    stored = {t.name: t.values for t in sp.read_tflite(tmp_path / "model.tflite")}
    for index in (0, 3, 7):
        weight = model[index].weight.detach().numpy()
        weight = np.moveaxis(weight, 1, -1) if weight.ndim > 2 else weight
        values = stored[f"{index}.weight"]
        assert values.shape == weight.shape
        assert not values[weight == 0].any()
        assert np.count_nonzero(values) >= 0.98 * np.count_nonzero(weight)  # few are rounded to 0

    from ai_edge_litert import schema_py_generated as schema

    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    names = {tensor.name.decode() for tensor in graph.tensors}
    assert {"0.bias", "3.bias", "7.bias"} <= names  # that of 0 from the normalisation behind it
    assert all(len(name) <= len("serving_default_output_0_output") for name in names)

    with torch.no_grad():
        expected = np.concatenate([model(x).numpy() for x in inputs])
    met = np.concatenate([lite(content, x) for x in inputs])
    noise = ((met - expected) ** 2).sum() / (expected**2).sum()
    assert 10 * np.log10(1 / noise) > 25  # dB; the overflowed bias of the dead channel leaves 5


@pytest.mark.usefixtures("needs_converter")
def test_large_weights_stay_inside_the_file_and_pack(tmp_path):
    from click.testing import CliRunner

    from stridepack.cli import cli

    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(600, 500), nn.ReLU(), nn.Linear(500, 4))  # 300,000 bytes
    MagnitudePruner(model, 0.8, end=0, larger_than=10000).step(0)
    path, packed = tmp_path / "large.tflite", tmp_path / "packed.tflite"
    to_tflite(model, [torch.randn(1, 600) for _ in range(10)], path)
    for arguments in (["pack", path, "-o", packed], ["verify", path, packed]):
        result = CliRunner().invoke(cli, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
    assert packed.stat().st_size < 0.5 * path.stat().st_size


@pytest.mark.usefixtures("needs_converter")
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "`calibration` is empty"),
        ([torch.zeros(2, 3, 8, 8)], "shape (2, 3, 8, 8)"),
        ([torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9)], "shape (1, 3, 8, 9)"),
    ],
)
def test_bad_calibration(tmp_path, inputs, message):
    with pytest.raises(sp.InputError, match=re.escape(message)):
        to_tflite(network(), inputs, tmp_path / "x.tflite")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("needs_converter")
def test_the_example_of_the_document(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[1]
    assert len(code.splitlines()) < 40
    monkeypatch.chdir(tmp_path)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "docs/pruning.md", "exec"), {})
    assert float(re.search(r"accuracy ([\d.]+)", output.getvalue())[1]) > 0.9
    tensors = {t.name: t.values for t in sp.read_tflite("quarters.tflite")}
    assert sum((v == 0).mean() >= 0.7 - 1e-3 for v in tensors.values()) == 2
