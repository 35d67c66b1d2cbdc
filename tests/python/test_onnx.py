# SPDX-License-Identifier: Apache-2.0
"""Reading ONNX: which constants are weights, with which scales, and what is said of all others."""

import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from arrays import random_array
from onnx import TensorProto, helper, numpy_helper

import stridepack as sp

Array = npt.NDArray[Any]

KERNEL = random_array(16 * 3 * 3 * 3, 0.7).reshape(16, 3, 3, 3)
MATRIX = random_array(16 * 64, 0.7).reshape(16, 64)


def model(
    nodes: Sequence[onnx.NodeProto], constants: dict[str, Array], **functions: Any
) -> onnx.ModelProto:
    """A model whose initializers are the constants; x goes in and y comes out."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **functions)


def read(folder: Path, proto: onnx.ModelProto) -> dict[str, sp.WeightTensor]:
    (folder / "m.onnx").write_bytes(proto.SerializeToString())
    return {tensor.name: tensor for tensor in sp.read_weights(folder / "m.onnx")}


def scales(n: int) -> Array:
    return np.linspace(0.5, 1, n).astype(np.float32)


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def qdq(axis: int | None, n: int, zero_points: Array | None) -> onnx.ModelProto:
    """A weight of 16x64 that DequantizeLinear reads."""
    constants = {"w": MATRIX, "s": scales(n) if n > 1 else np.float32(0.5)}
    inputs = ["w", "s"]
    if zero_points is not None:
        constants["z"] = zero_points
        inputs.append("z")
    attributes = {} if axis is None else {"axis": axis}
    nodes = [
        helper.make_node("DequantizeLinear", inputs, ["d"], **attributes),
        helper.make_node("MatMul", ["x", "d"], ["y"]),
    ]
    return model(nodes, {name: np.asarray(array) for name, array in constants.items()})


@pytest.mark.parametrize(
    ("axis", "n", "zero_points", "expected"),
    [
        (None, 1, None, (0, 0)),
        (None, 1, np.int8(3), (0, 3)),
        (None, 64, np.zeros(64, np.int8), (1, 0)),
        (0, 16, np.zeros(16, np.int8), (0, 0)),
        (-2, 16, None, (0, 0)),
        (-1, 64, np.array([0, 0, -5, 7] + [0] * 60, np.int8), (1, -5)),
    ],
)
def test_qdq(
    tmp_path: Path, axis: int | None, n: int, zero_points: Array | None, expected: tuple[int, int]
) -> None:
    """Expected are the axis and the zero point."""
    tensors = read(tmp_path, qdq(axis, n, zero_points))
    assert list(tensors) == ["w"]
    weight = tensors["w"]
    np.testing.assert_array_equal(weight.values, MATRIX)
    assert (weight.axis, weight.zero_point) == expected
    assert weight.scales is not None
    np.testing.assert_array_equal(weight.scales, scales(n) if n > 1 else np.float32(0.5))
    assert weight.operators == ("DequantizeLinear",)
    assert weight.origin == "DequantizeLinear #0"


def q(name: str, array: Array, zero_point: int | Array = 0, n: int = 1) -> dict[str, Array]:
    """A quantised constant with its scale and its zero point."""
    shape = (n,) if n > 1 else ()
    zero_points = np.broadcast_to(np.asarray(zero_point, array.dtype), shape)
    scale = scales(n) if n > 1 else np.float32(0.5)
    return {name: array, f"{name}_s": np.asarray(scale), f"{name}_z": zero_points}


def three(name: str) -> list[str]:
    return [name, f"{name}_s", f"{name}_z"]


X, Y = q("x", np.zeros(1, np.int8)), q("y", np.zeros(1, np.int8), 9)
AROUND = {name: array for name, array in (X | Y).items() if "_" in name}
OUT = ["y_s", "y_z"]

# operator: domain, inputs, constants, attributes; then the axis and the zero point that are read
OPERATORS: dict[str, tuple[str, list[str], dict[str, Array], dict[str, Any], int, int]] = {
    "QLinearConv": (
        "",
        [*three("x"), *three("w"), *OUT],
        q("w", KERNEL, 0, 16),
        {},
        0,
        0,
    ),
    "QLinearMatMul": (
        "",
        [*three("x"), *three("w"), *OUT],
        q("w", MATRIX, 5, 64),
        {},
        1,
        5,
    ),
    "QGemm": (
        "com.microsoft",
        [*three("x"), *three("w"), "", *OUT],
        q("w", MATRIX, 5, 64),
        {},
        1,
        5,
    ),
    "QGemm transB": (
        "com.microsoft",
        [*three("x"), *three("w"), "", *OUT],
        q("w", MATRIX, 0, 16),
        {"transB": 1},
        0,
        0,
    ),
    "QLinearAdd": (
        "com.microsoft",
        [*three("x"), *three("w"), *OUT],
        q("w", MATRIX, -3),
        {},
        0,
        -3,
    ),
    "ConvInteger": ("", ["x", "w", "x_z", "w_z"], q("w", KERNEL, 2), {}, 0, 2),
    "MatMulInteger": ("", ["x", "w", "x_z", "w_z"], q("w", MATRIX, 2, 64), {}, 0, 2),
    "MatMulIntegerToFloat": (
        "com.microsoft",
        ["x", "w", "x_s", "w_s", "x_z", "w_z"],
        q("w", MATRIX, 2, 64),
        {},
        1,
        2,
    ),
    "DynamicQuantizeMatMul": (
        "com.microsoft",
        ["x", "w", "w_s", "w_z"],
        q("w", MATRIX, 2),
        {},
        0,
        2,
    ),
}


@pytest.mark.parametrize("case", OPERATORS)
@pytest.mark.parametrize("is_constant_node", [False, True])
def test_operators_that_read_integers(tmp_path: Path, case: str, is_constant_node: bool) -> None:
    domain, inputs, constants, attributes, axis, zero_point = OPERATORS[case]
    operator = case.split(maxsplit=1)[0]
    node = helper.make_node(operator, inputs, ["y"], domain=domain, **attributes)
    used = {name: array for name, array in (AROUND | constants).items() if name in inputs}
    if is_constant_node:
        nodes = [
            helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))
            for name, array in used.items()
        ]
        tensors = read(tmp_path, model([*nodes, node], {}))
    else:
        tensors = read(tmp_path, model([node], used))
    assert list(tensors) == ["w"]  # and none of the zero points
    weight = tensors["w"]
    np.testing.assert_array_equal(weight.values, constants["w"])
    assert (weight.axis, weight.zero_point, weight.operators) == (axis, zero_point, (operator,))
    if "w_s" in inputs:
        assert weight.scales is not None
        np.testing.assert_array_equal(weight.scales, constants["w_s"])
    else:
        assert weight.scales is None


@pytest.mark.parametrize("zero_points", [None, 128, 130, [128] * 3 + [0] + [128] * 60])
def test_uint8_weights_are_shifted(tmp_path: Path, zero_points: Any) -> None:
    stored = (MATRIX.astype(np.int16) + 128).astype(np.uint8)
    proto = qdq(1, 64, None if zero_points is None else np.asarray(zero_points, np.uint8))
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(stored, "w"))
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    with pytest.warns(UserWarning, match=r"w is uint8, and stored as int8: .* are 128 less"):
        (weight,) = sp.read_weights(tmp_path / "m.onnx")
    assert weight.values.dtype == np.int8
    first = 0 if zero_points is None else np.ravel(zero_points)[0]
    zero_point = 0 - 128 if isinstance(zero_points, list) else first - 128
    assert weight.zero_point == zero_point
    # The same numbers: a value minus its zero point.
    np.testing.assert_array_equal(weight.values.astype(int) + 128, stored)


def test_all_that_is_left_out_is_named_once(tmp_path: Path) -> None:
    proto = qdq(None, 1, None)
    constants = {f"bias{i}": np.ones(4, np.int32) for i in range(5)}
    constants |= {"gamma": np.ones(4, np.float32), "shape": np.ones(4, np.int64)}
    constants["scalar"] = np.asarray(np.float32(1))
    for name, array in constants.items():
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
        proto.graph.node.append(helper.make_node("Anything", [name], [f"{name}_out"]))
    with pytest.warns(UserWarning, match="left out") as warned:
        tensors = read(tmp_path, proto)
    assert list(tensors) == ["w"]
    (warning,) = warned
    assert "6 tensors are left out, because only int8 and uint8 weights are packed: " in str(
        warning.message
    )
    assert "5 int32 (bias0, bias1, bias2 and 2 more) and 1 float (gamma)" in str(warning.message)
    assert "Scales are not packed, either." in str(warning.message)


def test_subgraphs_identity_and_unused(tmp_path: Path) -> None:
    body = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", ["inner", "s"], ["d"]),
            helper.make_node("DequantizeLinear", ["same", "s"], ["e"]),
        ],
        "body",
        [],
        [helper.make_tensor_value_info("d", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(MATRIX, "inner")],
    )
    nodes = [
        helper.make_node("Identity", ["outer"], ["same"]),
        helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body),
    ]
    constants = {"s": np.asarray(np.float32(0.5)), "outer": KERNEL, "unused": KERNEL}
    tensors = read(tmp_path, model(nodes, constants))
    # Both branches have a constant of the same name.
    assert list(tensors) == ["inner", "outer", "inner#2"]
    np.testing.assert_array_equal(tensors["inner#2"].values, MATRIX)
    np.testing.assert_array_equal(tensors["outer"].values, KERNEL)
    assert tensors["outer"].scales == np.float32(0.5)


def test_functions(tmp_path: Path) -> None:
    value = numpy_helper.from_array(MATRIX)
    nodes = [
        helper.make_node("Constant", [], ["w"], value=value),
        helper.make_node("DequantizeLinear", ["w", "s"], ["d"]),
    ]
    opsets = [helper.make_opsetid("", 21)]
    function = helper.make_function("own", "Weight", ["s"], ["d"], nodes, opsets)
    proto = model([helper.make_node("Weight", ["x"], ["y"], domain="own")], {})
    proto.functions.append(function)
    assert list(read(tmp_path, proto)) == ["w"]


def test_packs_and_verifies(tmp_path: Path) -> None:
    proto = qdq(None, 1, None)
    big = random_array(9000, 0.8).reshape(90, 100)
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(big, "w"))
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    for output in ("m.spk", "m.c"):
        (stored,) = sp.pack_file(path, tmp_path / output).tensors
        assert stored.nbytes < 4500
    assert sp.verify_files(path, tmp_path / "m.spk").ok
    sp.unpack_file(tmp_path / "m.spk", tmp_path / "m.npz")
    np.testing.assert_array_equal(np.load(tmp_path / "m.npz")["w"], big)
    big[0, 0] ^= 1
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(big, "w"))
    path.write_bytes(proto.SerializeToString())
    assert not sp.verify_files(path, tmp_path / "m.spk").ok
    with pytest.raises(sp.InputError, match=r"can only be made from a \.tflite file"):
        sp.pack_file(path, tmp_path / "m.tflite")


def external(folder: Path) -> onnx.ModelProto:
    """A model whose weights lie in folder/w.data, 16 bytes after its start."""
    proto = qdq(0, 16, None)
    tensor = proto.graph.initializer[0]
    (folder / "w.data").write_bytes(bytes(16) + tensor.raw_data + bytes(100))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "w.data"), ("offset", "16"), ("length", str(MATRIX.size))):
        tensor.external_data.add(key=key, value=value)
    return proto


def test_external_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proto = external(tmp_path)
    np.testing.assert_array_equal(read(tmp_path, proto)["w"].values, MATRIX)
    monkeypatch.chdir(tmp_path)
    (weight,) = sp.read_weights("m.onnx")
    np.testing.assert_array_equal(weight.values, MATRIX)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("location", "missing.data"),
        ("location", "../outside.data"),
        ("location", "/etc/passwd"),
        ("location", "."),
        ("length", "100"),
        ("length", "100000"),
        ("length", "-1"),
        ("length", "many"),
        ("offset", "-16"),
        ("offset", "1000000000000"),
    ],
)
def test_external_data_that_cannot_be_read(tmp_path: Path, key: str, value: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.data").write_bytes(bytes(5000))
    proto = external(folder)
    for entry in proto.graph.initializer[0].external_data:
        entry.value = value if entry.key == key else entry.value
    with pytest.raises(sp.ModelError, match=r"m\.onnx: tensor w: its data "):
        read(folder, proto)


def damaged(change: str) -> onnx.ModelProto:
    proto = qdq(0, 16, None)
    tensor = proto.graph.initializer[0]
    if change == "negative":
        tensor.dims[:] = [-1, 64]
    elif change == "large":
        tensor.dims[:] = [1 << 40, 1 << 40]
    elif change == "short":
        tensor.raw_data = tensor.raw_data[:-1]
    elif change == "int32":
        tensor.ClearField("raw_data")
        tensor.int32_data.extend([300] * MATRIX.size)
    elif change == "sparse":
        sparse = proto.graph.sparse_initializer.add(dims=[16, 64])
        sparse.values.CopyFrom(tensor)
        del proto.graph.initializer[0]
    return proto


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("negative", r"w: its shape \[-1, 64\] has a negative dimension\. The file is damaged"),
        ("large", r"w: its data do not fit its shape"),
        ("short", r"w: its data do not fit its shape \[16, 64\] and its type INT8\. The file"),
        ("int32", r"w: it has values that its type INT8 cannot hold"),
        ("sparse", r"w is a sparse initializer, which is not supported\. Store it as"),
    ],
)
def test_damaged_tensors(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(sp.ModelError, match=message):
        read(tmp_path, damaged(change))


def test_int32_data_in_range(tmp_path: Path) -> None:
    proto = damaged("int32")
    proto.graph.initializer[0].int32_data[:] = MATRIX.ravel().tolist()
    np.testing.assert_array_equal(read(tmp_path, proto)["w"].values, MATRIX)


def test_damaged_files(tmp_path: Path) -> None:
    """Any bytes give tensors or an error that names the file."""
    good = qdq(0, 16, np.zeros(16, np.int8)).SerializeToString()
    path = tmp_path / "m.onnx"
    generator = np.random.default_rng(0)
    contents = [b"", b"nonsense", good[:100], good[: len(good) // 2], generator.bytes(1000)]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(sp.ModelError, match=r"m\.onnx: this is not an ONNX model, or it is"):
            sp.read_weights(path)
    outcomes = set()
    for _ in range(500):
        changed = np.frombuffer(good, np.uint8).copy()
        at = generator.integers(len(good), size=2)
        changed[at] = generator.integers(256, size=2)
        path.write_bytes(changed.tobytes())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outcomes.add(f"{len(sp.read_weights(path))} tensors")
        except sp.ModelError as error:
            outcomes.add("named" if str(error).startswith(str(path)) else "not named")
    assert outcomes >= {"1 tensors", "named"}
    assert "not named" not in outcomes


def test_float_models_are_told_the_next_step(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    weight = MATRIX.astype(np.float32)
    with pytest.raises(
        sp.ModelError,
        match=r"no int8 or uint8 weights\. Its weights are 1 float \(w\)\. .*quantize_static\(",
    ):
        read(tmp_path, model(nodes, {"w": weight}))
    later = [
        helper.make_node("QuantizeLinear", ["w", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("MatMul", ["x", "d"], ["y"]),
    ]
    constants = {"w": weight, "s": scales(64), "z": np.zeros(64, np.int8)}
    with pytest.raises(sp.ModelError, match=r"QuantizeLinear makes integers .*AddQDQPairToWeight"):
        read(tmp_path, model(later, constants))
    with pytest.raises(sp.ModelError, match=r"It has no other weights, either\."):
        read(tmp_path, model([helper.make_node("Relu", ["x"], ["y"])], {}))


def test_without_the_package(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(qdq(0, 16, None).SerializeToString())
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import stridepack as sp\n"
        "try: sp.read_weights('m.onnx')\n"
        "except sp.MissingDependencyError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "needs the package onnx. Install it with `pip install 'stridepack[onnx]'`" in (
        result.stdout
    )
