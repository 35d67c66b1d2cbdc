# SPDX-License-Identifier: Apache-2.0
"""Nothing or little gained: why."""

from collections.abc import Sequence

from stridepack.tensor import Described

# Below these shares of the weights, nothing or little is said to be gained.
_NOTHING = 0.01
_LITTLE = 0.1

# With fewer zeros than this, nobody has pruned.
_PRUNED = 0.1


def no_gain_sentences(tensors: Sequence[Described], nbytes: int) -> list[str]:
    """What is said where packing saves next to nothing; nothing where it does.

    Parameters
    ----------
    tensors : sequence of WeightTensor or TensorCounts
        All tensors of a model.
    nbytes : int
        What they take together when they are packed.
    """
    n = sum(tensor.size for tensor in tensors)
    if nbytes < (1 - _LITTLE) * n or n == 0:
        return []
    gained = "little" if nbytes < (1 - _NOTHING) * n else "nothing"
    sparsity = 1 - sum(tensor.n_non_zero for tensor in tensors) / n
    said = f"Packing gains {gained} here: {sparsity:.1%} of the weights are zero"
    if sparsity >= _PRUNED:
        return [f"{said}, but most of them are in tensors that stay dense, or cost what they save."]
    shifted = [tensor for tensor in tensors if tensor.zero_point]
    if sum(tensor.size for tensor in shifted) > n / 2:
        return [
            f"{said}. Most weights are in tensors with a zero point other than 0, so that pruned "
            "ones are not stored as 0. Quantise the weights symmetrically."
        ]
    return [
        f"{said}, so the model is not pruned. Prune it while it is trained (docs/pruning.md), or "
        "let `stridepack shrink` make its weights coarser, with some loss."
    ]
