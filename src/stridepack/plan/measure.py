# SPDX-License-Identifier: Apache-2.0
"""Every tensor in every format: what `inspect` shows, and what benches ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stridepack._threads import in_threads
from stridepack.cost import decode_cycles
from stridepack.packed import Packed
from stridepack.plan.encode import TensorEncoder
from stridepack.plan.options import PackOptions
from stridepack.plan.rules import why_dense
from stridepack.tensor import WeightTensor

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Measured:
    """A tensor in every format, and which one `stridepack.plan` chooses.

    Attributes
    ----------
    tensor : WeightTensor
    nbytes : dict of str to int
        Bytes of the whole blob in every format.
    cycles : dict of str to float or None
        To decode it, where a target was given; None where they are not known.
    note : str
        Why the tensor stays dense, whatever the sizes; empty where it does not.
    transforms : dict of str to list of str
        What is done in front of each format.
    """

    tensor: WeightTensor
    nbytes: dict[str, int]
    cycles: dict[str, float | None] = field(default_factory=dict)
    note: str = ""
    transforms: dict[str, list[str]] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The format that is chosen: the smallest, the first of equals."""
        return "dense" if self.note else min(self.nbytes, key=self.nbytes.__getitem__)

    def nbytes_in(self, format: str) -> int:
        """Bytes where all tensors take this format that do not stay dense."""
        return self.nbytes["dense" if self.note else format]


def measure_all(
    tensors: Sequence[WeightTensor],
    options: PackOptions,
    target: str | None = None,
    on_done: Callable[[int], None] | None = None,
) -> list[Measured]:
    """Encode every tensor in every format, in parallel threads.

    Raises
    ------
    InputError
        As `stridepack.plan` does.
    """

    def ask(packed: Packed) -> tuple[int, float | None, list[str]]:
        cycles = decode_cycles(packed, target) if target else None
        return packed.nbytes, cycles, packed.transforms.words()

    answers = in_every_format(
        *(tensors, ask),
        tile=options.tile,
        transforms=options.transforms,
        on_done=on_done,
        **options.of_formats,
    )
    return [
        Measured(
            tensor,
            {name: nbytes for name, (nbytes, _, _) in of.items()},
            {name: cycles for name, (_, cycles, _) in of.items()} if target else {},
            why_dense(tensor.size, options.min_size),
            {name: words for name, (_, _, words) in of.items() if words},
        )
        for tensor, of in zip(tensors, answers, strict=True)
    ]


def in_every_format(
    tensors: Sequence[WeightTensor],
    ask: Callable[[Packed], T],
    *,
    tile: int | None = None,
    transforms: bool = False,
    on_done: Callable[[int], None] | None = None,
    **options: Any,
) -> list[dict[str, T]]:
    """What `ask` says of the blob of every tensor in every format, in parallel threads.

    Whole tensors, or tiles of `tile` elements; nothing stays dense here.
    """
    asked = PackOptions(tile=tile, of_formats=options, transforms=transforms)
    names = asked.candidates()

    def answers(tensor: WeightTensor) -> dict[str, T]:
        encoder = TensorEncoder(tensor.values, asked, tile)
        return {name: ask(encoder.encode(name)) for name in names}

    return in_threads(answers, tensors, lambda tensor: tensor.size, on_done)
