# SPDX-License-Identifier: Apache-2.0
"""A tensor in one format after the other, each with the transforms that make it smaller."""

import numpy as np
import numpy.typing as npt

from stridepack.cost.transforms import transform_cycles
from stridepack.formats import get_format, options_of
from stridepack.packed import Packed
from stridepack.plan.options import PackOptions
from stridepack.transforms import Transforms, choose_transforms

# A transform has to save this share of a blob. It may make a decoder slower by so much, or by so
# many times what it saves, on this target: with vectors it counts most how much else there is.
# Two classes may double the time, and have to be worth more. Small tensors take little time anyway.
_LEAST_SHARE = 1 / 256
_MOST_SLOWER, _WORTH, _WORTH_OF_CLASSES, _WORTH_WHERE_SMALL = 0.25, 30, 15, 100
_SMALL = 1 << 15  # elements
_TARGET = "cortex-m55"

# About how many cycles the formats that have transforms take there: for each non-zero, but for no
# more than so many in all. `decode_cycles` knows better, and takes longer than packing.
_OF_NON_ZERO, _OF_ELEMENT = 10, 6
_OF_BITMAP = 1.2


class TensorEncoder:
    """Encodes one tensor. What transforms may pay is found out once, when the first format asks.

    Parameters
    ----------
    values : ndarray
    options : PackOptions
    tile : int or None
        Elements in a tile.
    shape : tuple of int, optional
        In which transforms are looked for, if it is not that of the values.
    """

    def __init__(
        self,
        values: npt.NDArray[np.int8],
        options: PackOptions,
        tile: int | None,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        self._values = values
        self._shape = values.shape if shape is None else shape
        self._options = options
        self._tile = tile
        self._found: Transforms | None = None

    def encode(self, format: str) -> Packed:
        """The smallest blob of a format, with transforms where they are worth their time."""
        return self.variants(format)[0]

    def variants(self, format: str) -> list[Packed]:
        """All blobs of a format, without transforms and with them. What `encode` gives is first."""
        options = options_of(format, self._options.of_formats)
        plain = Packed.encode(self._values, format, self._tile, **options)
        best, others = plain, list[Packed]()
        for transforms in self._candidates(format):
            packed = Packed.encode(
                self._values, format, self._tile, transforms=transforms, **options
            )
            if self._is_better(packed, best):
                best, packed = packed, best
            others.append(packed)
        return [best, *others]

    def _candidates(self, format: str) -> list[Transforms]:
        """From the simplest to the one with all that promises something."""
        takes = get_format(format).transforms
        if not takes or not self._options.transforms or self._values.dtype != np.int8:
            return []
        if self._found is None:
            self._found = choose_transforms(self._values.reshape(self._shape), self._tile)
        found = self._found.only(takes)
        simpler = found.only(takes - {"classes"})
        candidates = [simpler, found] if found.classes else [found]
        return [transforms for transforms in candidates if transforms]

    def _is_better(self, packed: Packed, best: Packed) -> bool:
        """Whether transforms, or more of them than before, save enough."""
        saved = 1 - packed.nbytes / best.nbytes
        n = self._values.size
        plain: float = min(_OF_NON_ZERO * int(np.count_nonzero(self._values)), _OF_ELEMENT * n)
        if packed.format == "bitmap":
            plain = _OF_BITMAP * n
        worth = _WORTH_OF_CLASSES if packed.transforms.classes else _WORTH
        if n <= _SMALL:
            worth = _WORTH_WHERE_SMALL
        more = transform_cycles(packed, _TARGET) - transform_cycles(best, _TARGET)
        return saved >= _LEAST_SHARE and more <= plain * max(_MOST_SLOWER, worth * saved)
