# SPDX-License-Identifier: Apache-2.0
"""Which tensors stay dense. This is the only place that decides it for blobs of the C runtime.

What TensorFlow Lite Micro cannot decode stays dense as well: `stridepack.tflite.pack` says why.
"""

# Blobs for the C runtime are packed wherever that takes fewer bytes: a dense one has a header, too,
# and is copied by the same call.
DEFAULT_MIN_SIZE = 0

# Tensors of fewer elements than this are small. Pruning and shrinking leave them alone: they hardly
# count in memory but do in accuracy (Section IV-A of the paper). So does `pack` for .tflite output,
# where each packed tensor needs an operator that runs in every inference, and a buffer in RAM.
SMALL = 2048


def why_dense(n_elements: int, min_size: int) -> str:
    """Why a tensor is not tried in other formats; empty where it is.

    Zero points do not matter. A packed tensor is exactly what it was, and where its zero point is
    not 0 the elements that are 0 may just be fewer.

    >>> why_dense(100, 2048)
    'it has fewer than 2,048 elements'
    >>> why_dense(2048, 2048)
    ''
    """
    return f"it has fewer than {min_size:,} elements" if n_elements < min_size else ""
