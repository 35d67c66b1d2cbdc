# SPDX-License-Identifier: Apache-2.0
"""The tensors of a file, each of which is read when somebody asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stridepack.files.kinds import kind_of
from stridepack.files.read import check_is_file, read_weights
from stridepack.files.safetensors import Contents, check_not_empty, warn_of_others
from stridepack.files.spk_read import BundleReader
from stridepack.tensor import WeightTensor


class Unread(Protocol):
    """A tensor that has a name, and can be read."""

    @property
    def name(self) -> str:
        """Within its file."""

    def read(self) -> WeightTensor:
        """The tensor, unpacked where it is packed."""


@dataclass(frozen=True)
class _Held:
    """A tensor of a file that is read as a whole."""

    tensor: WeightTensor

    @property
    def name(self) -> str:
        return self.tensor.name

    def read(self) -> WeightTensor:
        return self.tensor


@dataclass(frozen=True)
class UnreadFile:
    """What is in a file.

    Attributes
    ----------
    tensors : sequence of Unread
    hashes : list of int
        For a .spk without names: the CRC-32 of each name.
    """

    tensors: Sequence[Unread]
    hashes: list[int]

    @property
    def names(self) -> list[str]:
        """Of its tensors."""
        return [tensor.name for tensor in self.tensors]


def open_weights(path: Path) -> UnreadFile:
    """What `read_weights` reads. Tensors of .safetensors and .spk files are not read yet.

    Raises
    ------
    ModelError, CorruptDataError
        As `read_weights` does; later for what is damaged in a tensor.
    """
    if kind_of(path) == ".spk":
        check_is_file(path)
        bundle = BundleReader(path)
        return UnreadFile(bundle.entries, bundle.hashes)
    if kind_of(path) == ".safetensors":
        check_is_file(path)
        contents = Contents(path)
        check_not_empty(path, [contents])
        warn_of_others(path, [contents])
        return UnreadFile(contents.entries, [])
    return UnreadFile([_Held(tensor) for tensor in read_weights(path)], [])
