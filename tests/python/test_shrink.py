# SPDX-License-Identifier: Apache-2.0
"""shrink as a whole: targets are kept, nothing else changes, and the result runs everywhere."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")

from ai_edge_litert.interpreter import Interpreter, OpResolverType
from shrink_models import (
    add_layer,
    classifier,
    convolutions,
    correlated_inputs,
    one_layer,
    random_weights,
    start,
)
from tflite_micro import runtime
from tflite_models import dense_layer, schema, sparse

import stridepack as sp
from stridepack.errors import BudgetError, InputError, ModelError
from stridepack.shrink.build import Builder
from stridepack.shrink.data import Samples
from stridepack.shrink.layers import Layer
from stridepack.shrink.network import Network, find_batch
from stridepack.shrink.statistics import Statistics

INPUTS = correlated_inputs(120, 8, 8, 2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "classifier.tflite"
    path.write_bytes(classifier())
    return path


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    return path


def reference_outputs(model: bytes, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """LiteRT's reference kernels, one sample at a time."""
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    outputs = []
    for sample in inputs:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(outputs)


def tflm_outputs(model: bytes, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=2**20)
    outputs = []
    for sample in inputs:
        interpreter.set_input(sample[np.newaxis], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0))
    return np.concatenate(outputs)


def packed_nbytes(model: Path, suffix: str) -> int:
    output = model.with_name(f"packed{suffix}")
    objective = "size" if suffix == ".tflite" else None
    return sp.pack_file(model, output, objective=objective).files[output]


@pytest.mark.parametrize("packed_as", ["spk", "tflite"])
def test_flash_is_what_pack_then_writes(model: Path, tmp_path: Path, packed_as: str) -> None:
    before = packed_nbytes(model, f".{packed_as}")
    for share in (0.9, 0.6):
        flash = int(before * share)
        output = tmp_path / "small.tflite"
        result = sp.shrink(model, INPUTS, flash=flash, packed_as=packed_as, output=output)
        assert output.read_bytes() == result.model
        nbytes = packed_nbytes(output, f".{packed_as}")
        assert nbytes == result.after.nbytes
        assert flash * 0.8 < nbytes <= flash
        assert result.before.nbytes == before


def test_flash_that_is_there_already_changes_nothing(model: Path) -> None:
    result = sp.shrink(model, INPUTS, flash=10**6)
    assert result.model == model.read_bytes()
    assert result.after == result.before
    assert result.larger is None
    assert result.smaller is not None


def test_flash_that_is_too_small_says_by_how_much(model: Path, tmp_path: Path) -> None:
    output = tmp_path / "small.tflite"
    with pytest.raises(
        BudgetError, match=r"`flash=1000` is too small\. The smallest plan takes"
    ) as e:
        sp.shrink(model, INPUTS, flash=1000, output=output)
    assert not output.exists()
    smallest = int(str(e.value).split("takes ")[1].split(" ")[0].replace(",", ""))
    assert f"{smallest - 1000:,} more" in str(e.value)
    assert sp.shrink(model, INPUTS, flash=smallest).after.nbytes == smallest


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("zeros", [0.0, 0.7])
def test_outputs_are_the_same_in_both_interpreters(
    tmp_path: Path, dtype: str, zeros: float
) -> None:
    inputs = correlated_inputs(120, 8, 8, 2, dtype=dtype)
    # The two round the sums of fully connected layers differently, in models as they come, too.
    for make, tolerance in ((convolutions, 0), (classifier, 1)):
        path = written(tmp_path, make(zeros, dtype))
        result = sp.shrink(path, inputs, step=12)
        assert all(tensor.step == 12 for tensor in result.tensors if tensor.n_elements >= 2048)
        some = inputs[:20]
        expected = reference_outputs(result.model, some)
        assert len(np.unique(expected)) > 4
        difference = expected.astype(int) - tflm_outputs(result.model, some)
        assert np.abs(difference).max() <= tolerance


