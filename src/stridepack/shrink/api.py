# SPDX-License-Identifier: Apache-2.0
"""The function `stridepack.shrink`: from a model, samples and a target to a smaller model."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stridepack.errors import BudgetError, InputError, ModelError
from stridepack.files.atomic import write_files
from stridepack.files.outputs import check_output, refuse_to_overwrite
from stridepack.shrink.allocate import measure_candidates, usual_steps
from stridepack.shrink.build import Builder
from stridepack.shrink.data import check_samples
from stridepack.shrink.layers import LARGEST_LEVEL
from stridepack.shrink.network import Network, find_batch
from stridepack.shrink.plans import Plans, Steps
from stridepack.shrink.quality import Quality, Reference
from stridepack.shrink.rate import RATES
from stridepack.shrink.result import ShrinkResult
from stridepack.shrink.tensors import shrunk_tensors, why_nothing
from stridepack.tflite.constants import parse_tflite, read_tflite

# Samples that are used at most to build a plan, to round each layer alone, and to see what that
# does. More of them change little and take longer. Measured on ResNet8: plans that are built with
# 2,048 samples have 10 % less error than with 512.
_MOST_CALIBRATION = 2048
_MOST_ALONE = 512
_MOST_ERROR = 256

OnProgress = Callable[[str, int], None]


@dataclass(frozen=True)
class Target:
    """What a shrunk model must keep: exactly one of these is not None.

    Attributes
    ----------
    flash : int or None
        Bytes of the packed file, at most.
    max_drop : float or None
        Points of accuracy that may be lost, or of agreement where there are no labels.
    min_snr : float or None
        Signal-to-noise ratio of the outputs in dB, at least.
    step : float or None
        The step of all layers.
    """

    flash: int | None = None
    max_drop: float | None = None
    min_snr: float | None = None
    step: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            raise InputError(
                "Give exactly one target: `flash`, `max_drop`, `min_snr` or `step`. "
                f"{len(given)} are given."
            )
        ((name, value),) = given.items()
        least, most = {"step": (1, LARGEST_LEVEL), "max_drop": (0, 100)}.get(name, (0, np.inf))
        if not least <= value <= most:
            wanted = f"between {least} and {most}" if np.isfinite(most) else f"at least {least}"
            raise InputError(
                f"`{name}={value}` is out of range. It must be {wanted}.", **{name: value}
            )

    def keeps(self, before: Quality, after: Quality) -> bool:
        """Whether a plan keeps a limit of quality."""
        if self.min_snr is not None:
            return after.snr >= self.min_snr
        assert self.max_drop is not None
        if before.accuracy is not None and after.accuracy is not None:
            drop = before.accuracy - after.accuracy
        else:
            drop = 1 - (after.agreement or 0.0)
        return 100 * drop <= self.max_drop + 1e-9


def shrink(  # noqa: PLR0917 (in the order in which one thinks of them)
    model: str | PathLike[str],
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    flash: int | None = None,
    max_drop: float | None = None,
    step: float | None = None,
    *,
    min_snr: float | None = None,
    packed_as: str = "spk",
    output: str | PathLike[str] | None = None,
    curve: bool = False,
    on_progress: OnProgress | None = None,
) -> ShrinkResult:
    """Make the weights of a model cheaper to store, at some loss: they are put on coarser grids.

    Nothing is trained, and no labels are needed. The result is an ordinary int8 .tflite with the
    same operators, which runs wherever the model did, and which `pack_file` then packs losslessly.
    Weights that are 0 stay 0. Exactly one of `flash`, `max_drop`, `min_snr` and `step` says how
    far to go. A quarter of the samples is held back: they only measure the result.

    Parameters
    ----------
    model : str or PathLike
        A .tflite file with int8 weights, and int8 or int16 activations.
    inputs : array_like, (samples, ...)
        Typical inputs, in the type of the model's input, or as real numbers. Some hundred.
    labels : array_like of int, optional
        The right class of each sample.
    flash : int, optional
        The packed file takes at most this many bytes.
    max_drop : float, optional
        At most this many points (100 are everything) of accuracy are lost on the samples held
        back. Without labels, at most this many points of them change their class.
    step : float, optional
        This step for all layers, in units of the scales that their weights have.
    min_snr : float, optional
        Signal-to-noise ratio of the outputs in dB, at least: for models that do not classify.
    packed_as : str
        What `pack_file` will write, "spk" or "tflite": its bytes count.
    output : str or PathLike, optional
        Where to write the model.
    curve : bool
        Also measure plans from the untouched model to the smallest one.
    on_progress : callable, optional
        Called after each layer, with what is being done and for how many layers it is done.

    Returns
    -------
    ShrinkResult
        The same for the same arguments, on the same kind of machine.

    Raises
    ------
    InputError
        For data that do not fit the model, or targets outside their limits.
    BudgetError
        When no plan takes so few bytes. Nothing was written.
    OutputError
        When the output cannot be written.
    ModelError
        When the model cannot be read, cannot run in LiteRT, or has nothing to shrink.
    MissingDependencyError
        When ai-edge-litert or tflite-micro is not installed.
    """
    target = Target(flash, max_drop, min_snr, step)
    file = fspath(model)
    _check_names(file, output, packed_as)
    before = read_tflite(file)
    data = Path(file).read_bytes()
    samples = check_samples(
        np.asarray(inputs), None if labels is None else np.asarray(labels), Network(data).source
    )
    calibration, held_back = samples.split()
    calibration = calibration.first(_MOST_CALIBRATION)
    report = on_progress or _ignore
    batch = find_batch(data, samples.inputs)
    reference = Reference(data, held_back, batch)
    if max_drop is not None:
        _check_classifies(reference, max_drop)
    builder = Builder(data, file, calibration, batch)
    alone = Builder(data, file, calibration.first(_MOST_ALONE), batch)
    if not builder.layers:
        raise ModelError(f"{file}: {why_nothing(builder)}")
    rate = RATES[packed_as]
    to_measure = _steps_to_measure(step, len(builder.layers), curve)
    errors = Reference(data, calibration.first(_MOST_ERROR), batch)
    table = measure_candidates(
        alone, to_measure, rate, errors, lambda: report("measuring layers", len(builder.layers))
    )
    plans = Plans(
        builder, table, rate, reference, lambda: report("rounding", len(builder.draft.layers))
    )
    chosen = _choose(plans, target)
    smaller, larger = plans.beside(chosen)
    shrunk = plans.model(chosen)
    result = ShrinkResult(
        model=shrunk,
        packed_as=packed_as,
        tensors=shrunk_tensors(
            before,
            parse_tflite(shrunk, file),
            builder=builder,
            table=table,
            steps=chosen,
            rate=rate,
        ),
        before=plans.point(plans.untouched),
        after=plans.point(chosen),
        smaller=None if smaller is None else plans.point(smaller),
        larger=None if larger is None else plans.point(larger),
        n_calibration=len(calibration),
        n_held_back=len(held_back),
        curve=plans.curve(chosen) if curve else [],
    )
    if output is not None:
        write_files({Path(output): result.model})
    return result


def _check_names(file: str, output: str | PathLike[str] | None, packed_as: str) -> None:
    if packed_as not in RATES:
        raise InputError(
            f"`packed_as={packed_as}` is unknown. Choose {' or '.join(RATES)}.", packed_as=packed_as
        )
    if output is not None:
        refuse_to_overwrite(Path(output), Path(file), "model")
        check_output(Path(output))


def _check_classifies(reference: Reference, max_drop: float) -> None:
    if not reference.classifies:
        raise InputError(
            f"`max_drop={max_drop}` is for models that classify, and this one does not. Give a "
            "signal-to-noise ratio instead, such as `min_snr=20`.",
            max_drop=max_drop,
            min_snr=20,
        )


def _steps_to_measure(step: float | None, n_layers: int, curve: bool) -> tuple[float, ...]:
    usual: tuple[float, ...] = usual_steps(n_layers)
    if step is None:
        return usual
    return tuple(sorted({*usual, step} - {1})) if curve else (step,)


def _choose(plans: Plans, target: Target) -> Steps:
    """The steps that keep a target."""
    if target.step is not None:
        return plans.uniform(target.step)
    if target.flash is not None:
        steps = plans.within(target.flash)
        if steps is None:
            nbytes = plans.point(plans.smallest()).nbytes
            raise BudgetError(
                f"`flash={target.flash}` is too small. The smallest plan takes {nbytes:,} bytes, "
                f"which is {nbytes - target.flash:,} more. Allow that much, or prune the model.",
                flash=target.flash,
            )
        return steps
    before = plans.point(plans.untouched).quality
    return plans.last_good(lambda point: target.keeps(before, point.quality))


def _ignore(what: str, total: int) -> None:
    """Progress that nobody wants to see."""
