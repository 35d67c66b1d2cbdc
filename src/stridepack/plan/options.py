"""What can be asked for when the tensors of a model are packed, as one value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from stridepack._numbers import is_integer
from stridepack._words import listed
from stridepack.errors import InputError
from stridepack.formats import check_options, formats, options_of
from stridepack.packed import Packed
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
    """

    format: str = AUTO
    tile: int | None = None
    min_size: int = DEFAULT_MIN_SIZE
    of_formats: Mapping[str, Any] = field(default_factory=dict)

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

    def encode(self, values: npt.ArrayLike, format: str, tile: int | None = None) -> Packed:
        """Encode a tensor in one format, in tiles of the size given here, with its options."""
        return Packed.encode(values, format, tile, **options_of(format, self.of_formats))
