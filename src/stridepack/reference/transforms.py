# SPDX-License-Identifier: Apache-2.0
"""Transforms in front of a format (docs/format.md, section 2.1): live parts and prediction.

An encoder goes down this file: it predicts, then takes out what is dead, then puts the two
classes apart, and gives what is left to a format. A decoder goes the other way.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack.errors import CorruptDataError

Int8Array = npt.NDArray[np.int8]
Bits = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

# Prediction ---------------------------------------------------------------------------------------

SIGN, SIGN_OR_ZERO, MOST_QUARTERS = 0, 1, 4


class Prediction(NamedTuple):
    """The kind K of a prediction and its two distances S and S'."""

    K: int
    S: int
    S2: int

    def check(self, n_elements: int) -> None:
        """Raise CorruptDataError unless the parameters are within their limits."""
        require(0 <= self.K <= MOST_QUARTERS, f"prediction of the kind {self.K}")
        for S in (self.S, self.S2):
            require(1 <= S < n_elements, f"a distance of {S} in {n_elements} elements")

    def predict(self, w: Int8Array) -> Int8Array:
        """The residuals of the elements w of a tile."""
        begin = max(self.S, self.S2)
        v = w.astype(np.int64)
        a, b = v[begin - self.S : v.size - self.S], v[begin - self.S2 : v.size - self.S2]
        r = w.copy()
        if w.size > begin:
            r[begin:] = self._residual(v[begin:], a, b)
        return r

    def restore(self, r: Int8Array) -> Int8Array:
        """The elements of a tile whose residuals are r."""
        begin, step = max(self.S, self.S2), min(self.S, self.S2)
        w = r.copy()
        for j in range(begin, w.size, step):  # nothing in a step depends on the step itself
            end = min(j + step, w.size)
            a, b = (w[j - S : end - S].astype(np.int64) for S in (self.S, self.S2))
            w[j:end] = self._element(w[j:end].astype(np.int64), a, b)
        return w

    def _residual(self, w: Integers, a: Integers, b: Integers) -> Int8Array:
        if self.K <= SIGN_OR_ZERO:
            return self._element(w, a, b)  # it is its own inverse
        q = self._quarters(a, b)
        r = np.where(w == q, -q, w - q)
        return np.where(w == 0, 0, r).astype(np.int8)

    def _element(self, r: Integers, a: Integers, b: Integers) -> Int8Array:
        if self.K <= SIGN_OR_ZERO:
            p = a + b
            return np.where((p < 0) | ((p == 0) & (self.K == SIGN_OR_ZERO)), -r, r).astype(np.int8)
        q = self._quarters(a, b)
        w = (r + q).astype(np.int8)
        return np.where(r == 0, 0, np.where(w == 0, q, w)).astype(np.int8)

    def _quarters(self, a: Integers, b: Integers) -> Integers:
        h: Integers = (a + b) >> 1
        return {2: h >> 1, 3: (h + (h >> 1)) >> 1, 4: h}[self.K]


# Live parts ---------------------------------------------------------------------------------------

ROWS, COLUMNS, CLASSES = 1, 2, 4


