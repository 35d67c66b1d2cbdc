# SPDX-License-Identifier: Apache-2.0
"""Outputs that hold blobs for the C runtime: which format for which tensor."""

from collections.abc import Sequence

from stridepack.errors import InputError
from stridepack.files.job import DECODERS, Chosen, OnDone, PackJob, Stored
from stridepack.files.remarks import about_windows, stored_as_bytes
from stridepack.plan.budget_plan import PlannedTensor
from stridepack.plan.smallest import Choice, choose_smallest
from stridepack.plan.within import choose_within
from stridepack.tensor import WeightTensor


def choose_blobs(
    job: PackJob, tensors: Sequence[WeightTensor], overhead: int, on_done: OnDone | None
) -> Chosen:
    """The smallest blob for each tensor, or the best plan where there is a goal.

    overhead: bytes of Flash that the output takes beside the blobs.
    """
    check_blob_job(job)
    choices: Sequence[Choice | PlannedTensor]
    if job.goal is None:
        plan = None
        choices = choose_smallest(tensors, job.options, on_done=on_done)
    else:
        plan = choose_within(
            tensors, job.goal, job.options, container_nbytes=overhead, on_done=on_done
        )
        choices = plan.tensors
    remarks = stored_as_bytes(tensors)
    if job.output.suffix == ".spk":
        remarks += about_windows((c.packed.n_tiles, c.packed.reader_window) for c in choices)
    return Chosen(
        [Stored(c.tensor, c.packed.format, c.packed.nbytes, c.note) for c in choices],
        {c.tensor.name: c.packed for c in choices},
        names=job.names,
        plan=plan,
        remarks=remarks,
    )


def check_blob_job(job: PackJob) -> None:
    """Raise InputError for what is asked for and only .tflite output can do."""
    if job.decoder != DECODERS[0]:
        raise InputError(
            f"`decoder={job.decoder}` is for .tflite output only. Leave it out, or choose an "
            f"output that ends in .tflite, not {job.output}.",
            decoder=job.decoder,
        )
    if job.reference_kernels:
        raise InputError(
            f"`reference_kernels=True` is for .tflite output only. Leave it out for {job.output}.",
            reference_kernels=True,
        )
    for name in ("arena", "in_ram", "decompression_memory"):
        if value := getattr(job.ram, name):
            raise InputError(
                f"`{name}={value}` is for .tflite output only. Leave it out, or choose an output "
                f"that ends in .tflite, not {job.output}. The RAM that the C runtime decodes into "
                "is limited with `sram=BYTES`.",
                **{name: value, "sram": "BYTES"},
            )
