# SPDX-License-Identifier: Apache-2.0
"""How near the outputs of a shrunk model are to those of the original one."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stridepack.errors import InputError
from stridepack.shrink.data import Samples
from stridepack.shrink.network import Float32, Network

_WORST = 1e12  # the largest error that is told from others


@dataclass(frozen=True)
class Quality:
    """What a model does on some samples.

    Attributes
    ----------
    snr : float
        Signal-to-noise ratio in dB: the variance of the original outputs against the mean square
        of their changes. Infinite where nothing changed.
    agreement : float or None
        Share of the samples, from 0 to 1, for which the largest element of the output is the one
        that it was. None for a model that does not classify.
    accuracy : float or None
        Share of the samples that are classified correctly, where there are labels.
    """

    snr: float
    agreement: float | None
    accuracy: float | None


class Reference:
    """The outputs of the original model for some samples.

    A model classifies if its first output is a row of at least two numbers for each sample.

    Raises
    ------
    InputError
        When there are labels that are none of the model's classes.
    """

    def __init__(self, model: bytes, samples: Samples, batch: int) -> None:
        self._samples = samples
        self._batch = batch
        network = Network(model, batch)
        self._outputs = network.outputs(samples.inputs)
        self._check_finite()
        # Outputs that hardly vary would count without limit. What rounding to their own scale does
        # to them is the least that matters.
        self._variances = [
            max(float(output.var(dtype=np.float64)), step**2 / 12, 1e-12)
            for output, step in zip(self._outputs, network.steps(), strict=True)
        ]
        first = self._outputs[0]
        self.classifies = first.ndim == 2 and first.shape[1] > 1
        self._check_labels()

    def _check_finite(self) -> None:
        for output in self._outputs:
            finite = np.isfinite(output).reshape(len(output), -1).all(axis=1)
            if not finite.all():
                raise InputError(
                    f"The model's output for sample {int(finite.argmin())} of "
                    f"{len(output)} has an element that is not a finite number, so that no "
                    "change of it can be measured. Leave such samples out, or cut the model off "
                    "before the operator that makes it."
                )

    def _check_labels(self) -> None:
        labels = self._samples.labels
        if labels is None:
            return
        if not self.classifies:
            raise InputError(
                f"There are labels, but an output of the model has the shape "
                f"{list(self._outputs[0].shape[1:])}, which are no classes. Leave the labels out."
            )
        n_classes = self._outputs[0].shape[1]
        if labels.max(initial=0) >= n_classes:
            raise InputError(
                f"The labels go up to {labels.max()}. The model has {n_classes} classes, which are "
                "numbered from 0 on."
            )

    def outputs(self, model: bytes) -> list[Float32]:
        """The outputs of another model for the samples."""
        return Network(model, self._batch).outputs(self._samples.inputs)

    def error(self, model: bytes) -> float:
        """Mean squared change of the outputs, as a share of their variance."""
        return self._error(self.outputs(model))

    def quality(self, model: bytes) -> Quality:
        """All that can be said of a model."""
        outputs = self.outputs(model)
        error = self._error(outputs)
        snr = -10 * math.log10(error) if error else math.inf
        if not self.classifies:
            return Quality(snr, None, None)
        classes = outputs[0].argmax(axis=1)
        agreement = float((classes == self._outputs[0].argmax(axis=1)).mean())
        labels = self._samples.labels
        accuracy = None if labels is None else float((classes == labels).mean())
        return Quality(snr, agreement, accuracy)

    def _error(self, outputs: list[npt.NDArray[np.float32]]) -> float:
        shares = [
            float(np.square(new.astype(np.float64) - old).mean()) / variance
            for new, old, variance in zip(outputs, self._outputs, self._variances, strict=True)
        ]
        error = sum(shares) / len(shares)
        return error if error < _WORST else _WORST  # also where an output became NaN
