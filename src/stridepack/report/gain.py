# SPDX-License-Identifier: Apache-2.0
"""Nothing or little gained: why."""

from collections.abc import Sequence

from stridepack.files.kinds import kind_of
from stridepack.files.pack import PackResult
from stridepack.files.spk import bundle_overhead
from stridepack.tensor import Described

# Below these shares of the weights, nothing or little is said to be gained.
_NOTHING = 0.01
_LITTLE = 0.1

# With fewer zeros than this, nobody has pruned.
_PRUNED = 0.1


def pack_gain_sentences(result: PackResult) -> list[str]:
    """`no_gain_sentences` for what `pack_file` did: for one .spk, also whether it is larger."""
    tensors = [stored.tensor for stored in result.tensors]
    nbytes = sum(stored.nbytes for stored in result.tensors)
    bundles = [size for path, size in result.files.items() if kind_of(path) == ".spk"]
    if len(bundles) != 1:
        return no_gain_sentences(tensors, nbytes)
    (size,) = bundles
    nameless = None
    if len(result.files) == 1:  # a file without names has a header beside it
        names = [tensor.name for tensor in tensors]
        nameless = size - bundle_overhead(names) + bundle_overhead(names, names=False)
    return no_gain_sentences(tensors, nbytes, file_nbytes=size, nameless_nbytes=nameless)


def no_gain_sentences(
    tensors: Sequence[Described],
    nbytes: int,
    *,
    file_nbytes: int | None = None,
    nameless_nbytes: int | None = None,
) -> list[str]:
    """What is said where packing saves next to nothing; nothing where it does.

    Parameters
    ----------
    tensors : sequence of WeightTensor or TensorCounts
        All tensors of a model.
    nbytes : int
        What they take together when they are packed.
    file_nbytes : int, optional
        What the packed file takes, if it holds nothing but the tensors.
    nameless_nbytes : int, optional
        What it would take without the names of the tensors, if that is possible.
    """
    n = sum(tensor.size for tensor in tensors)
    if n == 0:
        return []
    if file_nbytes is not None and file_nbytes > n:
        larger = _larger(n, nbytes, file_nbytes, nameless_nbytes)
        return larger if nbytes < (1 - _LITTLE) * n else [*larger, *_why(tensors, "nothing")]
    if nbytes < (1 - _LITTLE) * n:
        return []
    return _why(tensors, "little" if nbytes < (1 - _NOTHING) * n else "nothing")


def _larger(n: int, nbytes: int, file_nbytes: int, nameless_nbytes: int | None) -> list[str]:
    """What is said of a file that is larger than the weights in it."""
    beside = file_nbytes - nbytes
    said = (
        f"The packed file takes {file_nbytes:,} bytes. The weights take {n:,} bytes as they are, "
        f"so the file is larger. The packed tensors take {nbytes:,} bytes of it, and the table of "
        f"tensors{'' if nameless_nbytes is None else ' with their names'} takes {beside:,}."
    )
    if nameless_nbytes is None or nameless_nbytes >= file_nbytes:
        return [said]
    than = "less" if nameless_nbytes < n else "not less"
    return [
        f"{said} With `--no-names` the file takes {nameless_nbytes:,} bytes, which is {than} than "
        "the weights take."
    ]


def _why(tensors: Sequence[Described], gained: str) -> list[str]:
    """Why so little is gained, by the zeros and the zero points."""
    n = sum(tensor.size for tensor in tensors)
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
