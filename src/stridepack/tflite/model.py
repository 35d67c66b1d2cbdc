# SPDX-License-Identifier: Apache-2.0
"""A .tflite file as objects: read with every size and index checked, written for microcontrollers.

Both ways use the object API (`ModelT` and its kin) of the schema in the tflite-micro wheel, which
keeps every field of it: signatures, metadata, versions, options. Not the wheel's `model_editor`,
which merges operator codes that differ in version, takes all operators for ADD where a file has
only deprecated codes, ignores data outside the flatbuffer and aligns no buffer.
"""

import io
import math
import struct
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack._memory import Allowance
from stridepack._spec import MAX_DIMS
from stridepack.errors import ModelError
from stridepack.tflite.census import Census
from stridepack.tflite.schema import enum_names, load_schema

# Objects of the schema. The wheel has no type hints.
SubGraph = Any
Tensor = Any
Operator = Any
OperatorCode = Any

Bytes = npt.NDArray[np.uint8]

IDENTIFIER = b"TFL3"

# The accessors follow any offset; one of these is raised when it leads astray.
_ACCESSOR_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)

# Bytes of an element, for the types that take whole ones.
ELEMENT_NBYTES = {
    **dict.fromkeys(("bool", "int8", "uint8"), 1),
    **dict.fromkeys(("bfloat16", "float16", "int16", "uint16"), 2),
    **dict.fromkeys(("float32", "int32", "uint32"), 4),
    **dict.fromkeys(("float64", "int64", "uint64"), 8),
}

# Bits of an element, for the types whose tensors are packed. The bytes are packed as the file has
# them: of int4, the first of two elements is in the lower half of the byte.
ELEMENT_BITS = {"int8": 8, "uint8": 8, "int4": 4, "uint4": 4, "int2": 2}

# Bytes of data in a flatbuffer, with room for the rest: its offsets have 31 bits.
_MAX_FLATBUFFER = 2**31 - 2**24


class Buffer:
    """Bytes of a tensor or of metadata, in place of the schema's `BufferT`.

    Always inside the flatbuffer, at a multiple of 16 bytes of the file, as TensorFlow Lite Micro
    needs it: it uses weights where they lie.
    """

    def __init__(self, data: Bytes | bytes) -> None:
        self.data = np.frombuffer(data, np.uint8)

    def Pack(self, builder: Any) -> int:  # noqa: N802 (called by ModelT.Pack)
        """Write the buffer. Returns its offset."""
        schema = load_schema()
        vector = 0
        if self.data.size:
            # As builder.CreateNumpyVector does it, which copies the data three times.
            builder.Prep(16, self.data.size)
            builder.StartVector(1, self.data.size, 1)
            builder.head = end = builder.Head() - self.data.size
            memoryview(builder.Bytes)[end : end + self.data.size] = self.data.data
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if self.data.size:
            schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))


