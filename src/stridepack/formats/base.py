# SPDX-License-Identifier: Apache-2.0
"""What every format provides, and the registry that its class enters by being defined."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, ClassVar, Literal

import numpy as np

from stridepack import _spec
from stridepack._words import listed
from stridepack.errors import InputError

_registry: dict[str, "Format"] = {}

Stream = tuple[str, int]  # name, bytes

EncoderOptions = Mapping[str, Sequence[int]]  # as core/ takes them: unsigned integers by name

MOST = 2**32 - 1  # the largest integer that core/ takes

# What `pack`, `plan`, `plan_within` and `pack_file` have as arguments of their own, and the command
# line as options of `pack`. An option of a format has another name.
RESERVED = frozenset(
    {
        *("values", "tensors", "model", "output", "format", "tile", "min_size", "candidates"),
        *("decoder", "budget", "objective", "target", "count_code", "container_nbytes"),
        *("flash", "max_cycles", "cycles", "sram", "on_start", "on_done", "help", "max_memory"),
        *(
            "arena",
            "array",
            "in_ram",
            "decompression_memory",
            "reference_kernels",
            "names",
            "no_names",
            "transforms",
        ),
    }
)


@dataclass(frozen=True)
class Option:
    """An option of a format, as Python and the command line offer it.

    Attributes
    ----------
    name : str
        The keyword in Python; ``--name`` on the command line.
    kind : str
        "integers": several integers. "integer", "number": one. "choice": one of `choices`.
    help : str
        A sentence for the command line.
    default : str
        The default value, as it would be typed.
    choices : tuple of str
    least, most : int
        The bounds of integers.
    """

    name: str
    kind: Literal["integers", "integer", "number", "choice"]
    help: str
    default: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = MOST

    def as_integers(self, value: Any) -> list[int]:
        """A value as the encoder takes it: its integers, or the index of a choice.

        Raises
        ------
        InputError
            When it is not what the option takes.
        """
        if self.kind == "choice":
            if value not in self.choices:
                raise self._refused(value, f"is unknown. Choose {listed(self.choices)}.")
            return [self.choices.index(value)]
        several = self.kind == "integers"
        try:
            if several and isinstance(value, (str, bytes)):
                raise TypeError
            numbers = list(value) if several else [value]
            if any(isinstance(number, (bool, np.bool_)) for number in numbers):
                raise TypeError
            integers = [index(number) for number in numbers]
        except TypeError:
            wanted = "several integers" if several else "an integer"
            raise self._refused(value, f"is not possible. It must be {wanted}.") from None
        if any(not self.least <= number <= self.most for number in integers):
            which = "has a number that is out of range. Each" if several else "is out of range. It"
            raise self._refused(
                value, f"{which} must lie between {self.least:,} and {self.most:,}."
            )
        return integers

    def _refused(self, value: Any, why: str) -> InputError:
        return InputError(f"`{self.name}={value}` {why}", **{self.name: value})


class Format(ABC):
    """A way to encode a tile. Subclasses are stateless; the registry holds one instance of each.

    The encoder is `encode_<name>` in core/, the decoder is `spk_<name>_decode` in runtime/.
    """

    name: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()
    transforms: ClassVar[frozenset[str]] = frozenset()
    """Those in front of it that can pay: of "live", "classes" and "prediction"."""

    def __init_subclass__(cls) -> None:
        for option in cls.options:
            cls._check_option(option)
        _registry[cls.name] = cls()

    @classmethod
    def _check_option(cls, option: Option) -> None:
        """Refuse an option whose name is taken, or that nothing converts for the encoder."""
        what = f"Option {option.name!r} of format {cls.name!r}"
        if option.name in RESERVED:
            raise TypeError(
                f"{what} has a name that `pack` uses for something else. Give it another name."
            )
        for other in _registry.values():
            for known in other.options if other.name != cls.name else ():
                if known.name == option.name and known != option:
                    raise TypeError(
                        f"{what} differs from the option of that name of format {other.name!r}. "
                        "Formats that share an option declare it alike: give it another name, or "
                        "the same declaration."
                    )
        own = cls.encoder_options is not Format.encoder_options
        if option.kind not in ("integers", "integer", "choice") and not own:
            raise TypeError(
                f"{what} is of the kind {option.kind!r}, which an encoder does not take. Define "
                "`encoder_options` in the class, which turns it into integers."
            )

    @property
    def wire_id(self) -> int:
        """Id in the blob's header."""
        return _spec.FORMATS[self.name]

    @property
    def option_names(self) -> frozenset[str]:
        """Names of its options."""
        return frozenset(option.name for option in self.options)

    def encoder_options(self, options: Mapping[str, Any]) -> EncoderOptions:
        """Check the options that were given, and turn them into what the encoder takes.

        Unless a format does it in its own way, each option goes on under its own name: integers as
        they are, within the bounds of the option, and a choice as its index in `choices`.

        Raises
        ------
        InputError
            When an option is outside the limits of the format.
        """
        return {
            option.name: option.as_integers(options[option.name])
            for option in self.options
            if option.name in options
        }

    @abstractmethod
    def streams(self, tile: memoryview, n: int) -> Iterator[Stream]:
        """Name and size in bytes of every stream of a valid tile of n elements, in order.

        Alignment does not count. The last stream may give its size as what the tile has left.
        """


def formats() -> tuple[str, ...]:
    """Names of all formats, in the order of their wire ids.

    >>> formats()[:4]
    ('dense', 'psr', 'rle', 'dcsr')
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
        raise InputError(f"`format={name}` is unknown. Choose {listed(formats())}.", format=name)
    return _registry[name]


def all_options() -> dict[str, tuple[Option, tuple[str, ...]]]:
    """Every option by its name, and the formats that have it."""
    found: dict[str, tuple[Option, tuple[str, ...]]] = {}
    for name in formats():
        for option in get_format(name).options:
            first, owners = found.get(option.name, (option, ()))
            found[option.name] = first, (*owners, name)
    return found


def check_options(names: Iterable[str], options: Mapping[str, Any]) -> None:
    """Refuse options that none of these formats has.

    Raises
    ------
    InputError
    """
    names = tuple(names)
    known = frozenset[str]().union(*(get_format(name).option_names for name in names))
    for name, value in options.items():
        if name not in known:
            owners = [owner for owner in formats() if name in get_format(owner).option_names]
            tried = listed(names or ("dense",))
            fit = f"It is an option of {listed(owners, 'and')}" if owners else "No format has it"
            raise InputError(
                f"`{name}={value}` is not an option of {tried}. {fit}.",
                **{name: value},
            )


def options_of(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some options that a format has."""
    return {key: options[key] for key in options.keys() & get_format(name).option_names}