def test_what_is_packed_afterwards_gives_the_same_outputs(model: Path, tmp_path: Path) -> None:
    shrunk, packed = tmp_path / "shrunk.tflite", tmp_path / "packed.tflite"
    sp.shrink(model, INPUTS, step=12, output=shrunk)
    sp.pack_file(shrunk, packed)
    verification = sp.verify_files(shrunk, packed)
    assert not verification.differences
    assert verification.outputs is not None
    assert verification.outputs.equal


@pytest.mark.parametrize("zeros", [0.02, 0.7])
def test_zeros_stay_and_levels_become_few(tmp_path: Path, zeros: float) -> None:
    path, output = written(tmp_path, classifier(zeros)), tmp_path / "small.tflite"
    result = sp.shrink(path, INPUTS, step=16, output=output)
    before, after = sp.read_tflite(path), sp.read_tflite(output)
    for old, new, entry in zip(before, after, result.tensors, strict=True):
        assert (old.name, old.values.shape) == (new.name, new.values.shape)
        assert not new.values[old.values == 0].any()
        assert entry.n_zeros == new.size - new.n_non_zero
        if entry.step != 1:
            assert len(np.unique(new.values)) < 0.3 * len(np.unique(old.values))
    assert any(entry.step == 16 for entry in result.tensors)


def test_less_is_lost_than_by_plain_rounding(model: Path) -> None:
    result = sp.shrink(model, INPUTS, step=24)
    plain = _plainly_rounded(model.read_bytes(), 24)
    held_back = Samples(INPUTS, None).split()[1].inputs
    original = Network(model.read_bytes()).outputs(held_back)[0]

    def error(data: bytes) -> float:
        return float(np.square(Network(data).outputs(held_back)[0] - original).mean())

    assert error(result.model) < 0.6 * error(plain)
    snr = 10 * np.log10(original.var() / error(result.model))
    assert result.after.quality.snr == pytest.approx(snr, abs=0.3)


