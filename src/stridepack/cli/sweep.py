# SPDX-License-Identifier: Apache-2.0
"""`stridepack sweep`."""

import contextlib

import click

from stridepack.cli.nbytes import memory_option, nbytes
from stridepack.cli.numbers import FloatRange
from stridepack.cli.output import progress_over, say, show
from stridepack.errors import InputError
from stridepack.files.read import check_is_file
from stridepack.formats import formats as all_formats
from stridepack.plan.options import AUTO
from stridepack.report.sweep import sweep_sentences, sweep_table
from stridepack.sweep import Here, grid, run
from stridepack.sweep.engines import Engine, cluster, local_processes, slurm
from stridepack.sweep.models import measure
from stridepack.sweep.remote import is_remote, path_of

FAILED = 1  # exit code

SLURM = "slurm"


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="RESULTS.jsonl",
    help="JSON lines, one for each point. Points that it has are left out.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice((AUTO, *all_formats())),
    multiple=True,
    help="A format of every packed tensor. auto tries all of them.  [default: auto]",
)
@click.option(
    "--tile",
    "tiles",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N",
    help="Elements in a tile. 0: one tile for each tensor.  [default: 0]",
)
@click.option(
    "--sparsity",
    "sparsities",
    type=FloatRange(0, 1, max_open=True),
    multiple=True,
    metavar="FRACTION",
    help="Zero the smallest weights until each tensor of 2,048 elements or more has this share of "
    "zeros. Nothing is trained: this shows sizes only.  [default: the weights as they are]",
)
@click.option(
    "--flash",
    type=nbytes,
    multiple=True,
    metavar="BYTES",
    help="Shrink the model to so many bytes first, as `stridepack shrink` does. Needs --data.",
)
@click.option("--data", metavar="DATA.npz", help="Typical samples, for --flash.")
@click.option(
    "--keep", metavar="DIRECTORY", help="Keep the packed files (.spk) there.  [default: nowhere]"
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Processes of this machine, or jobs of SLURM. 0: this process alone.  [default: one "
    "process for each processor]",
)
@click.option(
    "--cluster",
    "address",
    metavar="ADDRESS",
    help=f"The scheduler of a Dask cluster, such as tcp://10.0.0.1:8786, or {SLURM}.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    metavar="N",
    help="Try a point so often again after an error that may be by chance.",
)
@memory_option
def sweep(
    models: tuple[str, ...],
    output: str,
    *,
    formats: tuple[str, ...],
    tiles: tuple[int, ...],
    sparsities: tuple[float, ...],
    flash: tuple[int, ...],
    data: str | None,
    keep: str | None,
    workers: int | None,
    address: str | None,
    retries: int,
) -> None:
    """Measure many models with many options, on many processors.

    Each combination of a model, a format, a tile, a sparsity and a number of bytes is a point. An
    option may be given several times. Every point that is done is a line of RESULTS.jsonl at once.
    Run the same command again after an interruption: it goes on with what is left, and tries
    again what has failed. The exit code is 1 when a point has failed.

    Models, samples and results are paths, or addresses that fsspec knows, such as
    s3://bucket/model.tflite. --cluster uses a Dask cluster that is running. Its workers must be
    able to read the models. With --cluster slurm, --workers is the number of jobs.

    \b
    Examples:
      stridepack sweep a.tflite b.tflite -o sizes.jsonl --format auto --format hybrid
      stridepack sweep model.tflite -o pruned.jsonl --sparsity 0.5 --sparsity 0.7
      stridepack sweep s3://bucket/model.tflite -o s3://bucket/sizes.jsonl \\
        --cluster tcp://10.0.0.1:8786
    """
    if flash and not data:
        raise click.UsageError("--flash needs --data, samples to shrink with.")
    if data and not flash:
        raise click.UsageError("--data is for --flash only. Give --flash, or leave --data out.")
    if flash and sparsities:
        raise click.UsageError(
            "--sparsity and --flash do not go together: nothing would be known of the quality of a "
            "model that is shrunk and then set to zero. Sweep them one after the other."
        )
    if keep and not is_remote(keep) and path_of(keep).exists() and not path_of(keep).is_dir():
        raise InputError(
            f"`keep={keep}` is a file. Give a directory for the packed files.", keep=keep
        )
    for model in models if address is None else ():  # a cluster may have other files
        if not is_remote(model):
            check_is_file(path_of(model))
    if address is not None:  # workers have folders of their own
        models = tuple(map(_absolute, models))
        data, keep = data and _absolute(data), keep and _absolute(keep)
    points = grid(
        model=models,
        format=formats or (AUTO,),
        tile=[tile or None for tile in tiles],
        sparsity=sparsities,
        flash=flash,
        data=[data] if data else [],
        keep=[keep] if keep else [],
    )
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(_engine(address, workers))
        if engine.dashboard:
            say([f"dashboard: {engine.dashboard}"])
        start, advance = stack.enter_context(progress_over("points"))
        summary = run(
            measure,
            points,
            output,
            engine,
            retries=retries,
            on_start=start,
            on_done=lambda _: advance(),
        )
    show(sweep_table(summary.records))
    say(sweep_sentences(summary, output))
    if summary.failed:
        raise click.exceptions.Exit(FAILED)


def _engine(address: str | None, workers: int | None) -> contextlib.AbstractContextManager[Engine]:
    if address == SLURM:
        if not workers:
            raise InputError(
                f"`cluster={SLURM}` needs the number of jobs. Give it with `--workers`.",
                cluster=SLURM,
            )
        return slurm(workers)
    if address is not None:
        if workers is not None:
            raise InputError(
                f"`workers={workers}` is for processes that are started here. The cluster has its "
                "own. Leave it out.",
                workers=workers,
            )
        return cluster(address)
    return contextlib.nullcontext(Here()) if workers == 0 else local_processes(workers)


def _absolute(address: str) -> str:
    return address if is_remote(address) else str(path_of(address).absolute())
