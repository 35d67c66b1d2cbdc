# SPDX-License-Identifier: Apache-2.0
"""What `shrink --json` or `shrink --curve FILE.json` said of a model, for its report."""

import json
import math
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from stridepack.errors import InputError, ModelError, reason
from stridepack.tensor import WeightTensor

Record = dict[str, Any]

# What a record must have, and whether its value may be null.
_POINT = {"nbytes": False, "snr": True, "agreement": True, "accuracy": True}
_TENSOR = {
    "step": False,
    "error_share": False,
    "n_zeros_before": False,
    "n_zeros": False,
    "nbytes_before": False,
    "nbytes": False,
}


def read_shrink(path: Path, model: Path, tensors: Sequence[WeightTensor]) -> Record:
    """The file, checked against the shrunk model.

    Raises
    ------
    ModelError
        When the file cannot be read, or holds something else.
    InputError
        When it is about another model than this one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        shrunk = _of(content)
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{path}: it does not hold what `stridepack shrink --json` prints."
        ) from error
    _check_model(path, shrunk, model, tensors)
    return shrunk


def _of(content: Any) -> Record:
    """The same with what the page needs, and nothing else."""
    points = [_numbers(point, _POINT) for point in content["points"]]
    beside = [content["smaller"], content["larger"]]
    points += [_numbers(point, _POINT) for point in beside if point is not None]
    shrunk = {
        "packed_as": str(content["packed_as"]),
        "held_back": int(content["held_back"]),
        "before": _numbers(content["before"], _POINT),
        "after": _numbers(content["after"], _POINT),
        "points": _distinct(points),
        "tensors": {
            str(tensor["name"]): _numbers(tensor, _TENSOR) | {"note": str(tensor["note"])}
            for tensor in content["tensors"]
        },
    }
    return shrunk


def _numbers(record: Any, keys: dict[str, bool]) -> Record:
    values = {key: record[key] for key in keys}
    for key, value in values.items():
        if value is None and keys[key]:
            continue
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise TypeError(key)
    return values


def _distinct(points: Iterable[Record]) -> list[Record]:
    """Each size once, from the largest to the smallest."""
    of_size = {point["nbytes"]: point for point in points}
    return [of_size[nbytes] for nbytes in sorted(of_size, reverse=True)]


def _check_model(path: Path, shrunk: Record, model: Path, tensors: Sequence[WeightTensor]) -> None:
    for tensor in tensors:
        record = shrunk["tensors"].get(tensor.name)
        if record is None:
            raise InputError(
                f"{path}: it says nothing of {tensor.name}, which is a tensor of {model}. Give "
                "the model that `shrink` wrote."
            )
        n_zeros = tensor.size - tensor.n_non_zero
        if record["n_zeros"] != n_zeros:
            raise InputError(
                f"{path}: {tensor.name} has {record['n_zeros']:,} zeros there, and {n_zeros:,} in "
                f"{model}. Give the model that `shrink` wrote, not the one before."
            )