def _plainly_rounded(model: bytes, step: int) -> bytes:
    from stridepack.tflite.model import Buffer, load_model

    parsed = load_model(model, "model")
    for tensor in parsed.subgraphs[0].tensors:
        if (tensor.name or b"").startswith(b"w") and len(parsed.data(tensor)) >= 2048:
            values = parsed.data(tensor).view(np.int8)
            rounded = np.clip(np.rint(values / step), -127 // step, 127 // step) * step
            parsed.root.buffers[tensor.buffer] = Buffer(rounded.astype(np.int8).tobytes())
    return parsed.to_bytes()


def test_the_same_again_for_the_same(model: Path) -> None:
    first, second = (sp.shrink(model, INPUTS, flash=6000) for _ in range(2))
    assert first.model == second.model
    assert first.after == second.after
    assert first.tensors == second.tensors


def test_plans_that_begin_alike_are_rounded_once_and_come_out_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = convolutions()

    def builder() -> Builder:
        return Builder(model, "model.tflite", Samples(INPUTS, None), 32)

    once = builder()
    n = len(once.layers)
    assert n == 3
    plans = [(8.0,) * n, (8.0,) * (n - 1) + (16.0,), (16.0,) + (8.0,) * (n - 1), (8.0,) * n]
    expected = [builder().build(plan, lambda: None) for plan in plans]
    observed: list[str] = []
    original = Builder.observe

    def observe(self: Builder, layer: Layer) -> Statistics:
        observed.append(layer.name)
        return original(self, layer)

    monkeypatch.setattr(Builder, "observe", observe)
    counts = []
    for plan, data in zip(plans, expected, strict=True):
        observed.clear()
        assert once.build(plan, lambda: None) == data
        counts.append(len(observed))
    assert counts == [3, 1, 3, 0]


def test_real_inputs_are_as_good_as_stored_ones(model: Path) -> None:
    real = (INPUTS.astype(np.float64) + 3) * (4 / 127)
    assert sp.shrink(model, real, step=8).model == sp.shrink(model, INPUTS, step=8).model


def test_max_drop_without_labels_is_about_agreement(model: Path) -> None:
    inputs = INPUTS[::-1]  # of which one that is held back changes its class
    loose, strict = (sp.shrink(model, inputs, max_drop=points) for points in (30, 0))
    for result, points in ((loose, 30), (strict, 0)):
        assert result.after.quality.agreement is not None
        assert result.after.quality.agreement >= 1 - points / 100
        assert result.after.quality.accuracy is None
    assert loose.after.nbytes < strict.after.nbytes
    assert loose.smaller is None or loose.smaller.quality.agreement is not None


def test_max_drop_with_labels_is_about_accuracy(model: Path) -> None:
    classes = Network(model.read_bytes()).outputs(INPUTS)[0].argmax(axis=1)
    held_back = Samples(np.arange(len(INPUTS)), None).split()[1].inputs
    labels = classes.copy()
    labels[held_back[::2]] = (classes[held_back[::2]] + 1) % 10  # half of them are wrong
    result = sp.shrink(model, INPUTS, labels, max_drop=10)
    assert result.before.quality.accuracy == pytest.approx(0.5)
    assert result.after.quality.accuracy is not None
    assert result.after.quality.accuracy >= 0.4


def test_min_snr_is_kept_on_the_samples_held_back(tmp_path: Path) -> None:
    shape, sink_shape = (1, 12, 12, 8), (1, 12, 12, 32)
    weights = random_weights(32, 3, 3, 8)
    path = written(tmp_path, one_layer("CONV_2D", weights, shape, sink_shape, sink_scale=0.02))
    inputs = correlated_inputs(80, 12, 12, 8)
    results = [sp.shrink(path, inputs, min_snr=snr) for snr in (30, 15)]
    for result, snr in zip(results, (30, 15), strict=True):
        assert result.after.quality.snr >= snr
        assert result.after.quality.agreement is None
    assert results[0].after.nbytes > results[1].after.nbytes
    with pytest.raises(InputError, match=r"for models that classify, and this one does not"):
        sp.shrink(path, inputs, max_drop=1)
    with pytest.raises(InputError, match="which are no classes"):
        sp.shrink(path, inputs, np.zeros(80, int), min_snr=20)


def test_a_curve_goes_from_the_original_to_the_smallest(model: Path) -> None:
    result = sp.shrink(model, INPUTS, flash=6000, curve=True)
    sizes = [point.nbytes for point in result.curve]
    assert sizes[0] == result.before.nbytes
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 5
    assert result.curve[0].quality.agreement == 1
    assert result.smaller is not None
    assert result.larger is not None
    assert result.smaller.nbytes < result.after.nbytes < result.larger.nbytes


def test_progress_says_what_is_done(model: Path) -> None:
    said: list[tuple[str, int]] = []
    sp.shrink(model, INPUTS, step=8, on_progress=lambda what, total: said.append((what, total)))
    assert said[0] == ("measuring layers", 1)
    assert said[-1] == ("rounding", 4)


def test_a_layer_that_the_outputs_do_not_depend_on_stays(tmp_path: Path) -> None:
    build, x = start((1, 64))
    y = add_layer(build, "FULLY_CONNECTED", x, random_weights(64, 64), (1, 64))
    add_layer(build, "FULLY_CONNECTED", x, random_weights(40, 64, seed=1), (1, 40))
    path = written(tmp_path, build.ends([x], [y]).to_bytes())
    result = sp.shrink(path, correlated_inputs(60, 64), step=12)
    used, unused = result.tensors
    assert used.step == 12
    assert unused.step == 1
    assert unused.note == "the outputs do not depend on it"
    output = written(tmp_path, result.model)
    assert (sp.read_tflite(output)[1].values == random_weights(40, 64, seed=1)).all()


def two_branches() -> bytes:
    """A model whose other subgraphs, one of which runs, each have a layer."""
    build, x = start((1, 64))
    flag = build.constant("flag", np.ones(1, np.bool_), scale=[])
    scale = [float(build.graph.tensors[x].quantization.scale[0])]
    y = build.tensor("y", (1, 64), scale=[0.05], zero_point=[4])
    build.operator(
        "IF", [flag, x], [y], schema.IfOptionsT(thenSubgraphIndex=1, elseSubgraphIndex=2)
    )
    build.ends([x], [y])
    for seed in (1, 2):
        build.add_subgraph()
        inner = build.tensor("x", (1, 64), scale=scale, zero_point=[-3])
        weights = random_weights(64, 64, seed=seed)
        build.ends([inner], [add_layer(build, "FULLY_CONNECTED", inner, weights, (1, 64))])
    return build.to_bytes()


def test_layers_of_other_subgraphs_are_rounded_if_they_run(tmp_path: Path) -> None:
    path = written(tmp_path, two_branches())
    result = sp.shrink(path, correlated_inputs(60, 64), step=8)
    runs, does_not_run = result.tensors
    assert (runs.step, does_not_run.step) == (8, 1)
    assert 10 < result.after.quality.snr < 60
    inputs = correlated_inputs(10, 64)
    expected = reference_outputs(result.model, inputs).astype(int)
    assert np.abs(expected - tflm_outputs(result.model, inputs)).max() <= 1  # fully connected


def test_a_model_that_takes_one_sample_at_a_time(tmp_path: Path) -> None:
    build, x = start((1, 64))
    shape = build.constant("shape", np.array([1, 1, 8, 8], np.int32), scale=[])
    image = build.tensor("image", (1, 1, 8, 8), scale=[4 / 127], zero_point=[-3])
    build.operator("RESHAPE", [x, shape], [image], schema.ReshapeOptionsT())
    y = add_layer(build, "CONV_2D", image, random_weights(64, 1, 5, 8), (1, 1, 8, 64))
    path = written(tmp_path, build.ends([x], [y]).to_bytes())
    inputs = correlated_inputs(60, 64)
    assert find_batch(path.read_bytes(), inputs) == 1
    assert find_batch(classifier(), INPUTS) > 1
    result = sp.shrink(path, inputs, step=12)
    assert result.after.nbytes < result.before.nbytes
    assert result.after.quality.snr > 10


def two_inputs() -> bytes:
    build = dense_layer(sparse(64, 64))
    return build.ends([0, 0], build.graph.outputs).to_bytes()


def batch_of_two() -> bytes:
    build = dense_layer(sparse(64, 64))
    for index in (0, *build.graph.outputs):
        build.graph.tensors[index].shape[0] = 2
    return build.to_bytes()


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (two_inputs(), InputError, "2 inputs"),
        (batch_of_two(), InputError, r"shape \[2, 64\]"),
        (dense_layer(sparse(8, 64)).to_bytes(), ModelError, "fewer than 2,048 elements"),
        (dense_layer(sparse(64, 64), n_readers=2).to_bytes(), ModelError, "2 operators read it"),
        (b"no model" * 10, ModelError, "not a TensorFlow Lite model"),
    ],
)
def test_models_that_cannot_be_shrunk(
    tmp_path: Path, data: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sp.shrink(written(tmp_path, data), correlated_inputs(40, 64), step=8)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({}, "exactly one target.*0 are given"),
        ({"flash": 1, "step": 2}, "exactly one target.*2 are given"),
        ({"step": 0.5}, "`step=0.5` is out of range. It must be between 1 and 127"),
        ({"max_drop": -1}, "`max_drop=-1` is out of range"),
        ({"flash": -1}, "`flash=-1` is out of range. It must be at least 0"),
        ({"step": 8, "packed_as": "zip"}, "`packed_as=zip` is unknown. Choose spk or tflite"),
    ],
)
def test_targets_outside_their_limits(model: Path, target: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sp.shrink(model, INPUTS, **target)


def test_labels_that_are_no_classes_of_the_model(model: Path) -> None:
    with pytest.raises(InputError, match=r"labels go up to 10\. The model has 10 classes"):
        sp.shrink(model, INPUTS, np.full(len(INPUTS), 10), step=8)


def test_the_output_is_not_the_model(model: Path) -> None:
    with pytest.raises(InputError, match="the output would overwrite the model"):
        sp.shrink(model, INPUTS, step=8, output=model)
