"""Is a packed file exactly its model? Tensor by tensor, and by running both."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stridepack._tflite_decode import custom_types
from stridepack._tflite_model import load_model
from stridepack.errors import InputError, ModelError
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
    failure : str
        What went wrong when the interpreter ran them.
    """

    n_tensors: int
    differences: list[str]
    outputs: Comparison | None
    not_run: str = ""
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing differs, and nothing went wrong."""
        equal = self.outputs is None or self.outputs.equal
        return not self.differences and equal and not self.failure


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
    names = (str(model), str(packed))
    contents = (model.read_bytes(), packed.read_bytes())
    for file, data in zip(names, contents, strict=True):
        if custom := custom_types(load_model(data, file)):
            not_run = (
                f"{file} has DECODE type {', '.join(map(str, sorted(custom)))}, which the stock "
                "TensorFlow Lite Micro interpreter cannot run: it needs the decoder of "
                "`stridepack runtime --tflm`"
            )
            return Verification(len(original), differences, None, not_run)
    try:
        outputs = compare_outputs(*contents, n_inputs=n_inputs, seed=seed, names=names)
    except ModelError as error:  # the weights were compared all the same
        return Verification(len(original), differences, None, failure=str(error))
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
