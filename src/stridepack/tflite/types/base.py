# SPDX-License-Identifier: Apache-2.0
"""What every DECODE type provides, the header that all share, and the registry of types.

A decoded tensor is made from two constant ones: the encoded tensor, and the ancillary tensor. The
latter starts with a header of 16 bytes:

    byte 0  number of the type           byte 4    version of the type, 1
    byte 1  version of the header, 1     byte 5-   what the type needs
    byte 2, 3  reserved, 0

Source: TensorFlow Lite Micro, kernels/decode_state.h and compression/decode.py.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from stridepack._words import listed
from stridepack.errors import InputError
from stridepack.tflite.model import Bytes, Tensor, stored_shape, type_name

HEADER_NBYTES = 16

_registry: dict[str, "DecodeType"] = {}


class UnencodableError(Exception):
    """Why a type cannot encode a tensor. It stays dense then, or takes another type."""


class UndecodableError(Exception):
    """Why a tensor cannot be decoded. Whoever knows its name makes a ModelError of it."""


@dataclass(frozen=True)
class Payload:
    """An encoded tensor: contents of the constant tensors that an operator decodes it from.

    Attributes
    ----------
    format : str
        Name of the DECODE type, or of the format of the blob.
    encoded : bytes
    ancillary : bytes
        Empty for a blob: our own operator decodes it, and needs nothing else.
    """

    format: str
    encoded: bytes
    ancillary: bytes

    @property
    def nbytes(self) -> int:
        """Bytes of both."""
        return len(self.encoded) + len(self.ancillary)


class DecodeType(ABC):
    """A way in which tensors are encoded for an operator that decodes them.

    The registry holds one of each class that TensorFlow Lite Micro's DECODE decodes: those with a
    number.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    since: ClassVar[str]  # when TensorFlow Lite Micro's main branch began to decode it
    # Types of tensor that it decodes, and of the elements as its kernel moves them.
    elements: ClassVar[dict[str, str]]

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "number"):
            _registry[cls.name] = cls()

    @abstractmethod
    def encode(self, values: npt.NDArray[np.int8], tensor: Tensor) -> Payload:
        """Encode a tensor.

        Parameters
        ----------
        values : ndarray of int8
            At least one element.
        tensor : Tensor
            Its shape and quantisation.

        Raises
        ------
        UnencodableError
            When the type does not allow such a tensor.
        """

    def decode(self, tensor: Tensor, encoded: Bytes, ancillary: Bytes) -> npt.NDArray[Any]:
        """Decode a tensor.

        Parameters
        ----------
        tensor : Tensor
            The output of the DECODE operator, with at least one element.
        encoded, ancillary : ndarray of uint8
            The ancillary tensor has a header for which `type_of_header` gave this type.

        Returns
        -------
        ndarray
            Integers of the tensor's element size (for float32: its bits), in its `stored_shape`.

        Raises
        ------
        UndecodableError
            Where TensorFlow Lite Micro refuses to decode it or would read outside its inputs.
        """
        shape = stored_shape(tensor)
        return self._decode(tensor, math.prod(shape), encoded, ancillary).reshape(shape)

    @abstractmethod
    def _decode(self, tensor: Tensor, n: int, encoded: Bytes, ancillary: Bytes) -> npt.NDArray[Any]:
        """The n elements, flat."""

    def for_shared(self) -> "DecodeType":
        """The same for data that several tensors share, whose shapes may differ."""
        return self

    def format_of(self, encoded: Bytes) -> str:
        """The format of an encoded tensor, as `Payload` has it."""
        return self.name

    def element(self, tensor: Tensor) -> np.dtype[Any]:
        """Type of the elements of a decoded tensor; float32 as integers of 4 bytes."""
        if type_name(tensor) not in self.elements:
            raise UndecodableError(
                f"{self.name} does not decode elements of type {type_name(tensor)}"
            )
        return np.dtype(self.elements[type_name(tensor)])

    def header(self, *fields: int) -> bytes:
        """The header, with the bytes that follow the version of the type."""
        return bytes([self.number, 1, 0, 0, 1, *fields]).ljust(HEADER_NBYTES, b"\0")


def decode_types() -> tuple[str, ...]:
    """Names of all types that the unmodified TensorFlow Lite Micro decodes, by their numbers.

    >>> decode_types()
    ('tflm_lut', 'tflm_huffman', 'tflm_prune')
    """
    return tuple(sorted(_registry, key=lambda name: _registry[name].number))


def decode_type(name: str) -> DecodeType:
    """Look up a type by name.

    Raises
    ------
    InputError
        For an unknown name; the message lists the known ones.
    """
    if name not in _registry:
        raise InputError(f"There is no DECODE type {name!r}. Choose {listed(decode_types())}.")
    return _registry[name]


def type_of_header(ancillary: Bytes) -> DecodeType:
    """The type that an ancillary tensor names.

    Raises
    ------
    UndecodableError
        For a short header, an unknown type, or another version than 1.
    """
    if ancillary.size < HEADER_NBYTES:
        raise UndecodableError(
            f"its header has {ancillary.size} bytes, but {HEADER_NBYTES} are needed"
        )
    wanted, version, type_version = (int(ancillary[i]) for i in (0, 1, 4))
    found = next((t for t in _registry.values() if t.number == wanted), None)
    if found is None:
        numbers = sorted((t.number, t.name) for t in _registry.values())
        known = ", ".join(f"{number} ({name})" for number, name in numbers)
        raise UndecodableError(f"its DECODE type is {wanted}, and only {known} can be read")
    if (version, type_version) != (1, 1):
        raise UndecodableError(
            f"its header has version {version} and {found.name} has version {type_version}, but "
            "only version 1 of both can be read"
        )
    return found
