# SPDX-License-Identifier: Apache-2.0
"""Prune a PyTorch model, and bring it to int8: `pip install 'stridepack[torch]'`.

`MagnitudePruner` prunes while your own training loop runs, and `GridQuantizer` trains the weights
on a coarse grid until they pack into a number of bytes. `to_tflite` converts the result to a
full-integer int8 .tflite file that has exactly these zeros and levels, `to_arrays` to NumPy.
"""

from stridepack.errors import MissingDependencyError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(
        "stridepack.pruning needs PyTorch. Install it with `pip install 'stridepack[torch]'`."
    ) from error

from stridepack.pruning.distillation import distillation_loss
from stridepack.pruning.export import to_arrays, to_tflite
from stridepack.pruning.grid import GridQuantizer
from stridepack.pruning.magnitude import MagnitudePruner, cubic, linear
from stridepack.pruning.quantise import QuantizedWeight
from stridepack.pruning.target import packed_nbytes

__all__ = [
    "GridQuantizer",
    "MagnitudePruner",
    "QuantizedWeight",
    "cubic",
    "distillation_loss",
    "linear",
    "packed_nbytes",
    "to_arrays",
    "to_tflite",
]
