"""What every format provides, and the registry that its class enters by being defined."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from stridepack import _core, _spec
from stridepack.errors import InputError
from stridepack.search import GroupParams

_registry: dict[str, "Format"] = {}

Stream = tuple[str, int]  # name, bytes


class Format(ABC):
    """A way to encode a tile. Subclasses are stateless; the registry holds one instance of each."""

    name: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()  # keyword options that `encode` understands

    def __init_subclass__(cls) -> None:
        _registry[cls.name] = cls()

    @property
    def wire_id(self) -> int:
        """Id in the blob's header."""
        return _spec.FORMATS[self.name]

    def encode(
        self, values: npt.NDArray[np.int8], tile_size: int, options: Mapping[str, Any]
    ) -> bytes:
        """Encode a flat, contiguous int8 array. Returns the payload.

        Raises
        ------
        InputError
            When an option is outside the limits of the format.
        """
        groups = self.group_params(options)
        return _core.encode(self.name, values, tile_size, groups.passes, groups.strides)

    def group_params(self, options: Mapping[str, Any]) -> GroupParams:
        """Parameters of the group search; none for formats without one."""
        return GroupParams((), ())

    @abstractmethod
    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        """Name and size in bytes of every stream of a valid tile of n elements, in order.

        Alignment does not count. The last stream may give its size as what the tile has left.
        """

    def work(self, tile: memoryview, n: int) -> dict[str, int]:
        """What decoding a valid tile of n elements has to do: counts that its time grows with.

        `stridepack.estimate` weighs them with the costs that bench/m55/fit.py fits to measurements.
        Elements and the bytes of every stream, unless a format knows better.
        """
        return {"elements": n, **dict(self.streams(tile, n))}


def formats() -> tuple[str, ...]:
    """Names of all formats, in the order of their wire ids.

    >>> formats()
    ('dense', 'psr', 'rle', 'dcsr', 'hybrid', 'bitmap', 'rans', 'huffman')
    """
    return tuple(sorted(_registry, key=lambda name: _registry[name].wire_id))


def get_format(name: str) -> Format:
    """Look up a format by name.

    Raises
    ------
    InputError
        For an unknown name; the message lists the known ones.
    """
    if name not in _registry:
        raise InputError(f"unknown format {name!r}; there are {', '.join(formats())}")
    return _registry[name]


def known_options(names: Iterable[str]) -> frozenset[str]:
    """Options that at least one of these formats has."""
    return frozenset().union(*(get_format(name).options for name in names))


def options_of(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some options that a format has."""
    return {key: options[key] for key in options.keys() & get_format(name).options}
