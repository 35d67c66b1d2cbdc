# SPDX-License-Identifier: Apache-2.0
"""ONNX models in: the int8 and uint8 constants that nodes read as weights.

onnx_graph.py finds the constants and who reads them. This file takes the weights among them, with
their scales and zero points, and says what is left out.
"""

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._next_steps import FLOAT_ONNX
from stridepack.errors import MissingDependencyError, ModelError, reason
from stridepack.files.left_out import by_type, warn_left_out
from stridepack.files.onnx_graph import Constant, find_constants
from stridepack.tensor import WeightTensor

# Of other constants, those that can be weights or biases, and no shapes or indices
_TELLING = ("FLOAT", "FLOAT16", "BFLOAT16", "INT32", "INT16", "UINT16", "INT4", "UINT4")


def read_onnx(path: Path) -> list[WeightTensor]:
    """Read the int8 and uint8 weights of an ONNX model, in the order in which nodes read them.

    These are constants with at least one dimension that a node reads, but not as a zero point. They
    are named as in the model, and their values are in its order. uint8 weights become int8: all
    values and the zero point are 128 less, which stands for the same numbers.

    Raises
    ------
    ModelError
        When the file or its external data cannot be read, is damaged, or has no such weights.
    MissingDependencyError
        When onnx is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError(
            "Reading .onnx files needs the package onnx. Install it with "
            "`pip install 'stridepack[onnx]'`."
        ) from error
    return _Reader(path, onnx).weights()


class _Reader:
    """Reads one file. `onnx` is the package, which is imported only here."""

    def __init__(self, path: Path, onnx: Any) -> None:
        self._path = path
        self._onnx = onnx
        self._constants = find_constants(self._load())

    def weights(self) -> list[WeightTensor]:
        """The weights, at least one, and warnings of what else is there."""
        weights = [c for c in self._constants if self._is_weight(c)]
        others = {
            constant.name: self._type(constant).lower()
            for constant in self._constants
            if self._type(constant) in _TELLING
            and constant.tensor.dims
            and not all(read.is_parameter for read in constant.reads)
        }
        if not weights:
            raise self._error(f"it has no int8 or uint8 weights. {self._instead(others)}")
        tensors = []
        taken: Counter[str] = Counter()
        for constant in weights:
            taken[constant.name] += 1
            number = taken[constant.name]
            name = constant.name if number == 1 else f"{constant.name}#{number}"
            tensors.append(self._weight(name, constant))
        self._warn_of_uint8([c.name for c in weights if self._type(c) == "UINT8"])
        with_scales = any(tensor.scales is not None for tensor in tensors)
        because = "only int8 and uint8 weights are packed"
        warn_left_out(self._path, others, because, with_scales)
        return tensors

    def _load(self) -> Any:
        try:
            model = self._onnx.ModelProto.FromString(self._path.read_bytes())
        except OSError as error:
            raise self._error(f"the file cannot be read: {reason(error)}.") from error
        except Exception as error:  # DecodeError of the package protobuf, which onnx brings
            raise self._error("this is not an ONNX model, or it is damaged.") from error
        if not model.graph.node:  # any bytes that are no message of protobuf can look like that
            raise self._error(
                "this is not an ONNX model, or it is damaged: it has no graph with nodes."
            )
        return model

    def _type(self, constant: Constant) -> str:
        """Such as INT8."""
        number = constant.tensor.data_type
        types = self._onnx.TensorProto.DataType
        return str(types.Name(number)) if number in types.values() else f"type {number}"

    def _is_weight(self, constant: Constant) -> bool:
        return (
            self._type(constant) in ("INT8", "UINT8")
            and len(constant.tensor.dims) > 0
            and not all(read.is_parameter for read in constant.reads)
        )

    def _weight(self, name: str, constant: Constant) -> WeightTensor:
        if constant.is_sparse:
            raise self._error(
                f"tensor {name} is a sparse initializer, which is not supported. Store it as an "
                "ordinary initializer."
            )
        read = next((r for r in constant.reads if r.scale or r.zero_point), constant.reads[0])
        values = self._int8(constant)
        scales = None
        if read.scale:
            scales = np.asarray(self._array(read.scale)).astype(np.float32)
        zero_point = -128 if self._type(constant) == "UINT8" else 0
        if read.zero_point and self._type(read.zero_point) in ("INT8", "UINT8"):
            zero_points = self._int8(read.zero_point).ravel()
            if zero_points.size:
                zero_point = int(zero_points[np.argmax(zero_points != 0)])
        many = scales is not None and scales.size > 1
        axis = read.axis % values.ndim if many else 0
        places = list(dict.fromkeys(r.place for r in constant.reads))
        operators = tuple(dict.fromkeys(r.operator for r in constant.reads))
        return WeightTensor(
            name, values, zero_point, " and ".join(places[:3]), operators, scales, axis
        )

    def _int8(self, constant: Constant) -> npt.NDArray[np.int8]:
        """Values as int8; uint8 values are 128 less."""
        array = self._array(constant)
        if array.dtype == np.uint8:
            return (array ^ np.uint8(128)).view(np.int8)
        return array.astype(np.int8, copy=False)

    def _array(self, constant: Constant) -> npt.NDArray[Any]:
        tensor = constant.tensor
        if any(n < 0 for n in tensor.dims):
            raise self._error(
                f"tensor {constant.name}: its shape {list(tensor.dims)} has a negative dimension. "
                "The file is damaged."
            )
        try:
            array = np.asarray(self._onnx.numpy_helper.to_array(tensor, str(self._path.parent)))
        except (OSError, self._onnx.checker.ValidationError) as error:  # only of external data
            where = next((e.value for e in tensor.external_data if e.key == "location"), "")
            raise self._error(
                f"tensor {constant.name}: its data cannot be read from the file {where!r}, which "
                f"belongs beside the model. {error}"
            ) from error
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            raise self._error(
                f"tensor {constant.name}: its data do not fit its shape {list(tensor.dims)} and "
                f"its type {self._type(constant)}. The file is damaged. {error}"
            ) from error
        written = tensor.int32_data
        if len(written) == array.size and not np.array_equal(array.ravel(), written):
            raise self._error(
                f"tensor {constant.name}: it has values that its type {self._type(constant)} "
                "cannot hold. The file is damaged."
            )
        return array

    def _instead(self, others: dict[str, str]) -> str:
        """What is there where there are no weights, and what to do."""
        if not others:
            return "It has no other weights, either."
        quantised_later = any(
            read.operator == "QuantizeLinear" and not read.is_parameter
            for constant in self._constants
            if constant.name in others
            for read in constant.reads
        )
        if quantised_later:
            return (
                f"Its weights are {by_type(others)}, and QuantizeLinear makes integers of them "
                "only when the model runs. Store them as int8: with the package onnxruntime, "
                "quantise without the extra option AddQDQPairToWeight."
            )
        return f"Its weights are {by_type(others)}. {FLOAT_ONNX}"

    def _warn_of_uint8(self, names: list[str]) -> None:
        if names:
            which = f"{names[0]} is" if len(names) == 1 else f"{len(names)} weights are"
            warnings.warn(
                f"{self._path}: {which} uint8, and stored as int8: all values and zero points are "
                "128 less, which stands for the same numbers.",
                stacklevel=3,
            )

    def _error(self, text: str) -> ModelError:
        return ModelError(f"{self._path}: {text}")
