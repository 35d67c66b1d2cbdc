# SPDX-License-Identifier: Apache-2.0
"""What is asked of the RAM of a packed .tflite model, and what it takes then."""

from dataclasses import dataclass
from typing import NamedTuple


class Arena(NamedTuple):
    """Bytes of a tensor arena.

    Attributes
    ----------
    planned : int
        Of tensors and scratch memory, which share their places over time.
    kept : int
        Of what stays for as long as the model is there.
    """

    planned: int
    kept: int

    @property
    def nbytes(self) -> int:
        """Of the whole arena."""
        return self.planned + self.kept


@dataclass(frozen=True)
class RamGoal:
    """What is asked of the RAM of a packed model.

    Attributes
    ----------
    arena : int or None
        The most bytes of tensor arena. The smallest file that keeps it is chosen.
    flash : int or None
        The most bytes of the file.
    in_ram : bool
        The model file is in RAM as well: the sum of file and arena is made as small as possible.
    decompression_memory : bool
        DECODE operators write into memory of their own, beside the arena.
    smallest : bool
        The smallest file, whatever the arena.
    """

    arena: int | None = None
    flash: int | None = None
    in_ram: bool = False
    decompression_memory: bool = False
    smallest: bool = False

    @property
    def counts(self) -> str:
        """What is minimised, as `RamChoice.counts` has it.

        By default a byte of arena counts as much as one of the file. Memory beside the arena
        counts only where the model is in RAM as well.
        """
        if self.in_ram:
            return "all"
        return "flash" if self.smallest or self.arena is not None else "limited"


@dataclass(frozen=True)
class RamUse:
    """The RAM of a model before and after packing, in bytes.

    Attributes
    ----------
    before, after : int
        Of the tensor arena.
    measured : bool
        By the TensorFlow Lite Micro interpreter; otherwise estimated.
    decompression : int
        Of the memory that DECODE operators write into, beside the arena. 0: it is in the arena.
    left_out : tuple of int
        Of tensors that stay dense because of their RAM: how many they are, what packing them would
        take off the file, and what it would add to the RAM.
    best : bool
        Whether no other choice of tensors is better; otherwise not all could be compared.
    starts : bool
        Whether the interpreter starts within the arena that was allowed. It may need more than
        `after` for a moment, while it plans its memory.
    """

    before: int
    after: int
    measured: bool
    decompression: int = 0
    left_out: tuple[int, int, int] = (0, 0, 0)
    best: bool = True
    starts: bool = True
