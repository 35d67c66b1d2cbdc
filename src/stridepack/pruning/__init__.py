"""Prune a PyTorch model, and bring it to int8: `pip install stridepack[torch]`.

`MagnitudePruner` prunes while your own training loop runs, `to_tflite` converts the result to a
full-integer int8 .tflite file in which every pruned weight is exactly 0, `to_arrays` to NumPy.
"""

from stridepack.errors import MissingDependencyError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(
        "stridepack.pruning needs PyTorch. Install it with `pip install 'stridepack[torch]'`."
    ) from error

from stridepack.pruning.export import to_arrays, to_tflite
from stridepack.pruning.magnitude import MagnitudePruner, cubic, linear
from stridepack.pruning.quantise import QuantizedWeight
from stridepack.pruning.target import packed_nbytes

__all__ = [
    "MagnitudePruner",
    "QuantizedWeight",
    "cubic",
    "linear",
    "packed_nbytes",
    "to_arrays",
    "to_tflite",
]
