# SPDX-License-Identifier: Apache-2.0
"""What is decoded, by workload: tensors with names. Everything is made from one seed.

"resnet8" is what docs/benchmarks.md shows. With "lengths", "channels" and "narrow" it is also what
fit.py fits costs to: lengths that are no multiple of any vector or block, channels that are dead,
of which ResNet8's tensors have none, weights of 1 to 6 bits, and, as "regular", tensors that no
network has, such as constant ones. "shapes", "structured" and "tiles" are what no fit has seen, and
neither are models.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from networks import Shape, pruned_weights, resnet8

import stridepack as sp
from stridepack.plan.rules import SMALL

Int8Array = npt.NDArray[np.int8]

SPARSITIES = tuple(i / 10 for i in range(10))
FITTED = ("resnet8", "lengths", "channels", "narrow", "regular")
LENGTHS = (2077, 3001, 5003, 9210, 18429)
SHAPES: tuple[Shape, ...] = (
    *((2048,), (2049,), (3000,), (10, 256), (128, 640), (1, 3, 3, 300), (49, 7, 11)),
    *((64, 10, 4, 1), (96, 1, 1, 480)),
)


@dataclass
class Workload:
    """Named tensors that are counted together, and their sparsity (of all of them)."""

    name: str
    sparsity: float
    tensors: dict[str, Int8Array]
    tile: int | None = None


def synthetic(seed: int) -> Iterator[Workload]:
    """All workloads but the models."""
    for sparsity in SPARSITIES:
        rng = np.random.default_rng(seed)
        weights = [pruned_weights(shape, sparsity, rng) for shape in resnet8()]
        yield Workload("resnet8", sparsity, {f"conv{i}": w for i, w in enumerate(weights)})
    rng = np.random.default_rng([seed, 1])
    for sparsity in (0.0, 0.2, 0.5, 0.8, 0.95):
        tensors = {f"{n}": pruned_weights((n,), sparsity, rng) for n in LENGTHS}
        yield Workload("lengths", sparsity, tensors)
    for sparsity in (0.2, 0.5, 0.8, 0.95):
        tensors = {f"conv{i}": channels(shape, sparsity, rng) for i, shape in enumerate(resnet8())}
        yield Workload("channels", sparsity, tensors)
    for sparsity in (0.1, 0.4, 0.6, 0.85, 0.95):
        tensors = {"x".join(map(str, s)): pruned_weights(s, sparsity, rng) for s in SHAPES}
        yield Workload("shapes", sparsity, tensors)
    for sparsity in (0.3, 0.5, 0.75, 0.9):
        yield Workload("structured", sparsity, structured(sparsity, rng))
    for sparsity in (0.3, 0.6, 0.9):
        tensors = {f"{n}": pruned_weights((n,), sparsity, rng) for n in (10_000, 73_728)}
        yield Workload("tiles", sparsity, tensors, tile=4096)
    rng = np.random.default_rng([seed, 2])
    for sparsity in (0.0, 0.4, 0.8):
        weights = [pruned_weights((n,), sparsity, rng) for n in (3001, 18429)]
        tensors = {
            f"{w.size}_{bits}_bits": narrow(w, bits) for w in weights for bits in range(1, 7)
        }
        yield Workload("narrow", sparsity, tensors)
    rng = np.random.default_rng([seed, 4])
    tensors = {f"{n}_{name}": w for n in (3001, 18429) for name, w in regular(n, rng).items()}
    n_zeros = sum(int(np.count_nonzero(w == 0)) for w in tensors.values())
    yield Workload("regular", n_zeros / sum(w.size for w in tensors.values()), tensors)


def channels(shape: Shape, sparsity: float, rng: np.random.Generator) -> Int8Array:
    """Some channels are dead, and the same share of the weights of the others is 0."""
    half = 1 - (1 - sparsity) ** 0.5
    weights = pruned_weights(shape, half, rng)
    weights[rng.permutation(shape[0])[: round(half * shape[0])]] = 0
    return weights


def regular(n: int, rng: np.random.Generator) -> dict[str, Int8Array]:
    """Of few values, or none but 0, and at regular places: what formats have short ways for."""
    made = {f"every_{step}": np.zeros(n, np.int8) for step in (2, 5, 11, 60, n)}
    for step, values in zip((2, 5, 11, 60, n), made.values(), strict=True):
        values[step // 2 :: step] = 3
    return made | {
        "zeros": np.zeros(n, np.int8),
        "constant": np.full(n, -7, np.int8),
        "random_places": 9 * rng.integers(0, 2, n).astype(np.int8),
        "few_random_places": 9 * (rng.random(n) < 0.04).astype(np.int8),
        "two_values": 2 * rng.integers(0, 2, n).astype(np.int8) - 1,
        "ramp": np.arange(n).astype(np.int8),
    }


def narrow(weights: Int8Array, bits: int) -> Int8Array:
    """Magnitudes in steps of 1 to 2^(bits - 1); what is not 0 stays so."""
    magnitudes = np.abs(weights.astype(np.int64)) >> (8 - bits)
    return (np.sign(weights) * np.maximum(magnitudes, 1)).astype(np.int8)


def structured(sparsity: float, rng: np.random.Generator) -> dict[str, Int8Array]:
    """Zeros in blocks, at regular places, denser in some channels than in others, or at one end."""
    shape = (64, 576)

    def weights() -> Int8Array:
        return pruned_weights(shape, 0.0, rng)

    blocks = {}
    for size in (4, 16):
        blocks[size] = weights().reshape(-1, size)
        blocks[size][rng.random(len(blocks[size])) < sparsity] = 0
    n_of_8 = weights().reshape(-1, 8)
    n_of_8[np.argsort(rng.random(n_of_8.shape)) < round(8 * sparsity)] = 0
    uneven = weights()
    density = rng.random((shape[0], 1)) ** (sparsity / (1 - sparsity))
    uneven[rng.random(shape) > density] = 0
    columns = weights()
    columns[:, rng.random(shape[1]) < sparsity] = 0
    tail = weights()
    tail[round(shape[0] * (1 - sparsity)) :] = 0
    return {
        "blocks_4": blocks[4].reshape(shape),
        "blocks_16": blocks[16].reshape(shape),
        "n_of_8": n_of_8.reshape(shape),
        "uneven": uneven,
        "columns": columns,
        "tail": tail,
    }


def model(path: Path, largest: int) -> Workload:
    """The tensors of a .tflite file that `stridepack pack` would pack.

    Raises
    ------
    ValueError
        Where there is none, or one has more than `largest` elements.
    """
    tensors = [t for t in sp.read_tflite(path) if t.size >= SMALL]
    for tensor in tensors:
        if tensor.size > largest:
            raise ValueError(
                f"{path}: tensor {tensor.name!r} has {tensor.size:,} weights; the firmware has "
                f"room for {largest:,} in DTCM: leave the model out"
            )
    if not tensors:
        raise ValueError(f"{path}: no tensor of {SMALL} weights or more")
    n_zeros = sum(t.size - t.n_non_zero for t in tensors)
    sparsity = n_zeros / sum(t.size for t in tensors)
    return Workload(path.stem, sparsity, {t.name: np.ascontiguousarray(t.values) for t in tensors})
