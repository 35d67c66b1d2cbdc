"""What TensorFlow Lite Micro's DECODE operator decodes, one file for each type.

These are its layouts, not ours: no blob of docs/format.md holds one. As with formats, importing a
module registers its type.
"""

from stridepack.tflm import huffman, lut, prune
from stridepack.tflm.base import (
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
    "decode_type",
    "decode_types",
    "huffman",
    "lut",
    "prune",
    "type_of_header",
]