class Parts(NamedTuple):
    """Bitmaps of live rows and columns, and of the second class; None where there is none.

    `R` is the number of elements in a row, and `U` that of a unit of the classes. The columns
    `C` and the units `P` are as many as there are bits.
    """

    R: int = 0
    rows: Bits | None = None
    columns: Bits | None = None
    U: int = 0
    classes: Bits | None = None

    def layout(self) -> "Layout":
        """How many bits of each kind there are."""
        n_bits = (
            0 if bits is None else bits.size for bits in (self.rows, self.columns, self.classes)
        )
        n_rows, n_columns, n_units = n_bits
        return Layout(self.R, n_rows, n_columns, self.U, n_units)

    def live(self, n_elements: int) -> Bits:
        """Which elements of a tensor are live."""
        j = np.arange(n_elements)
        live = np.ones(n_elements, bool)
        if self.rows is not None:
            live &= self.rows[j // self.R]
        if self.columns is not None:
            live &= self.columns[j % self.columns.size]
        return live

    def second(self, first_live: int, n_live: int) -> Bits:
        """Which of the live elements from number `first_live` on are of the second class."""
        if self.classes is None:
            return np.zeros(n_live, bool)
        i = np.arange(first_live, first_live + n_live)
        return self.classes[i // self.U % self.classes.size]


class Layout(NamedTuple):
    """What the header says of live parts: their bitmaps follow in the payload."""

    R: int
    n_rows: int
    n_columns: int
    U: int
    n_units: int

    @property
    def nbytes(self) -> int:
        """Bytes of the bitmaps, without alignment."""
        return sum(-(-bits // 8) for bits in (self.n_rows, self.n_columns, self.n_units))

    def read(self, data: bytes) -> Parts:
        """The bitmaps themselves. Raises CorruptDataError where they are cut off."""
        require(len(data) >= self.nbytes, "the payload ends inside the bitmaps")
        found: list[Bits | None] = []
        begin = 0
        for n_bits in (self.n_rows, self.n_columns, self.n_units):
            end = begin + -(-n_bits // 8)
            bits = np.unpackbits(np.frombuffer(data[begin:end], np.uint8), bitorder="big")
            require(not bits[n_bits:].any(), "a bit is set after the end of a bitmap")
            found.append(bits[:n_bits].astype(bool) if n_bits else None)
            begin = end
        rows, columns, classes = found
        return Parts(self.R, rows, columns, self.U, classes)


def swap(x: Int8Array, second: Bits) -> Int8Array:
    """Exchange elements so that the first class comes first; the same again undoes it."""
    n_first = int(np.count_nonzero(~second))
    i = np.flatnonzero(second[:n_first])
    k = n_first + np.flatnonzero(~second[n_first:])
    x = x.copy()
    x[i], x[k] = x[k], x[i]
    return x


# Parameters ---------------------------------------------------------------------------------------


def pack_bits(bits: Bits | None) -> bytes:
    """A bitmap, most significant bit first; nothing where there is none."""
    return b"" if bits is None else np.packbits(bits, bitorder="big").tobytes()


def parameters(parts: Parts | None, prediction: Prediction | None) -> list[int]:
    """The integers that the header holds for the transforms."""
    fields = []
    if parts is not None:
        present = (parts.rows, parts.columns, parts.classes)
        fields.append(sum(1 << bit for bit, bits in enumerate(present) if bits is not None))
        if parts.rows is not None:
            fields.append(parts.R)
        if parts.columns is not None:
            fields.append(parts.columns.size)
        if parts.classes is not None:
            fields += [parts.U, parts.classes.size]
    return fields + list(prediction or ())


def bitmaps(parts: Parts | None) -> bytes:
    """The stream of bitmaps that a payload starts with, without alignment."""
    if parts is None:
        return b""
    return b"".join(map(pack_bits, (parts.rows, parts.columns, parts.classes)))


def read_layout(take: Callable[[], int], n_elements: int) -> Layout:
    """Take the parameters of live parts, one after the other.

    Raises
    ------
    CorruptDataError
        Where one of them is outside its limits.
    """
    N = n_elements
    R = C = U = P = 0
    present = take()
    require(1 <= present <= ROWS | COLUMNS | CLASSES, f"live parts {present}")
    if present & ROWS:
        R = take()
        require(1 <= R < N and N % R == 0, f"rows of {R} in {N} elements")
    if present & COLUMNS:
        C = take()
        within = R or N
        require(2 <= C <= within and within % C == 0, f"{C} columns in rows of {within}")
    if present & CLASSES:
        U, P = take(), take()
        require(U >= 1 and P >= 2 and U * P <= N, f"{P} units of {U} in {N} elements")
    return Layout(R, N // R if R else 0, C, U, P)


def read_prediction(take: Callable[[], int], n_elements: int) -> Prediction:
    """Take the parameters of a prediction, as `read_layout` does."""
    prediction = Prediction(take(), take(), take())
    prediction.check(n_elements)
    return prediction


def require(condition: bool, met: str) -> None:
    """Raise CorruptDataError with what was met unless the condition holds."""
    if not condition:
        raise CorruptDataError(f"not a valid blob: {met}")
