"""Our own DECODE type: a blob of docs/format.md as the encoded tensor.

    encoded     the blob, of one dimension; its elements are the bytes of the tensor
    ancillary   header

The number is one of those that are free for applications. Only an interpreter that was given the
decoder of runtime/tflm decodes it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack import _spec
from stridepack.errors import CorruptDataError
from stridepack.packed import Packed
from stridepack.tflite.model import Bytes, Tensor
from stridepack.tflite.types.base import DecodeType, Payload, UndecodableError


class Blob(DecodeType):
    """A blob, encoded in one format.

    Parameters
    ----------
    format : str
        One of `stridepack.formats()`. Decoding does not need it: the blob names its own.
    options : mapping, optional
        Of the format.
    """

    name = "stridepack"
    number = _spec.TFLM_DECODE_TYPE
    elements = dict.fromkeys(("int8", "uint8", "int4"), "i1")  # the bytes as they are stored

    def __init__(self, format: str = "dense", options: Mapping[str, Any] | None = None) -> None:
        self.format = format
        self.options = dict(options or {})

    def encode(self, values: npt.NDArray[np.int8], tensor: Tensor) -> Payload:
        # The tensor has a shape of its own, and tensors of other shapes may share the data.
        blob = Packed.encode(values.reshape(-1), self.format, **self.options)
        return Payload(self.format, blob.to_bytes(), self.header())

    def _decode(self, tensor: Tensor, n: int, encoded: Bytes, ancillary: Bytes) -> npt.NDArray[Any]:
        self.element(tensor)
        try:
            blob = Packed.from_bytes(encoded.tobytes())
        except CorruptDataError as error:
            raise UndecodableError(str(error)) from error
        if blob.n_elements != n:
            raise UndecodableError(
                f"its blob has {blob.n_elements} elements, but the tensor has {n}"
            )
        return blob.unpack().reshape(-1)
