"""What a plan with budgets chose and takes: a table and sentences for people."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from stridepack.budget_plan import BudgetPlan, PlannedTensor, total
from stridepack.formats import formats
from stridepack.report import NAME_COLUMN, STORED_COLUMNS, stored_cells


def plan_table(plan: BudgetPlan) -> Table:
    """Every tensor with what it takes and why; dense ones of the same reason summed up."""
    table = Table()
    table.add_column("tensor", **NAME_COLUMN)
    table.add_column("format", no_wrap=True)
    tiled = any(planned.packed.n_tiles > 1 for planned in plan.tensors)
    headings = [*STORED_COLUMNS, "cycles", *["tile"][:tiled]]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
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
        add_row(f"{len(some)} left dense", "dense", some, some[0].why)
    table.add_section()
    add_row(f"total of {len(plan.tensors)}", "", plan.tensors, "", style="bold")
    return table


def plan_sentences(plan: BudgetPlan) -> list[str]:
    """Sums against the budgets, and what they leave out."""
    n_cut = sum(planned.packed.n_tiles > 1 for planned in plan.tensors)
    tiles = f" or tile; tensors cut into tiles: {n_cut}" if n_cut else ""
    code = "of unknown size" if plan.code_nbytes is None else f"at most {plan.code_nbytes:,} bytes"
    counted = "counted" if plan.code_counts else "not counted"
    sentences = [
        f"Flash: {_against(plan.flash, plan.budget.flash)} bytes: blobs, each at a multiple of 16, "
        f"and {plan.container_nbytes:,} for names and tables",
        f"decoders of {', '.join(plan.formats)}: code {code}, {counted} as Flash; stack "
        f"{_integer(plan.stack_nbytes)} bytes, not counted as SRAM",
        _cycles_sentence(plan),
        f"SRAM: {_against(plan.sram, plan.budget.sram)} bytes: a buffer for any tensor{tiles}",
    ]
    if unused := [f"SPK_WITHOUT_{n.upper()}" for n in formats() if n not in plan.formats]:
        sentences.append(f"not needed in the firmware: define {', '.join(unused)}")
    if plan.left_out:
        sentences.append(
            f"not used, as nothing is known of it on {plan.target}: {', '.join(plan.left_out)}"
        )
    return sentences


def _cycles_sentence(plan: BudgetPlan) -> str:
    if plan.cycles is None:
        unknown = {planned.packed.format for planned in plan.tensors if planned.cycles is None}
        names = ", ".join(name for name in plan.formats if name in unknown)
        return f"cycles: unknown, as nothing is known of {names} on {plan.target}"
    return (
        f"cycles: {_against(plan.cycles, plan.budget.cycles)} to decode every tensor once on "
        f"{plan.target}, by a model of the core alone; waiting for memory comes on top"
    )


def _against(taken: int, budget: int | None) -> str:
    return f"{taken:,}" if budget is None else f"{taken:,} of {budget:,}"


def _integer(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
