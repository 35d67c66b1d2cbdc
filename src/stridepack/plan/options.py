# SPDX-License-Identifier: Apache-2.0
"""What can be asked for when the tensors of a model are packed, as one value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stridepack._numbers import is_integer
from stridepack._words import listed
from stridepack.errors import InputError
from stridepack.formats import check_options, formats
from stridepack.plan.budget import BUDGETS
from stridepack.plan.rules import DEFAULT_MIN_SIZE

AUTO = "auto"


@dataclass(frozen=True)
class PackOptions:
    """How the tensors of a model are to be packed.

    Attributes
    ----------
    format : str
        The format of every packed tensor, or "auto": all formats are tried.
    tile : int or None
        Elements in a tile; None: one tile for each tensor.
    min_size : int
        Tensors with fewer elements stay dense.
    of_formats : mapping of str to value
        Options of the formats.
    transforms : bool
        Whether formats may be given a tensor without its dead rows and columns, in two classes, or
        predicted, where that makes its blob smaller (docs/format.md, section 2.1).
    """

    format: str = AUTO
    tile: int | None = None
    min_size: int = DEFAULT_MIN_SIZE
    of_formats: Mapping[str, Any] = field(default_factory=dict)
    transforms: bool = True

    def __post_init__(self) -> None:
        if not is_integer(self.min_size, 0):
            raise InputError(
                f"`min_size={self.min_size}` is not possible. It must be an integer of at least 0.",
                min_size=self.min_size,
            )

    def candidates(self, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        """The formats to try, among those that are allowed: all of them by default.

        Raises
        ------
        InputError
            For an unknown format, one that is not allowed, or an option that none of them has.
        """
        names = formats() if allowed is None else tuple(allowed)
        if not names:
            raise InputError("`candidates` is empty. Name at least one format.")
        if self.format != AUTO:
            if self.format not in formats():
                raise InputError(
                    f"`format={self.format}` is unknown. Choose {listed((AUTO, *names))}.",
                    format=self.format,
                )
            if self.format not in names:
                raise InputError(
                    f"`format={self.format}` is not possible here. Choose {listed(names)}.",
                    format=self.format,
                )
            names = (self.format,)
        for name in BUDGETS.keys() & self.of_formats.keys():
            value = self.of_formats[name]
            raise InputError(
                f"`{name}={value}` is part of a budget. Give it as "
                f"`budget=Budget({BUDGETS[name]}={value})`."
            )
        check_options(names, self.of_formats)
        return names
