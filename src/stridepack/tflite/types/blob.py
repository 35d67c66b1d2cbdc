# SPDX-License-Identifier: Apache-2.0
"""What our own operator decodes: a blob of docs/format.md as the encoded tensor, and nothing else.

The operator is a custom one, which a firmware registers by its name (runtime/tflm). It is not
DECODE, since most versions of TensorFlow Lite Micro have no such operator, or none that could be
taught another type.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.errors import CorruptDataError
from stridepack.packed import Packed
from stridepack.plan.encode import TensorEncoder
from stridepack.plan.options import PackOptions
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
    transforms : bool
        Whether the format may get transforms in front of it (docs/format.md, section 2.1).
    """

    name = "stridepack"
    elements = dict.fromkeys(("int8", "uint8", "int4"), "i1")  # the bytes as they are stored

    def __init__(
        self,
        format: str = "dense",
        options: Mapping[str, Any] | None = None,
        *,
        transforms: bool = False,
    ) -> None:
        self.format = format
        self.options = dict(options or {})
        self.transforms = transforms

    def for_shared(self) -> "Blob":
        # Which transforms are found depends on the shape.
        return Blob(self.format, self.options)

    def encode(self, values: npt.NDArray[np.int8], tensor: Tensor) -> Payload:
        # The tensor has a shape of its own, and tensors of other shapes may share the data.
        asked = PackOptions(of_formats=self.options, transforms=self.transforms)
        encoder = TensorEncoder(values.reshape(-1), asked, None, values.shape)
        return Payload(self.format, encoder.encode(self.format).to_bytes(), b"")

    def format_of(self, encoded: Bytes) -> str:
        try:
            return Packed.from_bytes(encoded.tobytes()).format
        except CorruptDataError as error:
            raise UndecodableError(str(error)) from error

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
