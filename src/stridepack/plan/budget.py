# SPDX-License-Identifier: Apache-2.0
"""What a model may take: budgets of Flash, cycles and SRAM, and what a plan aims at."""

from dataclasses import dataclass

from stridepack._numbers import is_integer
from stridepack.errors import InputError

OBJECTIVES = ("size", "speed", "balanced")

# The budgets by the names that messages and the command line use, and their attributes.
BUDGETS = {"flash": "flash", "max_cycles": "cycles", "sram": "sram"}


@dataclass(frozen=True)
class Budget:
    """What a model may take; None: any amount.

    Attributes
    ----------
    flash : int or None
        Bytes of all blobs, and of the file around them.
    cycles : int or None
        To decode all tensors once, as `stridepack.cost` has it.
    sram : int or None
        Bytes of the buffer that tensors or tiles are decoded into, one at a time.
    """

    flash: int | None = None
    cycles: int | None = None
    sram: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.given.items():
            if not is_integer(value, 0):
                raise InputError(
                    f"`{name}={value}` is not possible. A budget is an integer of at least 0.",
                    **{name: value},
                )

    @property
    def given(self) -> dict[str, int]:
        """The budgets that are set, by the names that messages use."""
        budgets = {name: getattr(self, attribute) for name, attribute in BUDGETS.items()}
        return {name: value for name, value in budgets.items() if value is not None}
