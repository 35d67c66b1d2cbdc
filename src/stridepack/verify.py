"""Is a packed file exactly its model? Tensor by tensor, and by running both."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stridepack._tflite_decode import custom_types
from stridepack._tflite_model import load_model
from stridepack.errors import InputError
from stridepack.interpreter import Comparison, compare_outputs
from stridepack.io import read_weights
from stridepack.tensor import WeightTensor


@dataclass(frozen=True)
class Verification:
    """Result of `verify_files`.

    Attributes
    ----------
    n_tensors : int
        Tensors compared.
    differences : list of str
        One sentence for each tensor that is missing, additional or different.
    outputs : Comparison or None
        Of the interpreter runs, where both files are .tflite.
    not_run : str
        Why there were none, although both files are .tflite.
    """

    n_tensors: int
    differences: list[str]
    outputs: Comparison | None
    not_run: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and (self.outputs is None or self.outputs.equal)


def verify_files(model: Path, packed: Path, *, n_inputs: int = 10, seed: int = 0) -> Verification:
    """Compare every int8 weight of two files; run two .tflite files on the same random inputs.

    A .tflite with DECODE types that the stock interpreter does not have is not run.

    Parameters
    ----------
    model : Path
        The original: any file that `read_weights` reads.
    packed : Path
        A .spk, or a .tflite with DECODE operators.
    n_inputs, seed : int
        Random inputs for the interpreter, and the seed they are drawn with.
    """
    if packed.suffix.lower() not in (".spk", ".tflite"):
        raise InputError(f"{packed}: only .spk and .tflite files can be verified")
    original = {tensor.name: tensor for tensor in read_weights(model)}
    differences = list(_differences(original, {t.name: t for t in read_weights(packed)}))
    if not model.suffix.lower() == packed.suffix.lower() == ".tflite":
        return Verification(len(original), differences, None)
    files = {str(path): path.read_bytes() for path in (model, packed)}
    for file, data in files.items():
        if custom := custom_types(load_model(data, file)):
            not_run = (
                f"{file} has DECODE type {', '.join(map(str, sorted(custom)))}, which the stock "
                "TensorFlow Lite Micro interpreter cannot run: it needs the decoder of "
                "`stridepack runtime --tflm`"
            )
            return Verification(len(original), differences, None, not_run)
    outputs = compare_outputs(*files.values(), n_inputs=n_inputs, seed=seed)
    return Verification(len(original), differences, outputs)


def _differences(
    original: dict[str, WeightTensor], unpacked: dict[str, WeightTensor]
) -> Iterator[str]:
    for name in unpacked:
        if name not in original:
            yield f"{name}: not in the model"
    for name, tensor in original.items():
        if name not in unpacked:
            yield f"{name}: missing in the packed file"
            continue
        a, b = tensor.values, unpacked[name].values
        if a.shape != b.shape:
            yield f"{name}: shape {b.shape}, not {a.shape}"
            continue
        wrong = np.flatnonzero(a.ravel() != b.ravel())
        if wrong.size:
            at = wrong[0]
            yield (
                f"{name}: {wrong.size} of {a.size} elements differ, the first at {at}: "
                f"{b.ravel()[at]}, not {a.ravel()[at]}"
            )
