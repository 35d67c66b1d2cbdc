# SPDX-License-Identifier: Apache-2.0
"""What `stridepack.shrink` found."""

from dataclasses import dataclass, field

from stridepack.shrink.quality import Quality


@dataclass(frozen=True)
class ShrunkTensor:
    """What became of an int8 tensor of the model.

    Attributes
    ----------
    name : str
    n_elements : int
    step : float
        In units of the scales that it had. 1: it was not put on a coarser grid.
    n_zeros_before, n_zeros : int
    nbytes_before, nbytes : int
        Of the packed tensor: its blob, or in a .tflite its data and what decodes them.
    error_share : float
        How much of the error comes from it, from 0 to 1, if errors simply added up.
    note : str
        Why it was not put on a coarser grid, where that was not a choice; else empty.
    """

    name: str
    n_elements: int
    step: float
    n_zeros_before: int
    n_zeros: int
    nbytes_before: int
    nbytes: int
    error_share: float
    note: str = ""


@dataclass(frozen=True)
class Point:
    """A plan, and what it gives.

    Attributes
    ----------
    steps : tuple of float
        Of the layers that can have one.
    nbytes : int
        Of the whole packed file.
    quality : Quality
        On the samples that were held back.
    """

    steps: tuple[float, ...]
    nbytes: int
    quality: Quality


@dataclass(frozen=True, eq=False)
class ShrinkResult:
    """A shrunk model, and all that was measured.

    Attributes
    ----------
    model : bytes
        The .tflite file.
    packed_as : str
        What the bytes are those of: "spk" or "tflite".
    tensors : list of ShrunkTensor
    before, after : Point
        The original model, and this one.
    smaller, larger : Point or None
        The next plans that were found on both sides; None where there is none.
    curve : list of Point
        From the largest to the smallest, where it was asked for; else empty.
    n_calibration, n_held_back : int
        Samples.
    """

    model: bytes
    packed_as: str
    tensors: list[ShrunkTensor]
    before: Point
    after: Point
    smaller: Point | None
    larger: Point | None
    n_calibration: int
    n_held_back: int
    curve: list[Point] = field(default_factory=list)
