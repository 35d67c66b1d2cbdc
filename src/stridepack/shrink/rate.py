# SPDX-License-Identifier: Apache-2.0
"""What a tensor and a model take once they are packed: the real encoders are asked."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stridepack.files.spk import build_bundle
from stridepack.plan.options import PackOptions
from stridepack.plan.rules import SMALL, why_dense
from stridepack.plan.smallest import choose_smallest, pack
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.model import Tensor
from stridepack.tflite.pack import pack_tflite
from stridepack.tflite.types import UnencodableError, decode_type, decode_types

Int8 = npt.NDArray[np.int8]

_DECODE_NBYTES = 300  # about what a .tflite needs to have one more tensor decoded


@dataclass(frozen=True)
class Rate:
    """How `stridepack pack` will pack the model.

    Attributes
    ----------
    name : str
    of_tensor : callable
        Bytes that a tensor takes, about; given its values, and its entry in the model.
    of_model : callable
        Bytes of the whole packed file, exactly; given the .tflite and its name for messages.
    """

    name: str
    of_tensor: Callable[[Int8, Tensor], int]
    of_model: Callable[[bytes, str], int]


def _spk_of_tensor(values: Int8, tensor: Tensor) -> int:
    return pack(values).nbytes


def _spk_of_model(model: bytes, file: str) -> int:
    choices = choose_smallest(parse_tflite(model, file), PackOptions())
    return len(build_bundle({choice.tensor.name: choice.packed for choice in choices}))


def _tflite_of_tensor(values: Int8, tensor: Tensor) -> int:
    sizes = [values.size]
    if why_dense(values.size, SMALL):
        return values.size
    for name in decode_types():
        try:
            payload = decode_type(name).encode(values, tensor)
        except UnencodableError:
            continue
        sizes.append(payload.nbytes + _DECODE_NBYTES)
    return min(sizes)


def _tflite_of_model(model: bytes, file: str) -> int:
    return len(pack_tflite(model, min_size=SMALL, file=file).data)


RATES = {
    "spk": Rate("spk", _spk_of_tensor, _spk_of_model),
    "tflite": Rate("tflite", _tflite_of_tensor, _tflite_of_model),
}
