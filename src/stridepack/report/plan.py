# SPDX-License-Identifier: Apache-2.0
"""`pack` within budgets: what the plan chose, and what it takes."""

from collections.abc import Sequence

from rich.table import Table

from stridepack._numbers import total
from stridepack._words import listed
from stridepack.formats import formats
from stridepack.plan.budget_plan import BudgetPlan, PlannedTensor
from stridepack.report.stored import STORED_COLUMNS, stored_cells
from stridepack.report.tables import new_table, reason_of, stay_dense
from stridepack.report.text import escape


def plan_table(plan: BudgetPlan) -> Table:
    """Every tensor with what it takes and why; dense ones of the same reason summed up."""
    tiled = any(planned.packed.n_tiles > 1 for planned in plan.tensors)
    columns = ("format", *STORED_COLUMNS, plan.unit, *["tile"][:tiled])
    table = new_table(None, "tensor", columns)
    table.add_column("why")

    def add_row(
        name: str, format: str, some: Sequence[PlannedTensor], why: str, style: str = ""
    ) -> None:
        nbytes = sum(planned.packed.nbytes for planned in some)
        cells = stored_cells([planned.tensor for planned in some], nbytes)
        cells.append(_integer(total(planned.cycles for planned in some)))
        if tiled:
            tiles = {planned.packed.tile_size for planned in some if planned.packed.n_tiles > 1}
            cells.append(", ".join(f"{tile:,}" for tile in sorted(tiles)) if not style else "")
        table.add_row(escape(name), format, *cells, escape(why), style=style)

    alike: dict[str, list[PlannedTensor]] = {}
    for planned in plan.tensors:
        if planned.packed.format == "dense":
            alike.setdefault(planned.why, []).append(planned)
    summed_up = [some for some in alike.values() if len(some) > 1]
    for planned in plan.tensors:
        if not any(planned in some for some in summed_up):
            add_row(planned.tensor.name, planned.packed.format, [planned], planned.why)
    for some in summed_up:
        add_row(stay_dense(len(some)), "dense", some, reason_of(some[0].why, len(some)))
    table.add_section()
    add_row(f"total of {len(plan.tensors)}", "", plan.tensors, "", style="bold")
    return table


def plan_sentences(plan: BudgetPlan) -> list[str]:
    """Sums against the budgets, and what they leave out."""
    n_cut = sum(planned.packed.n_tiles > 1 for planned in plan.tensors)
    are = "is" if n_cut == 1 else "are"
    cut = f" {n_cut} of the tensors {are} cut into tiles." if n_cut else ""
    unknown = "an unknown number of bytes"
    code = unknown if plan.code_nbytes is None else f"at most {plan.code_nbytes:,} bytes"
    stack = unknown if plan.stack_nbytes is None else f"{plan.stack_nbytes:,} bytes"
    does = "counts" if plan.code_counts else "does not count"
    sentences = [
        f"Flash: {_against(plan.flash, plan.budget.flash)} bytes. This counts the blobs, and "
        f"{plan.container_nbytes:,} bytes for names and tables.",
        f"Decoders of {', '.join(plan.formats)}: their code takes {code}, which Flash {does}. "
        f"Their stack takes {stack}, which SRAM does not count.",
        _cycles_sentence(plan),
        f"SRAM: {_against(plan.sram, plan.budget.sram)} bytes for one buffer that holds any "
        f"tensor{' or tile' if n_cut else ''}.{cut}",
    ]
    unused = [f"SPK_WITHOUT_{name.upper()}" for name in formats() if name not in plan.formats]
    if not any(planned.packed.transforms for planned in plan.tensors):
        unused.append("SPK_WITHOUT_TRANSFORMS")
    if unused:
        sentences.append(
            "The firmware does not need all decoders. Compile it with these macros to leave the "
            f"others out: {', '.join(unused)}."
        )
    if plan.left_out:
        sentences.append(
            f"Not used: {listed(plan.left_out, 'and')}, because the cycles or the code size on "
            f"{plan.target} are not known."
        )
    return sentences


def _cycles_sentence(plan: BudgetPlan) -> str:
    unit = plan.unit
    if plan.cycles is None:
        unknown = {planned.packed.format for planned in plan.tensors if planned.cycles is None}
        names = listed((name for name in plan.formats if name in unknown), "and")
        said = f"{unit.capitalize()}: unknown, because those of {names}"
        return f"{said} on {plan.target} are not known."
    said = (
        f"{unit.capitalize()}: {_against(plan.cycles, plan.budget.cycles)} to decode every tensor "
        f"once on {plan.target}. This is an estimate"
    )
    if unit == "cycles":
        return f"{said} for the core alone. Time spent waiting for memory comes on top."
    return f"{said}. How many cycles they take depends on the core and its memory."


def _against(taken: int, budget: int | None) -> str:
    return f"{taken:,}" if budget is None else f"{taken:,} of {budget:,}"


def _integer(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
