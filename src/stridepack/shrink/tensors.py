# SPDX-License-Identifier: Apache-2.0
"""What became of each int8 tensor of a model, for the tables."""

from collections.abc import Sequence

import numpy as np

from stridepack.plan.rules import SMALL
from stridepack.shrink.allocate import Candidate, Table
from stridepack.shrink.build import Builder
from stridepack.shrink.rate import Rate
from stridepack.shrink.result import ShrunkTensor
from stridepack.tensor import WeightTensor

TOO_SMALL = f"it has fewer than {SMALL:,} elements, so it gets no step of its own"
_NO_EFFECT = "the outputs do not depend on it"


def shrunk_tensors(
    before: Sequence[WeightTensor],
    after: Sequence[WeightTensor],
    *,
    builder: Builder,
    table: Table,
    steps: Sequence[float],
    rate: Rate,
) -> list[ShrunkTensor]:
    """One entry for each tensor, in the order of the model.

    Parameters
    ----------
    before, after : sequence of WeightTensor
        The same tensors in both models.
    builder : Builder
    table : list of list of Candidate
    steps : sequence of float
        Both for the layers of the builder.
    rate : Rate
    """
    layers = {layer.name: i for i, layer in enumerate(builder.layers)}
    chosen = [
        next(c for c in candidates if c.step == step)
        for candidates, step in zip(table, steps, strict=True)
    ]
    total = sum(candidate.error for candidate in chosen)

    def entry(old: WeightTensor, new: WeightTensor) -> ShrunkTensor:
        i = layers.get(old.name)
        candidate = Candidate(1, 0, 0.0) if i is None else chosen[i]
        return ShrunkTensor(
            name=old.name,
            n_elements=old.size,
            step=candidate.step,
            n_zeros_before=old.size - old.n_non_zero,
            n_zeros=new.size - new.n_non_zero,
            nbytes_before=_nbytes(old, builder, rate),
            nbytes=_nbytes(new, builder, rate),
            error_share=candidate.error / total if total else 0.0,
            note=_note(old, builder, table, i),
        )

    return [entry(old, new) for old, new in zip(before, after, strict=True)]


def why_nothing(builder: Builder) -> str:
    """Why a model has no layer that can be shrunk."""
    reasons = [f"{name}: {reason}" for name, reason in builder.obstacles.items()]
    reasons += [f"{layer.name}: {TOO_SMALL}" for layer in builder.draft.layers]
    return "no tensor of it can be shrunk. " + "; ".join(reasons) + "."


def _nbytes(tensor: WeightTensor, builder: Builder, rate: Rate) -> int:
    entry = builder.draft.entry(tensor.name)
    return rate.of_tensor(np.ascontiguousarray(tensor.values), entry)


def _note(tensor: WeightTensor, builder: Builder, table: Table, i: int | None) -> str:
    if i is not None:
        return _NO_EFFECT if len(table[i]) == 1 else ""
    return builder.obstacles.get(tensor.name, TOO_SMALL)
