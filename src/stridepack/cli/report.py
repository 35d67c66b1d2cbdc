# SPDX-License-Identifier: Apache-2.0
"""`stridepack report`."""

import sys
from pathlib import Path
from typing import Any

import click

from stridepack.cli.nbytes import memory_option, nbytes
from stridepack.cli.options import MODEL, PATH, given, packing_options, target_option
from stridepack.cli.output import progress, say, say_json, say_written
from stridepack.errors import InputError, MissingDependencyError
from stridepack.files import read_weights
from stridepack.files.atomic import write_files
from stridepack.files.kinds import holds_tflite, tflite_bytes
from stridepack.files.outputs import check_output, refuse_to_overwrite
from stridepack.files.stored import read_stored
from stridepack.plan.measure import measure_all
from stridepack.plan.options import PackOptions
from stridepack.plan.rules import DEFAULT_MIN_SIZE
from stridepack.report.page.budgets import exceeded, read_budgets
from stridepack.report.page.numbers import model_numbers
from stridepack.report.page.shrunk import read_shrink
from stridepack.report.text import printable
from stridepack.tflite.arena.measure import measure_arena


@click.command()
@MODEL
@click.argument("packed", type=PATH, required=False)
@click.option("-o", "--output", type=PATH, help="The page, a file ending in .html.")
@click.option("--json", "as_json", is_flag=True, help="Print the same numbers as JSON.")
@click.option(
    "--check",
    type=PATH,
    metavar="BUDGETS.toml",
    help="Exit with 1 if the model exceeds a budget of this file.",
)
@click.option(
    "--shrink",
    type=PATH,
    metavar="SHRINK.json",
    help="What `stridepack shrink --json` or `--curve` said when it wrote MODEL: steps, errors and "
    "the curve are shown, too.",
)
@target_option("The core whose cycles, code and stack are shown.")
@packing_options
@memory_option
def report(
    model: Path,
    packed: Path | None,
    *,
    output: Path | None,
    as_json: bool,
    check: Path | None,
    shrink: Path | None,
    target: str,
    min_size: int | None,
    tile: int | None,
    transforms: bool,
    **options: Any,
) -> None:
    """Show MODEL in one HTML page: what takes how many bytes, and why.

    PACKED is the .spk or .tflite file that was made of it. Without it, the page shows the smallest
    format of each tensor. The page needs no network and no other file.

    \b
    Examples:
      stridepack report model.tflite -o report.html
      stridepack report model.tflite packed.spk -o report.html --target cortex-m55
      stridepack report model.tflite packed.spk --check budgets.toml
      stridepack report small.tflite packed.spk --shrink shrink.json -o report.html
    """
    if not (output or as_json or check):
        raise click.UsageError("Give -o REPORT.html, --json or --check BUDGETS.toml.")
    budgets = read_budgets(check, nbytes) if check else {}
    render = None
    if output:
        _check_page(output, model, packed)
        render = _renderer()
    tensors = read_weights(model)
    shrunk = read_shrink(shrink, model, tensors) if shrink else None
    stored = read_stored(packed, tensors) if packed else {}
    least = DEFAULT_MIN_SIZE if min_size is None else min_size
    asked = PackOptions(tile=tile, min_size=least, of_formats=given(options), transforms=transforms)
    with progress("measuring every format") as (start, advance):
        start(tensors)
        measured = measure_all(tensors, asked, target, advance)
    # A name that is not UTF-8 can stand in no page.
    files = {printable(path.name): path.stat().st_size for path in (model, packed) if path}
    numbers = model_numbers(
        printable(model.name),
        measured,
        stored,
        target,
        files=files,
        arena=_arena(model, packed),
        shrunk=shrunk,
    )
    over = exceeded(numbers, budgets)
    if render and output:
        page = render(numbers, budgets).encode()
        write_files({output: page})
        say_written(output, len(page))
    if as_json:
        say_json(numbers | {"exceeded": over})
    elif check:
        say(over or [f"All budgets of {check} are kept."])
    if over:
        sys.exit(1)


def _check_page(output: Path, model: Path, packed: Path | None) -> None:
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{output}: a report is an HTML page. Choose a name that ends in .html.")
    refuse_to_overwrite(output, model, "model")
    if packed:
        refuse_to_overwrite(output, packed, "packed file")
    check_output(output)


def _renderer() -> Any:
    """`render`, which needs the packages of an extra."""
    try:
        from stridepack.report.page.render import render
    except ImportError as error:
        raise MissingDependencyError(
            f"The page needs the package {error.name}. Install it with "
            "`pip install 'stridepack[report]'`, or print the numbers with `--json`."
        ) from error
    return render


def _arena(model: Path, packed: Path | None) -> tuple[int, int] | None:
    """Bytes of tensor arena before and after packing, where both are .tflite models."""
    if packed is None or not (holds_tflite(model) and holds_tflite(packed)):
        return None
    before, after = measure_arena(tflite_bytes(model)), measure_arena(tflite_bytes(packed))
    return None if before is None or after is None else (before.nbytes, after.nbytes)
