# SPDX-License-Identifier: Apache-2.0
"""A tensor in every format that a plan may take, and what is said of the one that it takes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from stridepack.cost import decode_cycles
from stridepack.packed import Packed
from stridepack.plan.budget_plan import PlannedTensor
from stridepack.plan.choice import format_of
from stridepack.plan.knapsack import Option
from stridepack.plan.smallest import check_exact
from stridepack.tensor import WeightTensor


@dataclass(frozen=True, eq=False)
class Tried:
    """A tensor in all formats that are possible.

    Attributes
    ----------
    note : str
        Why only dense was tried; empty where all were.
    candidates : dict of str to Packed
        By format, with the transforms that are worth their time.
    others : dict of str to Packed
        The same formats with other transforms, or without them, named by `variant_of`.
    left_out : set of str
        Formats of which too little is known.
    """

    note: str
    candidates: dict[str, Packed] = field(default_factory=dict)
    others: dict[str, Packed] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def packed(self, variant: str) -> Packed:
        """The blob of that name."""
        return self.others.get(variant) or self.candidates[variant]

    def options(self, target: str | None, *, variants: bool) -> dict[str, Option]:
        """What the blobs add to the sums, the smallest first.

        Parameters
        ----------
        target : str or None
            None where cycles do not matter.
        variants : bool
            Whether the others are possible, too.
        """
        possible = self.candidates | (self.others if variants else {})
        smallest_first = sorted(possible.items(), key=lambda item: item[1].nbytes)
        return {
            name: Option(packed.nbytes, (_cycles(packed, target) or 0) if target else 0)
            for name, packed in smallest_first
        }


def planned(
    tensor: WeightTensor,
    tried: Tried,
    options: Mapping[str, Option],
    chosen: str,
    *,
    decoders: set[str],
    target: str,
) -> PlannedTensor:
    """Check what was chosen, and say why. decoders: those that the firmware has."""
    packed, option = tried.packed(chosen), options[chosen]
    check_exact(tensor, packed)
    smallest = min(options, key=lambda name: options[name])
    if tried.note:
        why = tried.note
    elif len(options) == 1:
        why = "no other format is possible"
    elif option == options[smallest]:
        why = "nothing is smaller" if chosen == "dense" else "the smallest"
    else:
        more = f"{option.nbytes - options[smallest].nbytes:,} bytes more"
        other = _called(tried.packed(smallest), packed)
        if option.cycles < options[smallest].cycles:
            fewer = f"{options[smallest].cycles - option.cycles:,} cycles fewer"
            why = f"{fewer} than {other} for {more}"
            if option.cycles == min(o.cycles for o in options.values()):
                why += "; the fastest"
        elif format_of(smallest) not in decoders:
            why = f"{more} than {other}, whose decoder would need more than that"
        else:
            why = f"{more} than {other}"
    return PlannedTensor(tensor, packed, _cycles(packed, target), why, tried.note)


def _called(packed: Packed, beside: Packed) -> str:
    """The format of a blob, with its transforms where another one has the same format."""
    if packed.format != beside.format:
        return packed.format
    return f"{packed.format} ({', '.join(packed.transforms.words()) or 'without transforms'})"


def _cycles(packed: Packed, target: str) -> int | None:
    cycles = decode_cycles(packed, target)
    return None if cycles is None else math.ceil(cycles)
