# SPDX-License-Identifier: Apache-2.0
"""The blocks that `document_outputs.py` leaves out, because they need a model, data or a package:
here they run with such a model and such data."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scripts.document_outputs import DOCUMENTS, MODEL, NOT_RUN, ROOT, blocks

REASON = re.compile(rf"{re.escape(NOT_RUN)} (.*) -->")
HERE = "tests/documents/test_left_out.py"

# What is not said of a PyTorch model in docs/models.md and docs/shrink.md, which have their own.
BEFORE = {
    "docs/models.md": """
import torch
from torch import nn
from torch.nn.utils import prune
torch.manual_seed(0)
def MyModel():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    prune.l1_unstructured(model[1], "weight", 0.5)
    return model
torch.save(MyModel().state_dict(), "model.pt")
inputs = [torch.randn(1, 1, 8, 8) for _ in range(10)]
import litert_torch, numpy
numpy.save("samples.npy", numpy.stack([x.numpy()[0] for x in inputs]))
small = nn.Sequential(nn.Flatten(), nn.Linear(64, 64)).eval()
litert_torch.convert(small, (inputs[0],)).export("float.tflite")
""",
    "docs/shrink.md": """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128))
teacher = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128))
loader = [(torch.randn(16, 1, 8, 8), torch.randint(0, 4, (16,))) for _ in range(12)]
calibration = [x[:1] for x, _ in loader]
""",
}


def left_out() -> Iterator[tuple[str, str, str, str]]:
    """Page, language, reason and text of each block that is not run."""
    for path in DOCUMENTS:
        reason = ""
        for block in blocks(path.read_text()):
            if block.language is None:
                if block.lines[0]:
                    found = REASON.fullmatch(block.lines[0])
                    reason = found[1] if found else ""
            else:
                if reason:
                    page = str(path.relative_to(ROOT))
                    yield page, block.language, reason, "\n".join(block.lines)
                reason = ""


LEFT_OUT = list(left_out())


def of(page: str, language: str) -> list[str]:
    """The blocks of a page that run here."""
    return [
        text
        for where, kind, reason, text in LEFT_OUT
        if (where, kind) == (page, language) and HERE in reason
    ]


@pytest.mark.parametrize(("page", "language", "reason", "text"), LEFT_OUT)
def test_it_is_run_somewhere(page: str, language: str, reason: str, text: str) -> None:
    named = re.findall(r"(?:tests|scripts)/[\w/.-]+", reason)
    assert named, f"{page}: which test runs this?\n{text}"
    for name in named:
        assert (ROOT / name).exists(), f"{page}: there is no {name}"


def test_what_runs_here_is_known() -> None:
    here = sorted({(page, language) for page, language, reason, _ in LEFT_OUT if HERE in reason})
    assert here == [
        ("docs/does-not-fit.md", "sh"),
        ("docs/models.md", "python"),
        ("docs/report.md", "sh"),
        ("docs/shrink.md", "python"),
        ("docs/shrink.md", "sh"),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and data for `shrink`."""
    pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")
    pytest.importorskip("ai_edge_litert", reason="needs stridepack[shrink]")
    from shrink_models import classifier, correlated_inputs

    folder = tmp_path_factory.mktemp("left_out")
    (folder / "model.tflite").write_bytes(classifier())
    np.savez(folder / "data.npz", inputs=correlated_inputs(40, 8, 8, 2))
    return folder


