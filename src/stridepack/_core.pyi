# SPDX-License-Identifier: Apache-2.0
"""The C++ encoders and the C runtime (bindings/module.cpp). Statuses: see spec/spec.toml."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_UInt8: TypeAlias = npt.NDArray[np.uint8]
_UInt32: TypeAlias = npt.NDArray[np.uint32]
_Int8: TypeAlias = npt.NDArray[np.int8]
_Int16: TypeAlias = npt.NDArray[np.int16]

class Stop:
    """Ends what other threads encode."""

    def set(self) -> None:
        """End it soon: with a RuntimeError in those threads."""

    def watch(self) -> None:
        """Let it end what this thread encodes from now on."""

def find_groups(
    mask: _UInt8, passes: Sequence[tuple[int, int]], strides: Sequence[int]
) -> tuple[_UInt32, _UInt32, _UInt32, _UInt8]:
    """Size, stride and start of each group, and the remainder."""

def encode(
    format: str,
    values: _Int8,
    tile_size: int,
    options: Mapping[str, Sequence[int]],
) -> _UInt8:
    """The payload of a flat tensor. Options: what `Format.encoder_options` gives."""

def open(blob: _UInt8) -> tuple[int, int, tuple[int, ...], int, int, int, int]:
    """Status; format id, shape, elements, tile size, tiles, offset of the payload."""

def validate(blob: _UInt8) -> int:
    """Status of spk_validate."""

def decode(blob: _UInt8, dst: _Int8) -> int:
    """Status of spk_decode_s8."""

def decode_tile(blob: _UInt8, tile: int, dst: _Int8) -> int:
    """Status of spk_decode_tile_s8."""

def open_bundle(data: _UInt8) -> tuple[int, list[tuple[bytes | None, int, int]]]:
    """Status of spk_bundle_validate; name, if it is stored, offset and size of each blob."""

def tflm_huffman_encode(
    values: _Int8, codewords: _UInt32, lengths: _UInt8, looked_at: _UInt8
) -> _UInt8:
    """The stream of a flat tensor."""

def tflm_huffman_decode(
    stream: _UInt8, table: _UInt8, entry_size: int, root_bits: int, dst: _Int8 | _Int16
) -> int:
    """0; 1: the stream ends too early; 2: the table does."""
