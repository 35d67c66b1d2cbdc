# SPDX-License-Identifier: Apache-2.0
"""Do two files have the same tensors? One after the other: few are in memory at any time."""

from collections.abc import Callable, Iterator

import numpy as np

from stridepack.files.nameless import names_after
from stridepack.files.unread import Unread, UnreadFile

# Elements that are compared at once
_AT_ONCE = 2**22


def differences(
    model: UnreadFile, packed: UnreadFile, on_done: Callable[[], None]
) -> Iterator[str]:
    """One sentence for each tensor that is missing, additional or different.

    A bundle without names gets those of the other file, where the CRC-32 agree. `on_done` is
    called for each tensor of the model.
    """
    of_packed = names_after(packed.names, packed.hashes, model.names)
    of_model = names_after(model.names, model.hashes, of_packed)
    original = dict(zip(of_model, model.tensors, strict=True))
    unpacked = dict(zip(of_packed, packed.tensors, strict=True))
    if not original.keys() & unpacked.keys():
        yield "none of its tensors is in the model. Is this the right model?"
        return
    for name in unpacked:
        if name not in original:
            yield f"{name}: the packed file has it, but the model does not."
    for name, tensor in original.items():
        on_done()
        if name not in unpacked:
            yield f"{name}: the packed file does not have it."
        elif difference := _difference(tensor, unpacked[name]):
            yield f"{name}: {difference}"


def _difference(original: Unread, unpacked: Unread) -> str:
    """What differs in a tensor, or nothing."""
    a, b = original.read().values, unpacked.read().values
    if a.shape != b.shape:
        return f"its shape is {b.shape} in the packed file and {a.shape} in the model."
    flat_a, flat_b = np.ascontiguousarray(a).reshape(-1), np.ascontiguousarray(b).reshape(-1)
    n, first = 0, -1
    for begin in range(0, flat_a.size, _AT_ONCE):
        wrong = flat_a[begin : begin + _AT_ONCE] != flat_b[begin : begin + _AT_ONCE]
        if n == 0 and wrong.any():
            first = begin + int(np.argmax(wrong))
        n += int(np.count_nonzero(wrong))
    if not n:
        return ""
    return (
        f"{n} of {flat_a.size} elements {'differs' if n == 1 else 'differ'}. The first is element "
        f"{first}, which is {flat_b[first]} in the packed file and {flat_a[first]} in the model."
    )