def run(folder: Path, *command: str | Path) -> str:
    path = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}  # tiny models
    result = subprocess.run(
        command, cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def shell(folder: Path, text: str) -> None:
    """Its commands, without those that install."""
    kept = [line for line in text.splitlines() if not line.startswith("pip install")]
    run(folder, "bash", "-ec", "\n".join(kept))


@pytest.mark.parametrize("page", ["docs/does-not-fit.md", "docs/report.md", "docs/shrink.md"])
def test_shrink_in_a_shell(folder: Path, page: str) -> None:
    texts = [text for text in of(page, "sh") if "shrink" in text]
    assert texts
    for text in texts:
        shell(folder, text)
    assert (folder / "small.tflite").is_file()


def test_shrink_from_python(folder: Path) -> None:
    text, _ = of("docs/shrink.md", "python")
    run(folder, sys.executable, "-c", text)


def test_report_with_budgets(tmp_path: Path) -> None:
    pytest.importorskip("altair", reason="needs stridepack[report]")
    page = (ROOT / "docs/report.md").read_text()
    budgets = re.search(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert budgets
    (tmp_path / "budgets.toml").write_text(budgets[1])
    (tmp_path / "model.tflite").write_bytes((ROOT / MODEL).read_bytes())
    shell(tmp_path, "stridepack pack model.tflite -o packed.spk")
    (checked,) = (text for text in of("docs/report.md", "sh") if "--check" in text)
    shell(tmp_path, checked)
    assert (tmp_path / "report.html").is_file()


@pytest.mark.slow
def test_what_needs_pytorch(tmp_path: Path) -> None:
    for package in ("torch", "litert_torch", "ai_edge_quantizer"):
        pytest.importorskip(package, reason="needs stridepack[torch]")
    texts = [of_models(word) for word in ("MyModel", "ai_edge_quantizer")]
    _, training = of("docs/shrink.md", "python")
    for page, programs in (("docs/models.md", texts), ("docs/shrink.md", [training])):
        run(tmp_path, sys.executable, "-c", "\n".join([BEFORE[page], *programs]))
    for name in ("model.tflite", "int8.tflite", "small.tflite"):
        said = json.loads(run(tmp_path, "stridepack", "inspect", name, "--json"))
        assert said["total"]["n_elements"] > 4000


def of_models(word: str) -> str:
    """The one program of docs/models.md that has this word."""
    (text,) = (text for text in of("docs/models.md", "python") if word in text)
    return text


# A layer that is half zeros, and samples for it
LAYER = """
import numpy as np
weights = np.random.default_rng(0).normal(size=(64, 64)).astype("float32")
weights[np.abs(weights) < np.quantile(np.abs(weights), 0.5)] = 0
np.save("samples.npy", np.random.default_rng(1).normal(size=(50, 64)).astype("float32"))
"""

FLOAT_ONNX = """
import onnx
from onnx import TensorProto, helper, numpy_helper
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in "xy"]
layer = helper.make_node("MatMul", ["x", "weights"], ["y"])
constant = numpy_helper.from_array(weights, "weights")
graph = helper.make_graph([layer], "g", ends[:1], ends[1:], [constant])
opset = [helper.make_opsetid("", 17)]
onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), "float.onnx")
"""

PRUNED_KERAS = """
import tf_keras
import tensorflow_model_optimization as tfmot
layer = tf_keras.layers.Dense(64, use_bias=False, input_shape=(64,))
model = tf_keras.Sequential([tfmot.sparsity.keras.prune_low_magnitude(layer)])
model.layers[0].layer.kernel.assign(weights)
model.save("pruned.h5")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("packages", "before", "word", "output"),
    [
        (("onnx", "onnxruntime"), FLOAT_ONNX, "quantize_static", "int8.onnx"),
        (
            ("tensorflow", "tf_keras", "tensorflow_model_optimization"),
            PRUNED_KERAS,
            "tfmot",
            "model.tflite",
        ),
    ],
    ids=["onnxruntime", "tensorflow"],
)
def test_what_quantises(
    tmp_path: Path, packages: tuple[str, ...], before: str, word: str, output: str
) -> None:
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed")
    run(tmp_path, sys.executable, "-c", "\n".join([LAYER, before, of_models(word)]))
    said = json.loads(run(tmp_path, "stridepack", "inspect", output, "--json"))
    (tensor,) = (tensor for tensor in said["tensors"] if tensor["n_elements"] == 4096)
    assert tensor["n_non_zero"] <= 2048, "pruned weights stay 0"
