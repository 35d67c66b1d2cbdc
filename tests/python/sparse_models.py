# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite's sparse encoding, written by tests: the way back is what is tested."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tflite_models import Array, schema


def sparsify(
    values: Array,
    order: Sequence[int] = (),
    *,
    sparse_levels: Sequence[int] = (),
    blocks: Sequence[tuple[int, int]] = (),
) -> tuple[Array, Any]:
    """The stored elements of a tensor, and its sparsity.

    Parameters
    ----------
    values : ndarray
    order : sequence of int
        In which the dimensions are stored, those of blocks last.
    sparse_levels : sequence of int
        The positions in `order` that are sparse. Default: the last one that is not of a block.
    blocks : sequence of (int, int)
        The dimensions that blocks divide, and into what size.
    """
    n_dims = values.ndim
    order = list(order) or list(range(n_dims + len(blocks)))
    sparse_levels = list(sparse_levels) or [n_dims - 1]
    # One axis for each dimension, then one for each dimension of a block.
    shape, axes, inner = [], [], []
    sizes = dict(blocks)
    for d, size in enumerate(values.shape):
        axes.append(len(shape))
        shape.append(size // sizes.get(d, 1))
        if d in sizes:
            inner.append((d, len(shape)))
            shape.append(sizes[d])
    axes += [dict(inner)[d] for d, _ in blocks]
    tree = values.reshape(shape).transpose(axes).transpose(order)
    nodes = [tree]
    levels = []
    for level in range(tree.ndim):
        if level in sparse_levels:
            kept = [[i for i in range(len(node)) if np.any(node[i])] for node in nodes]
            segments = np.cumsum([0, *map(len, kept)])
            levels.append(
                schema.DimensionMetadataT(
                    format=schema.DimensionType.SPARSE_CSR,
                    arraySegmentsType=schema.SparseIndexVector.Uint16Vector,
                    arraySegments=schema.Uint16VectorT(values=segments.astype(np.uint16)),
                    arrayIndicesType=schema.SparseIndexVector.Int32Vector,
                    arrayIndices=schema.Int32VectorT(
                        values=np.concatenate([*kept, []]).astype(np.int32)
                    ),
                )
            )
        else:
            kept = [list(range(tree.shape[level]))] * len(nodes)
            levels.append(schema.DimensionMetadataT(denseSize=tree.shape[level]))
        nodes = [node[i] for node, indices in zip(nodes, kept, strict=True) for i in indices]
    sparsity = schema.SparsityParametersT(
        traversalOrder=np.array(order, np.int32),
        blockMap=np.array([d for d, _ in blocks], np.int32) if blocks else None,
        dimMetadata=levels,
    )
    return np.array(nodes, values.dtype), sparsity
