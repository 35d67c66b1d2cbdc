# SPDX-License-Identifier: Apache-2.0
"""A model in LiteRT's interpreter, which gives its outputs for many samples."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from stridepack.errors import InputError, MissingDependencyError, ModelError

Array = npt.NDArray[Any]
Float32 = npt.NDArray[np.float32]

_BATCH = 32


class Network:
    """A model that runs.

    Parameters
    ----------
    model : bytes
        The .tflite file; one input, whose first dimension is 1.
    batch : int
        Samples that run at once.

    Raises
    ------
    ModelError
        When LiteRT cannot run it, with its own words, or not with this batch.
    InputError
        For a model with more than one input, or one that takes several samples at once.
    MissingDependencyError
        When ai-edge-litert is not installed.
    """

    def __init__(self, model: bytes, batch: int = 1) -> None:
        interpreter = _load_interpreter()
        try:
            self._interpreter = interpreter(model_content=model, num_threads=_n_threads())
            self.source = _only_input(self._interpreter.get_input_details())
            if batch != 1:
                shape = [batch, *self.source["shape"][1:]]
                self._interpreter.resize_tensor_input(self.source["index"], shape)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise ModelError(f"LiteRT cannot run the model: {error}") from error
        self._sinks = self._interpreter.get_output_details()
        self._batch = batch

    def stored(self, inputs: Array) -> list[Array]:
        """All outputs as the model stores them; the first axis counts the samples."""
        parts: list[list[Array]] = [[] for _ in self._sinks]
        for begin in range(0, len(inputs), self._batch):
            part = inputs[begin : begin + self._batch]
            lacking = self._batch - len(part)
            full = np.concatenate([part, np.repeat(part[-1:], lacking, axis=0)])
            self._interpreter.set_tensor(self.source["index"], full)
            try:
                self._interpreter.invoke()
            except (RuntimeError, ValueError) as error:
                raise ModelError(f"LiteRT cannot run the model: {error}") from error
            for sink, arrays in zip(self._sinks, parts, strict=True):
                output = self._interpreter.get_tensor(sink["index"])
                arrays.append(_by_sample(output, self._batch)[: len(part)])
        return [np.concatenate(arrays) for arrays in parts]

    def steps(self) -> list[float]:
        """The scales of all outputs; 0 for those that are real numbers."""
        return [float(sink["quantization"][0]) for sink in self._sinks]

    def outputs(self, inputs: Array) -> list[Float32]:
        """All outputs as real numbers."""
        return [
            real(values, *sink["quantization"])
            for values, sink in zip(self.stored(inputs), self._sinks, strict=True)
        ]


def _by_sample(output: Array, batch: int) -> Array:
    """An output of which the first axis counts samples: it may count positions of them as well."""
    n = output.shape[0] if output.ndim else 0
    if n == batch:
        return output
    shape = (1, *output.shape) if n == 0 or n % batch else (batch, n // batch, *output.shape[1:])
    return output.reshape(shape)


def find_batch(model: bytes, inputs: Array) -> int:
    """How many samples can run at once: 1 where the model's shapes do not allow more."""
    some = inputs[:2]
    alone = Network(model).outputs(some)
    try:
        together = Network(model, _BATCH).outputs(some)
    except ModelError:
        return 1
    same = all(
        a.shape == b.shape and np.allclose(a, b, rtol=0.02, atol=0.02 * (np.abs(a).max() + 1e-9))
        for a, b in zip(alone, together, strict=True)
    )
    return _BATCH if same else 1


def real(values: Array, scale: float, zero_point: int) -> Float32:
    """Stored values as real numbers; a scale of 0 means that they are real numbers already."""
    numbers = values.astype(np.float32)
    return (numbers - np.float32(zero_point)) * np.float32(scale) if scale else numbers


def _load_interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingDependencyError(
            "Shrinking models needs the package ai-edge-litert. Install it with "
            "`pip install 'stridepack[shrink]'`."
        ) from error
    return Interpreter


def _n_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _only_input(details: list[dict[str, Any]]) -> dict[str, Any]:
    if len(details) != 1:
        raise InputError(f"The model has {len(details)} inputs. Models with one can be shrunk.")
    shape = [int(n) for n in details[0]["shape"]]
    if shape[:1] != [1]:
        raise InputError(
            f"The model's input has the shape {shape}. Its first dimension must be 1, which counts "
            "the samples."
        )
    return details[0]
