"""The tensor arena of a model before and after packing, measured with the interpreter."""

from pathlib import Path

from stridepack.tflite.interpreter import compare_outputs
from stridepack.tflite.pack import pack_tflite


def arena_nbytes(model: Path, *, min_size: int) -> tuple[int, int]:
    """Bytes of tensor arena that a .tflite model needs as it is, and packed with DECODE operators.

    Measured with the TensorFlow Lite Micro interpreter on this host: `interpreter.Comparison`
    says how a device differs.

    Raises
    ------
    StridepackError
        When the model cannot be packed or run.
    """
    data = model.read_bytes()
    packed = pack_tflite(data, min_size=min_size, file=str(model)).data
    names = (str(model), f"{model}, packed")
    return compare_outputs(data, packed, n_inputs=1, names=names).arena_nbytes
