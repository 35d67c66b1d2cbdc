"""A tensor in one format after the other, each with the transforms that make it smaller."""

import numpy as np
import numpy.typing as npt

from stridepack.formats import get_format, options_of
from stridepack.packed import Packed
from stridepack.plan.options import PackOptions
from stridepack.transforms import Transforms, choose_transforms

# What a transform has to save of a blob, since a decoder takes time for it.
_LEAST_SHARE = 1 / 256


class TensorEncoder:
    """Encodes one tensor. What transforms may pay is found out once, when the first format asks.

    Parameters
    ----------
    values : ndarray
    options : PackOptions
    tile : int or None
        Elements in a tile.
    """

    def __init__(
        self, values: npt.NDArray[np.int8], options: PackOptions, tile: int | None
    ) -> None:
        self._values = values
        self._options = options
        self._tile = tile
        self._found: Transforms | None = None

    def encode(self, format: str) -> Packed:
        """The smallest blob of a format, with or without transforms."""
        options = options_of(format, self._options.of_formats)
        best = Packed.encode(self._values, format, self._tile, **options)
        for transforms in self._candidates(format):
            packed = Packed.encode(
                self._values, format, self._tile, transforms=transforms, **options
            )
            if packed.nbytes + best.nbytes * _LEAST_SHARE < best.nbytes:
                best = packed
        return best

    def _candidates(self, format: str) -> list[Transforms]:
        """From the simplest to the one with all that promises something."""
        takes = get_format(format).transforms
        if not takes or not self._options.transforms or self._values.dtype != np.int8:
            return []
        if self._found is None:
            self._found = choose_transforms(self._values, self._tile)
        found = self._found.only(takes)
        simpler = found.only(takes - {"classes"})
        candidates = [simpler, found] if found.classes else [found]
        return [transforms for transforms in candidates if transforms]
