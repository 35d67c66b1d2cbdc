# SPDX-License-Identifier: Apache-2.0
"""The transforms of a blob, and what they make of a tensor (docs/format.md, section 2.1)."""

from collections.abc import Iterator, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stridepack import _spec

Int8Array = npt.NDArray[np.int8]
Bits = npt.NDArray[np.bool_]

# Elements whose places, integers of 8 bytes, are computed at once
_IN_PARTS = 1 << 20


@dataclass(frozen=True, eq=False)
class Live:
    """Which elements of a tensor are given to the format. A bitmap is None where it is not used.

    Attributes
    ----------
    row : int
        Elements in a row; 0 without `rows`.
    rows, columns : array of bool or None
        What is live. The columns are numbered within a row.
    unit : int
        Live elements in a unit of the classes; 0 without `classes`.
    classes : array of bool or None
        Whether a unit is of the second class; the pattern repeats.
    """

    row: int = 0
    rows: Bits | None = None
    columns: Bits | None = None
    unit: int = 0
    classes: Bits | None = None

    def mask(self, begin: int, end: int) -> Bits:
        """Which of some elements of the tensor are live."""
        live = np.ones(end - begin, bool)
        for first in range(begin, end, _IN_PARTS):
            j = np.arange(first, min(end, first + _IN_PARTS))
            part = live[first - begin :][: j.size]
            if self.rows is not None:
                part &= self.rows[j // self.row]
            if self.columns is not None:
                part &= self.columns[j % self.columns.size]
        return live

    def second_class(self, begin: int, n: int) -> Bits:
        """Which of n live elements, from number `begin` on, are of the second class."""
        if self.classes is None:
            return np.zeros(n, bool)
        second = np.empty(n, bool)
        for first in range(0, n, _IN_PARTS):
            j = np.arange(first, min(n, first + _IN_PARTS))
            second[first : first + j.size] = self.classes[
                (begin + j) // self.unit % self.classes.size
            ]
        return second

    def parameters(self) -> list[int]:
        """The integers of the header."""
        fields = [0]
        if self.rows is not None:
            fields[0] |= 1
            fields.append(self.row)
        if self.columns is not None:
            fields[0] |= 2
            fields.append(self.columns.size)
        if self.classes is not None:
            fields[0] |= 4
            fields += [self.unit, self.classes.size]
        return fields

    def bitmaps(self) -> bytes:
        """The bitmaps, without alignment."""
        found = (bits for bits in (self.rows, self.columns, self.classes) if bits is not None)
        return b"".join(np.packbits(bits).tobytes() for bits in found)


@dataclass(frozen=True)
class Prediction:
    """How elements are predicted: by the sign, or by quarters, of the mean of two earlier ones."""

    kind: int
    distance: int
    second: int

    def residuals(self, tile: Int8Array) -> Int8Array:
        """What is stored instead of the elements of a tile."""
        begin = max(self.distance, self.second)
        result = tile.copy()
        if begin < tile.size:
            a = tile[begin - self.distance : tile.size - self.distance]
            b = tile[begin - self.second : tile.size - self.second]
            result[begin:] = residuals(tile[begin:], a, b, self.kind)
        return result


def residuals(w: Int8Array, a: Int8Array, b: Int8Array, kind: int) -> Int8Array:
    """The residuals of elements w, of which a and b are the earlier ones."""
    total = a.astype(np.int16) + b
    if kind <= 1:
        return np.where(total < kind, -w, w)  # -128 stays: int8 wraps
    h = total >> 1
    q = (h >> 1 if kind == 2 else h + (h >> 1) >> 1 if kind == 3 else h).astype(np.int8)
    r = np.where(w == q, -q, w - q)  # the residual 0 is kept for the element 0
    r[w == 0] = 0
    return r


@dataclass(frozen=True, eq=False)
class Transforms:
    """What is done to a tensor in front of a format; None: not done."""

    live: Live | None = None
    prediction: Prediction | None = None

    def __bool__(self) -> bool:
        return self.live is not None or self.prediction is not None

    @property
    def classes(self) -> bool:
        """Whether there are two classes."""
        return self.live is not None and self.live.classes is not None

    def only(self, kinds: Set[str]) -> "Transforms":
        """Without those that are not among "live", "classes" and "prediction"."""
        live = self.live
        if live is not None:
            live = Live(
                *((live.row, live.rows, live.columns) if "live" in kinds else (0, None, None)),
                *((live.unit, live.classes) if "classes" in kinds else (0, None)),
            )
            if live.rows is None and live.columns is None and live.classes is None:
                live = None
        return Transforms(live, self.prediction if "prediction" in kinds else None)

    def header(self) -> tuple[int, list[int]]:
        """Flags and parameters of the header."""
        flags, parameters = 0, []
        if self.live is not None:
            flags |= _spec.FLAGS["live"]
            parameters += self.live.parameters()
        if self.prediction is not None:
            flags |= _spec.FLAGS["predicted"]
            parameters += [
                *(self.prediction.kind, self.prediction.distance, self.prediction.second),
            ]
        return flags, parameters

    def words(self) -> list[str]:
        """What is done, for people.

        >>> Transforms(Live(4, np.ones(6, bool)), Prediction(3, 1, 4)).words()
        ['dead rows', 'predicted']
        """
        found = []
        if self.live is not None:
            if self.live.rows is not None or self.live.columns is not None:
                kinds = [(self.live.rows, "rows"), (self.live.columns, "columns")]
                found.append(
                    "dead " + " and ".join(word for bits, word in kinds if bits is not None)
                )
            if self.live.classes is not None:
                found.append("two classes")
        if self.prediction is not None:
            found.append("predicted")
        return found

    def parts(self, flat: Int8Array, tile_size: int) -> Iterator[list[Int8Array]]:
        """For each tile what the format encodes: its live elements, in two classes or in one."""
        first_live = 0
        for begin in range(0, flat.size, tile_size):
            tile = flat[begin : begin + tile_size]
            if self.prediction is not None:
                tile = self.prediction.residuals(tile)
            if self.live is None:
                yield [tile]
                continue
            tile = tile[self.live.mask(begin, begin + tile.size)]
            if self.live.classes is None:
                yield [tile]
                continue
            second = self.live.second_class(first_live, tile.size)
            first_live += tile.size
            yield _swapped(tile, second)


def _swapped(x: Int8Array, second: Bits) -> list[Int8Array]:
    """The elements of the first class and those of the second one, as swaps in pairs leave them."""
    n_first = x.size - int(np.count_nonzero(second))
    i = np.flatnonzero(second[:n_first])
    k = n_first + np.flatnonzero(~second[n_first:])
    x[i], x[k] = x[k], x[i]
    return [x[:n_first], x[n_first:]]