class Model:
    """A model as objects that can be edited and written again.

    Attributes
    ----------
    root : ModelT
        Operator codes, subgraphs, tensors, operators, inputs and outputs are lists, never None.
        Buffers are `Buffer` objects, the first of them empty. The valid code of an operator is
        `builtinCode`. Indices of buffers, tensors and operator codes are in range.
    file : str
        Name for messages.
    nbytes : int
        Size of the file.
    attached : bytes
        The archive of files, such as labels, that TensorFlow Lite's metadata append to a model.
    densified : list of str
        Names of the tensors that the file holds in TensorFlow Lite's sparse encoding. They are
        dense here.
    newer : str
        Kind of a table with a field of a later schema, which writing would lose; usually empty.
    """

    def __init__(self, root: Any, file: str, nbytes: int, attached: bytes) -> None:
        self.root = root
        self.file = file
        self.nbytes = nbytes
        self.attached = attached
        self.densified: list[str] = []
        self.newer = ""
        self._allowance = Allowance(file, nbytes)

    @property
    def subgraphs(self) -> list[SubGraph]:
        """All subgraphs, the main one first."""
        subgraphs: list[SubGraph] = self.root.subgraphs
        return subgraphs

    def error(self, text: str) -> ModelError:
        """A ModelError that names the file."""
        return ModelError(f"{self.file}: {text}")

    def data(self, tensor: Tensor) -> Bytes:
        """Bytes of a constant tensor; empty for any other."""
        data: Bytes = self.root.buffers[tensor.buffer].data
        return data

    def operator_name(self, operator: Operator) -> str:
        """Such as CONV_2D; for a custom operator, its own name."""
        return code_name(self.root.operatorCodes[operator.opcodeIndex])

    def is_custom(self, operator: Operator) -> bool:
        """Whether an operator is none of TensorFlow Lite's own."""
        return _is_custom(self.root.operatorCodes[operator.opcodeIndex])

    def add_decoded(self, nbytes: int) -> None:
        """Count bytes about to be decoded: encoded tensors, too, may share their data."""
        self._allowance.take(nbytes)

    def to_bytes(self) -> bytes:
        """The file. The same bytes for the same model."""
        import flatbuffers

        if self.newer:
            raise self.error(
                f"it has a table {self.newer} with a field that the installed tflite-micro does "
                "not know, and that would be lost in a new file. A later version of tflite-micro "
                "may know it."
            )
        nbytes = sum(buffer.data.size for buffer in self.root.buffers)
        if nbytes > _MAX_FLATBUFFER:
            raise self.error(
                f"the packed model would have {nbytes} bytes of data. A .tflite file holds at most "
                "2 GiB."
            )
        # It doubles its memory where this is too little, which takes three times as much.
        builder = flatbuffers.Builder(nbytes + min(self.nbytes, 2**20))
        builder.Finish(self.root.Pack(builder), IDENTIFIER)
        return b"".join((memoryview(builder.Bytes)[builder.Head() :], self.attached))


def load_model(data: bytes, file: str) -> Model:
    """Read a .tflite file.

    Parameters
    ----------
    data : bytes
        The whole file.
    file : str
        Its name, for messages.

    Raises
    ------
    ModelError
        For bytes that are no such file, or one that would unpack to far more than its size.
    MissingDependencyError
        When tflite-micro is not installed.
    """
    schema = load_schema()
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise ModelError(
            f"{file}: this is not a TensorFlow Lite model. Its bytes 4 to 7 are {data[4:8]!r} and "
            f"not {IDENTIFIER!r}."
        )
    census = Census(file, len(data))
    try:
        census.visit(schema.Model.GetRootAs(data))
        root = schema.ModelT.InitFromPackedBuf(data)
    except _ACCESSOR_ERRORS as error:
        raise ModelError(
            f"{file}: the file is truncated or damaged. An offset in it points outside its "
            f"{len(data)} bytes."
        ) from error
    model = Model(root, file, len(data), _attached(data))
    model.newer = census.newer
    _normalise(model, data, census)
    _check_indices(model)
    if any(t.sparsity is not None for graph in model.subgraphs for t in graph.tensors):
        from stridepack.tflite.densify import densify  # which needs this module

        model.densified = densify(model)
    return model


