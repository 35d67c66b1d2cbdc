# SPDX-License-Identifier: Apache-2.0
"""What `interpreter.compare_outputs` finds, in a module that imports next to nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Result of `compare_outputs`.

    Attributes
    ----------
    n_inputs : int
        How often each model ran.
    equal : bool
        Whether all outputs were equal, bit by bit.
    max_difference : float
        Largest absolute difference of two output elements; infinite where one is not a number.
    arena_nbytes : tuple of int
        Bytes of the tensor arena that each model uses, as the interpreter's allocator reports them
        on this 64-bit host. A device with 32-bit pointers needs somewhat less. Starting a tiny
        model may take some hundred bytes more.
    """

    n_inputs: int
    equal: bool
    max_difference: float
    arena_nbytes: tuple[int, int]
