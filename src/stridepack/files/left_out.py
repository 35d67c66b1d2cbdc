# SPDX-License-Identifier: Apache-2.0
"""What of a model is not packed, said in one warning."""

import warnings
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from stridepack._words import counted, listed

_SHOWN = 3
_SCALES = (
    " Scales are not packed, either. In Python, `stridepack.read_weights` gives them with the "
    "weights."
)


def warn_left_out(path: Path, types: Mapping[str, str], because: str, with_scales: bool) -> None:
    """Warn of tensors that are left out, if there are any.

    Parameters
    ----------
    path : Path
    types : mapping of str to str
        Their names, and the type of each.
    because : str
        Why, as the end of a sentence.
    with_scales : bool
        Whether scales were read with the weights.
    """
    if types:
        are = "is" if len(types) == 1 else "are"
        warnings.warn(
            f"{path}: {counted(len(types), 'tensor')} {are} left out, because {because}: "
            f"{by_type(types)}. The device needs them from elsewhere if it computes with them."
            f"{_SCALES if with_scales else ''}",
            stacklevel=3,
        )


def by_type(types: Mapping[str, str]) -> str:
    """Tensors of each type, and the names of the first ones.

    >>> by_type({"a": "F32", "b": "F32", "c": "F32", "d": "F32", "e": "BF16"})
    '4 F32 (a, b, c and 1 more) and 1 BF16 (e)'
    """
    names = defaultdict(list)
    for name, type_name in types.items():
        names[type_name].append(name)
    parts = (f"{len(of)} {type_name} ({_some(of)})" for type_name, of in names.items())
    return listed(parts, "and")


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return listed([*names[:_SHOWN], *([f"{more} more"] if more > 0 else [])], "and")