def _attached(data: bytes) -> bytes:
    """The ZIP archive at the end of a file, empty where there is none.

    Its own offsets count from the start of the file that it was first appended to. Readers take
    the difference from where they find its directory, so it can follow another flatbuffer as it is.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            start = min((entry.header_offset for entry in archive.infolist()), default=len(data))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        return b""  # no archive, or one that nobody could read
    return data[start:] if start >= 0 and data[start : start + 4] == b"PK\3\4" else b""


def as_text(name: bytes | None) -> str:
    """A string of the file, whatever its bytes."""
    return (name or b"").decode(errors="backslashreplace")


def code_name(code: OperatorCode) -> str:
    """Such as CONV_2D; for a custom operator, its own name."""
    if _is_custom(code) and code.customCode:
        return as_text(code.customCode)
    return enum_names("BuiltinOperator").get(code.builtinCode, f"operator {code.builtinCode}")


def type_name(tensor: Tensor) -> str:
    """Such as int8."""
    return enum_names("TensorType").get(tensor.type, f"type {tensor.type}").lower()


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """Dimensions of a tensor; () for a scalar."""
    return () if tensor.shape is None else tuple(int(n) for n in tensor.shape)


def stored_shape(tensor: Tensor) -> tuple[int, ...]:
    """Shape of the elements as they are stored, of a type in ELEMENT_BITS.

    That is the shape of the tensor. Elements smaller than a byte share bytes across all dimensions,
    so their shape is the number of bytes.

    >>> from types import SimpleNamespace
    >>> stored_shape(SimpleNamespace(shape=[3, 5], type=17))  # int4
    (8,)
    """
    shape = shape_of(tensor)
    bits = ELEMENT_BITS.get(type_name(tensor), 8)
    return shape if bits == 8 else (-(-math.prod(shape) * bits // 8),)


def _normalise(model: Model, data: bytes, census: Census) -> None:
    """Bring a fresh ModelT into the state that `Model` promises, but for the indices."""
    root = model.root

    def outside(offset: int, size: int, what: str) -> Bytes:
        if offset + size > len(data):
            raise model.error(
                f"the file is truncated. It has only {len(data)} bytes, but {what} would take "
                f"bytes {offset} to {offset + size}."
            )
        census.add(size)
        return np.frombuffer(data, np.uint8, size, offset)

    for code in root.operatorCodes or ():
        # Files from before 2020 have only the deprecated code, which ends at 127.
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    buffers = []
    for i, buffer in enumerate(root.buffers or ()):
        content = buffer.data if buffer.data is not None else b""
        if len(content) == 0 and buffer.offset > 1:  # 1 is a placeholder
            content = outside(buffer.offset, buffer.size, f"buffer {i}")
        buffers.append(Buffer(content))
    if not buffers or buffers[0].data.size:
        raise model.error("the file is damaged. Its buffer 0 is missing, or it is not empty.")
    root.buffers = buffers
    root.operatorCodes = root.operatorCodes or []
    root.subgraphs = root.subgraphs or []
    for subgraph in root.subgraphs:
        subgraph.tensors = subgraph.tensors or []
        subgraph.operators = subgraph.operators or []
        subgraph.inputs = _integers(subgraph.inputs)
        subgraph.outputs = _integers(subgraph.outputs)
        for o, operator in enumerate(subgraph.operators):
            operator.inputs = _integers(operator.inputs)
            operator.outputs = _integers(operator.outputs)
            if operator.largeCustomOptionsOffset > 1:
                operator.customOptions = outside(
                    operator.largeCustomOptionsOffset,
                    operator.largeCustomOptionsSize,
                    f"the options of operator {o}",
                )
                operator.largeCustomOptionsOffset = operator.largeCustomOptionsSize = 0


def _is_custom(code: OperatorCode) -> bool:
    return enum_names("BuiltinOperator").get(code.builtinCode) == "CUSTOM"


def _integers(vector: Any) -> list[int]:
    return [] if vector is None else [int(i) for i in vector]


def _check_indices(model: Model) -> None:
    root = model.root

    def check(indices: list[int], what: str, limit: int, of: str, lowest: int = 0) -> None:
        for index in indices:
            if not lowest <= index < limit:
                raise model.error(
                    f"the file is damaged: {what} refers to {of} {index}, but there "
                    f"{'is' if limit == 1 else 'are'} only {limit}."
                )

    for entry in root.metadata or ():
        check([entry.buffer], f"metadata {as_text(entry.name)!r}", len(root.buffers), "buffer")
    for s, subgraph in enumerate(root.subgraphs):
        n_tensors = len(subgraph.tensors)
        for t, tensor in enumerate(subgraph.tensors):
            what = f"tensor {t} ({as_text(tensor.name)!r}) of subgraph {s}"
            check([tensor.buffer], what, len(root.buffers), "buffer")
            if tensor.externalBuffer:
                raise model.error(
                    f"{what} keeps its data in another file, which is not supported. Put the data "
                    "into the model."
                )
            if len(shape_of(tensor)) > MAX_DIMS:
                raise model.error(
                    f"{what} has more than {MAX_DIMS} dimensions, which is the limit."
                )
        for o, operator in enumerate(subgraph.operators):
            what = f"operator {o} of subgraph {s}"
            check([operator.opcodeIndex], what, len(root.operatorCodes), "operator code")
            check(operator.inputs, what, n_tensors, "tensor", lowest=-1)  # -1: an optional input
            check(operator.outputs, what, n_tensors, "tensor")
        check([*subgraph.inputs, *subgraph.outputs], f"subgraph {s}", n_tensors, "tensor")
