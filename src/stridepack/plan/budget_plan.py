# SPDX-License-Identifier: Apache-2.0
"""A plan for all tensors of a model, and the sums of what it takes."""

from dataclasses import dataclass

from stridepack._numbers import total
from stridepack.cost import decoder_nbytes, targets, unit_of
from stridepack.formats import formats
from stridepack.packed import Packed
from stridepack.plan.budget import Budget
from stridepack.tensor import WeightTensor

DEFAULT_TARGET = targets()[0]


@dataclass(frozen=True, eq=False)
class PlannedTensor:
    """What was chosen for a tensor.

    Attributes
    ----------
    tensor : WeightTensor
    packed : Packed
        Unpacks to the tensor exactly: that was checked.
    cycles : int or None
        To decode it once; None where nothing is known of the format.
    why : str
        Why this format, in a few words.
    note : str
        Why it was not tried in other formats than dense; empty where it was.
    """

    tensor: WeightTensor
    packed: Packed
    cycles: int | None
    why: str
    note: str = ""

    @property
    def sram(self) -> int:
        """Bytes of the buffer that it, or a tile of it, is decoded into."""
        return min(self.packed.tile_size, self.packed.n_elements)


@dataclass(frozen=True, eq=False)
class BudgetPlan:
    """A plan for all tensors of a model, and what it takes.

    Attributes
    ----------
    tensors : list of PlannedTensor
    budget : Budget
        Is kept.
    target : str
        Whose cycles and code these are.
    container_nbytes : int
        Bytes of Flash beside blobs and code.
    code_counts : bool
        Whether Flash includes the decoders' code.
    left_out : tuple of str
        Formats that were not used for some tensor, as nothing is known of their cycles or code.
    """

    tensors: list[PlannedTensor]
    budget: Budget
    target: str
    container_nbytes: int
    code_counts: bool
    left_out: tuple[str, ...]

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats in use, by wire id."""
        used = {planned.packed.format for planned in self.tensors}
        return tuple(name for name in formats() if name in used)

    @property
    def flash(self) -> int:
        """Bytes of all blobs, and of all else that counts."""
        code = (self.code_nbytes or 0) if self.code_counts else 0
        return self.container_nbytes + code + sum(p.packed.nbytes for p in self.tensors)

    @property
    def code_nbytes(self) -> int | None:
        """Bytes of the decoders' code, at most: some share a part. None: not known."""
        return total(code_nbytes(name, self.target) for name in self.formats)

    @property
    def stack_nbytes(self) -> int | None:
        """Bytes of stack that the decoders need at most. None: not known."""
        memory = [decoder_nbytes(name, self.target) for name in self.formats]
        return None if None in memory else max((pair[1] for pair in memory if pair), default=0)

    @property
    def unit(self) -> str:
        """What is counted as cycles on the target: "cycles", or "instructions"."""
        return unit_of(self.target)

    @property
    def cycles(self) -> int | None:
        """To decode all tensors once; None where that of one is not known."""
        return total(planned.cycles for planned in self.tensors)

    @property
    def sram(self) -> int:
        """Bytes of a buffer for any tensor or tile."""
        return max((planned.sram for planned in self.tensors), default=0)


def code_nbytes(format: str, target: str) -> int | None:
    """Bytes of the decoder of a format; None where it was never measured."""
    memory = decoder_nbytes(format, target)
    return None if memory is None else memory[0]
