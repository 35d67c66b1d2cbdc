# SPDX-License-Identifier: Apache-2.0
"""What the tables and figures show, computed from weights and from committed results."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import stridepack as sp
from experiments.networks import RECIPES, TITLES
from stridepack.plan.measure import in_every_format
from stridepack.tflite.constants import parse_tflite

Weights = npt.NDArray[np.int8]
Sizes = Mapping[tuple[float, int], Mapping[str, int]]  # by sparsity and seed

RESULTS = Path("experiments/results")
POST_TRAINING, TRAINED = "post-training", "trained on the grid"  # methods of *_shrink.json
TENSORS = Path("bench/m55/tensors.json")
GROUP_SIZES = (16, 12, 8, 4)
LANES = 16  # elements of a SIMD run


def points(curve: str) -> list[dict[str, Any]]:
    """The records of a curve, such as "resnet8_cifar10"; empty while there are none."""
    file = RESULTS / f"{curve}.json"
    return json.loads(file.read_text())["points"] if file.exists() else []


def curves() -> dict[str, str]:
    """The curves that have records, and their networks, in the order of Table I.

    The records of `shrink` are beside them, and have no recipe of the paper.
    """
    files = [file.stem for network in TITLES for file in sorted(RESULTS.glob(f"{network}_*.json"))]
    return {
        name: network_of(name)
        for name in files
        if "paper_recipe" in json.loads((RESULTS / f"{name}.json").read_text())
    }


def network_of(curve: str) -> str:
    """The network of a curve."""
    return next(network for network in TITLES if curve.startswith(f"{network}_"))


def dataset_of(curve: str) -> str:
    """The data set of a curve."""
    return curve.removeprefix(f"{network_of(curve)}_").split("_")[0]


def accuracy_of(points: Sequence[dict[str, Any]]) -> dict[float, float]:
    """The accuracy at each sparsity, the mean over the seeds."""
    return mean_by_sparsity((p["sparsity"], p["accuracy"]) for p in points)


def model_of(point: dict[str, Any]) -> bytes:
    """The .tflite of a point; some are committed as .tflite.xz."""
    data = (RESULTS / point["tflite"]).read_bytes()
    return lzma.decompress(data) if point["tflite"].endswith(".xz") else data


def pruned_tensors(point: dict[str, Any], network: str) -> list[Weights]:
    """The weights of a point's .tflite that were pruned, flat, in the order of the file."""
    return pruned_tensors_of(model_of(point), point["tflite"], network)


def pruned_tensors_of(tflite: bytes, file: str, network: str) -> list[Weights]:
    """`pruned_tensors`, from the content of the file."""
    recipe = RECIPES[network]
    return [
        t.values.reshape(-1)
        for t in parse_tflite(tflite, file)
        if t.size > recipe.larger_than and t.name.removesuffix(".weight") not in recipe.exclude
    ]


def sizes(tensors: Sequence[Weights]) -> dict[str, int]:
    """Payload bytes in every format, and "entropy_bound": the tensors' zero-order entropies."""
    named = [sp.WeightTensor("", values) for values in tensors]
    every = in_every_format(named, lambda packed: packed.payload_nbytes)
    total = {name: sum(of[name] for of in every) for name in sp.formats()}
    return total | {"entropy_bound": round(sum(tensor.entropy_nbytes for tensor in named))}


def smallest(tensors: Sequence[Weights]) -> int:
    """Payload bytes when each tensor has its smallest format."""
    return sum(sp.pack(values, "auto").payload_nbytes for values in tensors)


def sizes_of(point: dict[str, Any], network: str) -> dict[str, int]:
    """Sizes of a point's pruned tensors; as recorded where its file is not committed."""
    if (RESULTS / point["tflite"]).exists():
        return sizes(pruned_tensors(point, network))
    recorded: dict[str, int] = point["payload_nbytes"]
    return recorded


def with_zeros(tensors: Sequence[Weights], fraction: float) -> list[Weights]:
    """The tensors, flat, with at least this fraction of zeros: the smallest weights become 0."""
    rng = np.random.default_rng(0)
    changed = []
    for values in tensors:
        flat = values.copy().reshape(-1)
        by_size = np.lexsort((rng.random(flat.size), np.abs(flat.astype(np.int16))))
        flat[by_size[: round(fraction * flat.size)]] = 0
        changed.append(flat)
    return changed


