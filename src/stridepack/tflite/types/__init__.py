# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow Lite Micro's DECODE operator decodes, one file for each type.

Its own layouts are not ours: no blob of docs/format.md holds one. `blob` is the other way round:
our blobs, for an operator of ours. As with formats, importing a module registers its type.
"""

from stridepack.tflite.types import blob, huffman, lut, prune
from stridepack.tflite.types.base import (
    HEADER_NBYTES,
    DecodeType,
    Payload,
    UndecodableError,
    UnencodableError,
    decode_type,
    decode_types,
    type_of_header,
)

__all__ = [
    "HEADER_NBYTES",
    "DecodeType",
    "Payload",
    "UndecodableError",
    "UnencodableError",
    "blob",
    "decode_type",
    "decode_types",
    "huffman",
    "lut",
    "prune",
    "type_of_header",
]
