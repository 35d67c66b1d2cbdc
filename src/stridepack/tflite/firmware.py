# SPDX-License-Identifier: Apache-2.0
"""What a firmware must do to run a packed model: the operator to register, the version needed."""

from collections.abc import Iterable
from dataclasses import dataclass

from stridepack.tflite.decode import DECODE, OWN
from stridepack.tflite.model import load_model
from stridepack.tflite.types import decode_type, decode_types


@dataclass(frozen=True)
class Firmware:
    """What TensorFlow Lite Micro needs to run a packed model.

    Attributes
    ----------
    call : str
        The call that registers the operator that decodes, with a resolver called `resolver`.
    n_operators : int
        Kinds of operators in the file: the N of ``MicroMutableOpResolver<N>``.
    n_more : int
        How many of them the model did not have before it was packed.
    since : str
        The date of the first version that decodes it, YYYY-MM-DD; empty where every version does.
    """

    call: str
    n_operators: int
    n_more: int
    since: str


def firmware_of(dense: bytes, packed: bytes, formats: Iterable[str]) -> Firmware | None:
    """What the firmware must do for a packed model; None where nothing was packed.

    Parameters
    ----------
    dense, packed : bytes
        The .tflite files.
    formats : iterable of str
        How the tensors are stored: DECODE types, or formats of blobs, and "dense".
    """
    before, after = _operators(dense), _operators(packed)
    if not after & {DECODE, OWN}:
        return None
    dates = [decode_type(name).since for name in set(formats) & set(decode_types())]
    calls = {DECODE: "resolver.AddDecode()", OWN: "spk_tflm_register(resolver)"}
    return Firmware(
        " and ".join(call for name, call in calls.items() if name in after),
        len(after),
        len(after - before),
        max(dates, default=""),
    )


def _operators(model: bytes) -> set[str]:
    """Names of the operators that any subgraph uses."""
    parsed = load_model(model, "model")
    return {parsed.operator_name(o) for graph in parsed.subgraphs for o in graph.operators}