def mean_by_sparsity(entries: Iterable[tuple[float, float]]) -> dict[float, float]:
    """The mean over seeds of what was met at each sparsity."""
    values: dict[float, list[float]] = {}
    for sparsity, value in sorted(entries):
        values.setdefault(sparsity, []).append(value)
    return {sparsity: float(np.mean(some)) for sparsity, some in values.items()}


def sizes_by_sparsity(sizes: Sizes, format: str) -> dict[float, float]:
    """The size in a format at each sparsity, the mean over the seeds."""
    return mean_by_sparsity((sparsity, of[format]) for (sparsity, _), of in sizes.items())


# --- Appendix A: groups and remainder ------------------------------------------------------------


def grouped(tensors: Sequence[Weights], occupancy: float = 0.8) -> dict[str, int]:
    """Non-zeros in groups of each size ("16", "12", ...) and in the "remainder"; "groups_16", ...

    and "padding", the slots of groups without a non-zero of their own.
    """
    counts = dict.fromkeys([*map(str, GROUP_SIZES), "remainder", "padding"], 0)
    counts |= {f"groups_{size}": 0 for size in GROUP_SIZES}
    for values in tensors:
        mask = values != 0
        found = sp.find_groups(mask, sizes=GROUP_SIZES, occupancy=occupancy)
        left = mask.copy()
        for size, stride, start in zip(found.size, found.stride, found.start, strict=True):
            members = start + stride * np.arange(size)
            own = int(left[members].sum())
            left[members] = False
            counts[str(size)] += own
            counts["padding"] += int(size) - own
            counts[f"groups_{size}"] += 1
        if not np.array_equal(left, found.remainder):
            raise AssertionError("groups and remainder do not make up the tensor")
        counts["remainder"] += int(left.sum())
    return counts


# --- Appendix B: residuals of the linear prediction -----------------------------------------------


def residuals(tensors: Sequence[Weights]) -> dict[int, int]:
    """How often each error between a run's actual and evenly spaced positions occurs.

    A run has 16 non-zeros; its prediction is a line with the tensor's slope m (Eq. 1), laid
    through the middle of the run's errors, and rounded.
    """
    histogram: dict[int, int] = {}
    for values in tensors:
        positions = np.flatnonzero(values)
        k = positions.size
        slope = (values.size + k // 2) // k
        runs = positions[: k // LANES * LANES].reshape(-1, LANES)
        errors = runs - slope * np.arange(LANES)
        errors = np.rint(errors - errors.mean(axis=1, keepdims=True)).astype(int)
        for error, count in zip(*np.unique(errors, return_counts=True), strict=True):
            histogram[int(error)] = histogram.get(int(error), 0) + int(count)
    return dict(sorted(histogram.items()))


# --- Appendix C: the occupancy threshold ----------------------------------------------------------


def occupancy_effect(tensors: Sequence[Weights], occupancy: float) -> dict[str, Any]:
    """Where non-zeros and overhead go; "overhead" is bytes beyond one for each non-zero."""
    counts = grouped(tensors, occupancy)
    nbytes = sum(sp.pack(v, "hybrid", occupancy=occupancy).payload_nbytes for v in tensors)
    n = sum(int(np.count_nonzero(v)) for v in tensors)
    groups = {
        str(size): {
            "non_zeros": counts[str(size)],
            "overhead": counts[f"groups_{size}"] * (size + 1.5) - counts[str(size)],
        }
        for size in GROUP_SIZES
    }
    in_groups = sum(part["non_zeros"] + part["overhead"] for part in groups.values())
    groups["remainder"] = {
        "non_zeros": counts["remainder"],
        "overhead": nbytes - in_groups - counts["remainder"],
    }
    return {"parts": groups, "nbytes": nbytes, "non_zeros": n, "overhead": nbytes / n - 1}


# --- decoding -------------------------------------------------------------------------------------


def decode_cycles_by_tensor(sparsity: float) -> dict[str, dict[str, float]]:
    """Estimated cycles with Helium of each of ResNet8's tensors, by format."""
    cycles: dict[str, dict[str, float]] = {}
    for format, data in json.loads(TENSORS.read_text()).items():
        for row in data["rows"]:
            of = dict(zip(data["columns"], row, strict=False))  # behind them are other counts
            if (of["workload"], of["sparsity"]) == ("resnet8", sparsity):
                cycles.setdefault(format, {})[str(of["tensor"])] = of["helium_cycles"]
    return cycles
