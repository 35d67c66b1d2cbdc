# SPDX-License-Identifier: Apache-2.0
"""Very many tiles of a tensor with live rows, columns or classes take linear time."""

import time

import numpy as np
import pytest

import stridepack as sp
from stridepack import _core, reference
from stridepack._header import build_blob
from stridepack._spec import FLAGS, FORMATS
from stridepack.reference.transforms import Parts, bitmaps, parameters

FEW, MANY = 2**15, 2**19


def blob_of(n: int, parts: Parts, *, live: bool) -> bytes:
    """Tiles of an element each: none of them is live, or all are and are 0."""
    part = (4).to_bytes(4, "little") + bytes(4)
    ends = 4 * n + np.arange(1, n + 1, dtype="<u4") * (len(part) if live else 0)
    bits = bitmaps(parts)
    bits += bytes(-len(bits) % 4)
    payload = bits + ends.astype("<u4").tobytes() + (part * n if live else b"")
    return build_blob(
        *(FORMATS["dense"], (n,), 1, payload),
        flags=FLAGS["live"],
        parameters=parameters(parts, None),
    )


def kinds(n: int) -> dict[str, bytes]:
    none, half = np.zeros(n, bool), np.zeros(n // 2, bool)
    return {
        "rows of an element": blob_of(n, Parts(1, none), live=False),
        "as many columns": blob_of(n, Parts(0, None, none), live=False),
        "two rows": blob_of(n, Parts(n // 2, np.ones(2, bool), half), live=False),
        "two rows of two cycles": blob_of(
            n, Parts(n // 2, np.ones(2, bool), half[: n // 4]), live=False
        ),
        "classes": blob_of(n, Parts(0, None, None, 1, none), live=True),
    }


@pytest.mark.parametrize("kind", list(kinds(8)))
def test_in_c(kind: str) -> None:
    """To decode and to validate 16 times as many tiles: 256 times as long if it was quadratic."""
    seconds = []
    for n in (FEW, MANY):
        blob = np.frombuffer(kinds(n)[kind], np.uint8)
        values = np.ones(n, np.int8)
        start = time.process_time()
        assert (_core.validate(blob), _core.decode(blob, values)) == (0, 0)
        seconds.append(time.process_time() - start)
        assert not values.any()
    assert seconds[1] < 100 * max(seconds[0], 0.002)


@pytest.mark.parametrize("kind", list(kinds(8)))
def test_the_reference(kind: str) -> None:
    seconds = []
    for n in (2**10, 2**14):
        blob = kinds(n)[kind]
        start = time.process_time()
        assert not reference.decode(blob).any()
        seconds.append(time.process_time() - start)
        assert sp.Packed.from_bytes(blob).to_bytes() == blob
    assert seconds[1] < 40 * seconds[0]
