# SPDX-License-Identifier: Apache-2.0
"""From which two earlier elements an element is predicted best, where it pays."""

import numpy as np
import numpy.typing as npt

from stridepack.transforms.apply import Int8Array, Prediction, residuals
from stridepack.transforms.entropy import counts_of, entropy

_SAMPLES = 1 << 15  # what distances are compared on
_SHORTLIST = 6
_KINDS = (0, 1, 2, 3, 4)
# A decoder restores 16 elements at once, or 4 where one that predicts is nearer. From even nearer
# ones it would take many times as long as the format does.
_NEAREST, _AT_ONCE = 4, 16
_LEAST_OF_NEAR = 0.03  # what a prediction from near ones has to save

_LEAST_CORRELATION = 3.5  # standard deviations, above which a distance may mean something


def find_prediction(values: Int8Array) -> Prediction | None:
    """The best prediction on a sample of the elements, or None where none of them promises much."""
    flat = values.reshape(-1)
    n = flat.size
    if n <= _SAMPLES:
        at = np.arange(n)
    else:  # evenly spread, but in step with nothing
        at = np.unique((np.arange(_SAMPLES) * 0.6180339887498949 % 1 * n).astype(np.int64))
    distances = _shortlist(flat, at, _distances(values.shape))
    best, found = 0.0, None
    for i, distance in enumerate(distances):
        for second in distances[i:]:
            j = at[at >= max(distance, second)]
            if j.size < 64:
                continue
            w, a, b = flat[j], flat[j - distance], flat[j - second]
            plain = entropy(counts_of(w))
            for kind in _KINDS:
                gain = (plain - entropy(counts_of(residuals(w, a, b, kind)))) / at.size
                if distance < _AT_ONCE or second < _AT_ONCE:
                    gain -= _LEAST_OF_NEAR * plain / at.size
                if gain > best:
                    best, found = gain, Prediction(kind, distance, second)
    return found


def _distances(shape: tuple[int, ...]) -> list[int]:
    """Distances to neighbours along the axes, and to equal places of a few channels before."""
    n = int(np.prod(shape))
    inner = shape[-1] if shape else 1
    lengths = np.cumprod(shape[::-1], dtype=np.int64).tolist()
    found = {_NEAREST, 8, _AT_ONCE}
    found |= {length * i for length in lengths for i in range(1, 5)}
    found |= {inner * i for i in range(1, 16)}
    # A fully connected layer after a convolution has its channels innermost.
    for channels in (16, 32, 64, 128, 256):
        if inner > channels and inner % channels == 0:
            found |= {channels * i for i in range(1, 6)}
        if len(shape) == 2 and shape[0] > channels:
            found.add(inner * channels)
    return sorted(distance for distance in found if _NEAREST <= distance <= n // 2)


def _shortlist(flat: Int8Array, at: npt.NDArray[np.int64], distances: list[int]) -> list[int]:
    """The distances at which signs agree, or disagree, most often."""
    signs = np.sign(flat)
    found = []
    for distance in distances:
        j = at[at >= distance]
        product = signs[j] * signs[j - distance]
        count = np.count_nonzero(product)
        if count:
            total = abs(int(product.sum(dtype=np.int64)))
            if total > _LEAST_CORRELATION * count**0.5:
                found.append((-total, distance))
    return [distance for _, distance in sorted(found)[:_SHORTLIST]]
