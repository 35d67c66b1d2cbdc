# SPDX-License-Identifier: Apache-2.0
"""Random tensors of many kinds, and random ways to pack them, by a generator of numbers alone."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stridepack.formats import formats, get_format
from stridepack.formats.base import Option
from stridepack.groups import ORDERS
from stridepack.transforms import Transforms
from stridepack.transforms.apply import Live, Prediction

Int8Array = npt.NDArray[np.int8]
Rng = np.random.Generator


class Case(NamedTuple):
    """A tensor and how it is packed."""

    values: Int8Array
    format: str
    tile: int | None
    transforms: Transforms
    options: dict[str, Any]

    def __str__(self) -> str:
        live, prediction = self.transforms.live, self.transforms.prediction
        parameters = live.parameters() if live else None
        return (
            f"{self.format} {self.values.shape} tile={self.tile} live={parameters} {prediction} "
            f"{self.options}"
        )


def random_case(rng: Rng) -> Case:
    """A tensor of at most some thousand elements, mostly fewer, in any format."""
    format = str(rng.choice(formats()))
    flat = _tensor(rng, _size(rng))
    transforms = Transforms()
    if flat.size >= 4 and rng.random() < 0.4:
        transforms = _transforms(rng, flat)
    values = flat.reshape(_shape(rng, flat.size))
    tile = None
    if rng.random() < 0.5:
        tile = int(rng.choice([1, 7, 16, 100, 255, 256, 257, max(1, flat.size - 1), flat.size + 1]))
        tile = max(tile, flat.size // 40)  # hundreds of tiles take long and tell no more
    options = {
        option.name: _option(rng, option)
        for option in get_format(format).options
        if rng.random() < 0.5
    }
    return Case(values, format, tile, transforms, options)


def _size(rng: Rng) -> int:
    kind = rng.integers(10)
    if kind < 3:
        return int(rng.integers(0, 41))
    if kind < 5:
        return int(rng.choice([255, 256, 257, 511, 512, 513, 1023, 1024, 1025]))
    return int(rng.integers(41, 700 if kind < 9 else 6000))


def _tensor(rng: Rng, n: int) -> Int8Array:
    """Values of one kind and zeros of another."""
    values = _VALUES[rng.integers(len(_VALUES))](rng, n)
    zero = _ZEROS[rng.integers(len(_ZEROS))](rng, n)
    return np.where(zero, 0, values.round().clip(-128, 127)).astype(np.int8)


def _ones(period: int, n: int) -> npt.NDArray[np.bool_]:
    return np.arange(n) % period == 0


_VALUES: list[Callable[[Rng, int], Any]] = [
    lambda rng, n: rng.integers(-128, 128, n),
    lambda rng, n: rng.normal(rng.integers(-20, 20), rng.choice([0.4, 2, 10, 40]), n),
    lambda rng, n: rng.laplace(0, rng.choice([0.4, 2, 10, 40]), n),
    lambda rng, n: np.full(n, rng.choice([-128, -1, 1, 7, 127])),
    lambda rng, n: rng.choice(rng.integers(-128, 128, rng.integers(2, 20)), n),  # clusters
    lambda rng, n: np.repeat(rng.integers(-128, 128, n), rng.integers(1, 50))[:n],  # runs
    lambda rng, n: 100 * np.sin(np.arange(n) / rng.uniform(0.5, 30)) + rng.normal(0, 2, n),
    lambda rng, n: np.cumsum(rng.integers(-3, 4, n)),
    lambda rng, n: np.resize(rng.integers(-128, 128, rng.integers(1, 65)), n),  # a period
]

_ZEROS: list[Callable[[Rng, int], Any]] = [
    lambda rng, n: np.zeros(n, bool),
    lambda rng, n: rng.random(n) < rng.choice([0.1, 0.5, 0.7, 0.9, 0.98, 1]),
    lambda rng, n: ~_ones(int(rng.integers(1, 300)), n),  # every so many elements
    lambda rng, n: rng.permuted(  # N of M
        np.resize(np.arange(4) < rng.integers(1, 4), (n // 4 + 1, 4)), axis=1
    ).reshape(-1)[:n],
    lambda rng, n: np.repeat(rng.random(n) < 0.6, rng.integers(2, 400))[:n],  # blocks
    lambda rng, n: np.resize(rng.random(rng.integers(1, 65)) < 0.5, n),  # dead columns
    lambda rng, n: rng.random(n) < np.linspace(0, 1, n),
]


def _shape(rng: Rng, n: int) -> tuple[int, ...]:
    if n == 1 and rng.random() < 0.5:
        return ()
    shape = [n]
    for _ in range(rng.integers(0, 8)):
        last = shape.pop()
        factor = int(rng.choice([f for f in (1, 2, 3, 4, 5, 7, 8, 16) if last % f == 0]))
        shape += [factor, last // factor] if last else [int(rng.integers(0, 4)), 0]
    return tuple(int(size) for size in rng.permutation(shape))


def _option(rng: Rng, option: Option) -> Any:
    if option.name == "strides":
        begin = int(rng.integers(1, 200))
        step, count = int(rng.integers(1, 8)), int(rng.integers(0, 24))
        return list(range(begin, min(begin + step * count, begin + 255), step))
    if option.name == "sizes":
        return [int(size) for size in rng.choice(np.arange(1, 33), rng.integers(0, 6), False)]
    if option.name == "occupancy":
        return float(rng.choice([0, 0.3, 0.5, 0.8, 1]))
    if option.kind == "choice":
        return str(rng.choice(option.choices or ORDERS))
    return int(rng.integers(option.least, min(option.most, 1000), endpoint=True))


def _transforms(rng: Rng, flat: Int8Array) -> Transforms:
    """Any that fit. What they say is dead becomes 0."""
    n = flat.size

    def bits(count: int) -> npt.NDArray[np.bool_]:
        return rng.random(count) < rng.choice([0, 0.5, 0.9, 1])

    # As many rows as there are begun, and columns that divide a row.
    lengths = [k for k in range(2, min(n, 200)) if n % k == 0 and n // k >= 2]
    fields: dict[str, Any] = {}
    if lengths and rng.random() < 0.4:
        fields["row"] = int(rng.choice(lengths))
        fields["rows"] = bits(n // fields["row"])
    columns = [k for k in lengths if fields.get("row", k) % k == 0]
    if columns and rng.random() < 0.4:
        fields["columns"] = bits(int(rng.choice(columns)))
    if rng.random() < 0.4:
        fields["unit"] = int(rng.integers(1, n // 2, endpoint=True))
        fields["classes"] = bits(int(rng.integers(2, n // fields["unit"], endpoint=True)))
    live = Live(**fields) if fields else None
    if live is not None:
        flat[~live.mask(0, n)] = 0
    prediction = None
    if rng.random() < 0.5:
        distances = [int(rng.integers(1, min(n, int(rng.choice([9, n]))))) for _ in range(2)]
        prediction = Prediction(int(rng.integers(0, 5)), *distances)
    return Transforms(live, prediction)


def changed(blob: bytes, other: bytes, rng: random.Random) -> bytes:
    """A blob with some bytes changed, cut off, or taken from another one."""
    data = bytearray(blob)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        kind = rng.random()
        # What other bytes depend on comes first: mostly these are changed.
        at = rng.randrange(min(len(data), rng.choice((16, 32, 64, len(data)))))
        if kind < 0.45:
            data[at] = rng.choice((0, 1, 2, 127, 128, 254, 255, rng.randrange(256)))
        elif kind < 0.6:
            data[at] ^= 1 << rng.randrange(8)
        elif kind < 0.7:
            data[at] = (data[at] + rng.choice((-4, -1, 1, 4))) % 256
        elif kind < 0.8:
            data[at : at + 4] = rng.choice((0, 1, 4, 1 << 16, (1 << 32) - 1)).to_bytes(4, "little")
        elif kind < 0.9:
            part = other[rng.randrange(len(other)) :][: rng.randrange(1, 40)]
            data[at : at + len(part)] = part
        else:
            del data[len(data) - 4 * rng.randrange(1, 4) :]
            data += bytes(4 * rng.randrange(3))
        data = data.ljust(16, b"\0")
    return bytes(data)
