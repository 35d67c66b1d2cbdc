# SPDX-License-Identifier: Apache-2.0
"""NNC (ISO/IEC 15938-17) beside ours: DeepCABAC of Fraunhofer HHI's NNCodec, for whole numbers.

Only its extension is used, which needs none of the packages that NNCodec itself depends on:

    pip install --no-deps nncodec

It is not part of the extra `peers`, because it is compiled for some minutes, and has PyTorch among
its dependencies.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

MISSING = "no nncodec: pip install --no-deps nncodec"
UNARY_LENGTHS = (1, 2, 4, 11, 20, 40)  # of the code of a magnitude; NNCodec's own default is 11

Values = npt.NDArray[np.int8]


def encoder() -> Callable[[Values], int] | None:
    """Bytes of a tensor: the least of all orders and unary lengths. None without nncodec."""
    try:
        codec = importlib.import_module("nncodec.extensions.deepCABAC")
    except ImportError:
        return None
    return lambda values: min(
        len(encode(codec, matrix, length)) for matrix in orders(values) for length in UNARY_LENGTHS
    )


def orders(values: Values) -> Iterator[npt.NDArray[np.int32]]:
    """The tensor as matrices: rows of outputs, the other way round, and kernels last (OIHW)."""
    rows = values.reshape(values.shape[0] if values.ndim else 1, -1).astype(np.int32)
    yield rows
    yield np.ascontiguousarray(rows.T)
    if values.ndim == 4 and values.shape[1] * values.shape[2] > 1:
        kernels_last = values.transpose(0, 3, 1, 2).reshape(values.shape[0], -1)
        yield np.ascontiguousarray(kernels_last, np.int32)


def encode(codec: Any, matrix: npt.NDArray[np.int32], unary_length: int) -> Any:
    """A matrix as NNC codes a layer of integers. Rows of zeros are skipped."""
    encoder = codec.Encoder()
    encoder.initCtxModels(unary_length, 1)
    skipped = np.ascontiguousarray(~matrix.any(axis=1), np.int32)
    none = np.zeros(1, np.int8)
    mode = codec.HdspMode.AlwaysOff
    encoder.encodeLayer(matrix, 0, 0, 1, 0, int(skipped.any()), skipped, mode, none, 0, 0)
    return encoder.finish()


def decode(codec: Any, data: Any, shape: tuple[int, int], unary_length: int) -> Any:
    """What `encode` was given."""
    decoder = codec.Decoder()
    decoder.setStream(data)
    decoder.initCtxModels(unary_length)
    matrix = np.zeros(shape, np.int32)
    none = np.zeros(1, np.int8)
    decoder.decodeLayer(matrix, 0, 0, 1, 0, codec.HdspMode.AlwaysOff, none, 0, 0)
    return matrix
