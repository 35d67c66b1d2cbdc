# SPDX-License-Identifier: Apache-2.0
"""MagnitudePruner: which weights go, when, and what it refuses."""

import io
import re

import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from pruned_models import lightning_module, network, zeros_of  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import MagnitudePruner, cubic, linear  # noqa: E402


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


@pytest.mark.parametrize("exclude", ["fc", ("fc",), ["fc.weight"]])
def test_exclude_takes_one_name_or_several(exclude):
    model = nn.ModuleDict({"f": nn.Linear(8, 8), "c": nn.Linear(8, 8), "fc": nn.Linear(8, 8)})
    assert set(MagnitudePruner(model, 0.5, end=0, exclude=exclude).masks) == {
        "f.weight",
        "c.weight",
    }


def test_exclude_takes_all_that_is_in_a_module():
    blocks = nn.ModuleDict({"blocks": network(), "blocks2": network()})
    masks = MagnitudePruner(blocks, 0.5, end=0, exclude=("blocks", "blocks2.7")).masks
    assert set(masks) == {"blocks2.0.weight", "blocks2.3.weight"}


def pruned_by_torch():
    torch.nn.utils.prune.l1_unstructured(layer := nn.Linear(8, 8), "weight", 0.5)
    return layer


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(8, 8), nn.Linear(8, 8)
        self.head.weight = self.embedding.weight


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (pruned_by_torch, "mask of torch.nn.utils.prune already"),
        (lambda: torch.nn.utils.weight_norm(nn.Linear(8, 8)), "such as weight normalisation"),
        (
            lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)),
            "such as weight normalisation",
        ),
        (lambda: nn.LazyLinear(8), "0.weight has no shape yet"),
        (Tied, "0.embedding and 0.head share one weight. Exclude both"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_that_cannot_have_a_mask(build, message):
    with pytest.raises(sp.InputError, match=re.escape(message)):
        MagnitudePruner(nn.Sequential(build(), nn.Linear(8, 8)), 0.5, end=0)


def test_a_tied_embedding_is_refused_also_where_one_side_is_excluded():
    for side in ("embedding", "head"):
        with pytest.raises(sp.InputError, match="embedding and head share one weight"):
            MagnitudePruner(Tied(), 0.5, end=0, exclude=side)


def test_lightning(tmp_path):
    lightning = pytest.importorskip("lightning", reason="lightning is not installed")

    make, loader = lightning_module(lightning)

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

    fit(make(), 1).save_checkpoint(tmp_path / "last.ckpt")
    module = make()
    fit(module, 3, tmp_path / "last.ckpt")
    assert module.global_step == 12
    assert module.pruner.sparsities()["3.weight"] == pytest.approx(0.6, abs=1e-3)
    assert zeros_of(module.network[3].weight) == round(0.6 * 24 * 16 * 9)
