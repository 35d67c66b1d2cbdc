# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share. Those of the formats come from the formats themselves."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stridepack.cost import targets
from stridepack.formats import Option, all_options
from stridepack.plan.budget_plan import DEFAULT_TARGET
from stridepack.plan.rules import DEFAULT_MIN_SIZE, SMALL


class _Path(click.Path):
    """A path that is not empty. Python would take an empty one for the current directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("The name is empty. Give the name of a file.", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)
MODEL = click.argument("model", type=PATH)

_MOST_DIGITS = 4  # of a number in a list, so that no range takes much memory

Command = TypeVar("Command", bound=Callable[..., Any])


def output_option(help: str) -> Callable[[Command], Command]:
    """The option -o."""
    return click.option("-o", "--output", type=PATH, required=True, help=help)


def target_option(help: str) -> Callable[[Command], Command]:
    """The option --target, where there always is one."""
    return click.option(
        "--target",
        type=click.Choice(targets()),
        default=DEFAULT_TARGET,
        show_default=True,
        help=help,
    )


def packing_options(command: Command) -> Command:
    """What can be chosen about packing, apart from the format."""
    for option, formats in reversed(all_options().values()):
        command = _format_option(option, formats)(command)
    command = click.option(
        "--tile",
        type=int,
        metavar="N",
        help="Cut tensors into tiles of N elements. Each tile can be decoded alone.  "
        "[default: one tile for each tensor]",
    )(command)
    command = click.option(
        "--transforms/--no-transforms",
        default=True,
        show_default=True,
        help="For bitmap, rans, huffman: leave out dead rows and columns of a tensor, put the "
        "others into two classes, or predict weights from earlier ones, where that makes a blob "
        "smaller.",
    )(command)
    return click.option(
        "--min-size",
        type=click.IntRange(min=0),
        metavar="N",
        help="Tensors with fewer elements than this stay dense.  [default: "
        f"{DEFAULT_MIN_SIZE}; for .tflite, .cc and .cpp output {SMALL}]",
    )(command)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Only the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _format_option(option: Option, formats: tuple[str, ...]) -> Callable[[Command], Command]:
    kinds: dict[str, dict[str, Any]] = {
        "integers": {"callback": _integers, "metavar": "LIST"},
        "integer": {"type": int, "metavar": "N"},
        "number": {"type": float},
        "choice": {"type": click.Choice(option.choices)},
    }
    return click.option(
        f"--{option.name.replace('_', '-')}",
        **kinds[option.kind],
        help=f"For {', '.join(formats)}: {option.help}  [default: {option.default}]",
    )


def _integers(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> tuple[int, ...] | None:
    """Integers and ranges: ``16,12,8,4`` or ``1-16``."""
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part, re.ASCII)
        if not match:
            raise click.BadParameter(f"{part!r} is neither a number nor a range such as 1-16.")
        if too_long := next((n for n in match.groups() if n and len(n) > _MOST_DIGITS), None):
            raise click.BadParameter(
                f"{too_long[:40]} is too large. A number in such a list has at most {_MOST_DIGITS} "
                "digits."
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise click.BadParameter(f"{part!r} is an empty range. Write {last}-{first}.")
        numbers += range(first, last + 1)
    return tuple(numbers)
