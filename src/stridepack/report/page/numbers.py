# SPDX-License-Identifier: Apache-2.0
"""The numbers of a report, as one dictionary."""

from collections.abc import Mapping, Sequence
from typing import Any

from stridepack._numbers import total
from stridepack._words import listed
from stridepack.cost import decoder_nbytes, unit_of
from stridepack.files.job import Stored
from stridepack.formats import formats
from stridepack.plan.front import plan_front
from stridepack.plan.measure import Measured
from stridepack.report.page.picture import group_shares, histogram, residuals, zero_pattern

_FASTER = 1.25  # of formats that are hardly larger, one that is so much faster is named
_HARDLY_LARGER = 1.1


def model_numbers(
    model: str,
    measured: Sequence[Measured],
    stored: Mapping[str, Stored],
    target: str,
    *,
    files: Mapping[str, int],
    arena: tuple[int, int] | None = None,
    shrunk: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All that the page shows, ready for JSON.

    Parameters
    ----------
    model : str
        Its name.
    measured : sequence of Measured
        Every tensor in every format, with the cycles of the target.
    stored : mapping of str to Stored
        By name of the tensor, how a packed file has it. Empty: the smallest format for each.
    target : str
    files : mapping of str to int
        Sizes in bytes of the files that the report is about, by their names.
    arena : tuple of int, optional
        Bytes of tensor arena, before and after packing.
    shrunk : mapping, optional
        What `read_shrink` gives, for a model that was shrunk.
    """
    tensors = [_tensor(one, stored.get(one.tensor.name)) for one in measured]
    if shrunk:
        for row in tensors:
            row["shrink"] = shrunk["tensors"][row["name"]]
    used = list(dict.fromkeys(row["format"] for row in tensors))
    # TensorFlow Lite Micro has the decoders of its own encodings.
    memory = [decoder_nbytes(name, target) if name in formats() else None for name in used]
    return {
        "model": model,
        "target": target,
        "unit": unit_of(target),
        "files": dict(files),
        "total": {
            "n_elements": sum(row["n_elements"] for row in tensors),
            "n_zeros": sum(row["n_zeros"] for row in tensors),
            "entropy_nbytes": sum(row["entropy_nbytes"] for row in tensors),
            "nbytes": sum(row["stored_nbytes"] for row in tensors),
            "cycles": total(row["stored_cycles"] for row in tensors),
            "largest_tensor": max((row["n_elements"] for row in tensors), default=0),
            "formats": used,
            "code_nbytes": total(one and one[0] for one in memory),
            "stack_nbytes": None
            if None in memory
            else max((one[1] for one in memory if one), default=0),
            "arena": None if arena is None else {"before": arena[0], "after": arena[1]},
        },
        "front": [
            {"nbytes": p.nbytes, "cycles": round(p.cycles), "formats": _counted(p.formats)}
            for p in plan_front(measured)
        ],
        "shrink": shrunk and {k: value for k, value in shrunk.items() if k != "tensors"},
        "tensors": tensors,
    }


def _tensor(one: Measured, stored: Stored | None) -> dict[str, Any]:
    tensor = one.tensor
    format = stored.format if stored else one.best
    nbytes = stored.nbytes if stored else one.nbytes[one.best]
    return {
        "name": tensor.name,
        "operators": list(tensor.operators),
        "shape": list(tensor.values.shape),
        "dtype": tensor.dtype,
        "zero_point": tensor.zero_point,
        "n_elements": tensor.size,
        "n_zeros": tensor.size - tensor.n_non_zero,
        "entropy_nbytes": round(tensor.entropy_nbytes),
        "format": format,
        "stored_nbytes": nbytes,
        "stored_cycles": _rounded(one.cycles.get(format)),
        "transforms": one.transforms.get(format, []),
        "why": _why(one, format, nbytes, stored.note if stored else one.note),
        "nbytes": one.nbytes,
        "cycles": {name: _rounded(cycles) for name, cycles in one.cycles.items()},
        "histogram": histogram(tensor),
        "zeros": zero_pattern(tensor),
        "groups": group_shares(tensor),
        "residuals": residuals(tensor),
    }


def _why(one: Measured, format: str, nbytes: int, note: str) -> str:
    """A sentence: what speaks for this format."""
    if note:
        return f"It stays dense: {note}." if format == "dense" else f"{note}."
    if format not in one.nbytes:
        return f"TensorFlow Lite Micro decodes {format} by itself."
    smallest = min(one.nbytes, key=one.nbytes.__getitem__)
    more = nbytes - one.nbytes[smallest]
    # A blob in a .tflite has a shorter header, so it may take less than the smallest one measured.
    said = (
        f"{format} is the smallest format."
        if format == smallest or more <= 0
        else f"{smallest} would take {more:,} bytes less."
    )
    cycles = one.cycles.get(format)
    near = [
        name
        for name, other in one.cycles.items()
        if cycles is not None
        and other is not None
        and other * _FASTER < cycles
        and one.nbytes[name] <= nbytes * _HARDLY_LARGER
        and name != format
    ]
    if near:
        said += f" At most 10 % larger, and faster: {listed(near, 'and')}."
    return said


def _counted(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in formats() if name in names}


def _rounded(cycles: float | None) -> int | None:
    return None if cycles is None else round(cycles)
