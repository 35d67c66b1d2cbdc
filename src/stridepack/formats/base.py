"""What every format provides, and the registry that its class enters by being defined."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from stridepack import _spec
from stridepack._words import listed
from stridepack.errors import InputError

_registry: dict[str, "Format"] = {}

Stream = tuple[str, int]  # name, bytes

EncoderOptions = Mapping[str, Sequence[int]]  # as core/ takes them: unsigned integers by name


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
    """

    name: str
    kind: Literal["integers", "integer", "number", "choice"]
    help: str
    default: str
    choices: tuple[str, ...] = ()


class Format(ABC):
    """A way to encode a tile. Subclasses are stateless; the registry holds one instance of each.

    The encoder is `encode_<name>` in core/, the decoder is `spk_<name>_decode` in runtime/.
    """

    name: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()

    def __init_subclass__(cls) -> None:
        _registry[cls.name] = cls()

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

        Raises
        ------
        InputError
            When an option is outside the limits of the format.
        """
        return {}

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
